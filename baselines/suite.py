"""Suites: named sets of problems with the budgets and seeds that solvers are compared on."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from loihi_gym import toml
from loihi_gym.errors import RunError, unknown

_HERE = resources.files("loihi_gym.benchmarks") / "suites"


@dataclass(frozen=True)
class Suite:
    """What solvers are compared on.

    Attributes:
        name: Of its file.
        description: One line.
        problems: Names of benchmarks.
        backend: What measures.
        seeds: Number of seeds, from 0 on, by budget of evaluations, ascending.
    """

    name: str
    description: str
    problems: tuple[str, ...]
    backend: str
    seeds: dict[int, int]


def suites() -> list[str]:
    """Names of the bundled suites."""
    return sorted(
        path.name.removesuffix(".toml") for path in _HERE.iterdir() if path.name.endswith(".toml")
    )


def load_suite(name: str) -> Suite:
    """The bundled suite of that name, or that of a .toml file.

    Raises:
        UnknownNameError: if there is none.
        RunError: if the file cannot be read or is malformed.
    """
    if name.endswith(".toml"):
        path = Path(name)
    elif name in suites():
        path = Path(str(_HERE / f"{name}.toml"))
    else:
        raise unknown("suite", name, suites())
    try:
        data = toml.loads(path.read_text(encoding="utf-8"))
        seeds = {int(budget): int(count) for budget, count in data["seeds"].items()}
        suite = Suite(
            name=path.stem,
            description=str(data["description"]),
            problems=tuple(str(problem) for problem in data["problems"]),
            backend=str(data["backend"]),
            seeds=dict(sorted(seeds.items())),
        )
    except OSError as error:
        raise RunError(f"suite {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"suite {path} is malformed: {error!r}") from error
    if not suite.problems or not seeds or min(*seeds, *seeds.values()) < 1:
        raise RunError(f"suite {path} needs a problem, and budgets and seeds of at least 1")
    return suite
