"""The searches of a comparison: every solver on every problem of a suite, every budget and seed.

Each of them is a run on disk. `compare.json` notes the plan, from which `read_plan` makes it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..benchmarks.suite import Suite
from ..errors import LoihiGymError, RunError
from ..search.config import Config
from ..search.registry import is_anytime, parse_options
from ..search.run import RESULT
from ..search.storage import read_json, write_json, writing

PLAN = "compare.json"
LEFT_OUT = "does-not-fit.json"
"""Of a search that its solver could not begin; it says why."""
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Scope:
    """What solvers are compared on: a suite or a part of it.

    Attributes:
        name: Name of the suite.
        description: One line.
        problems: Names of benchmarks.
        backend: Name of the backend that measures.
        seeds: Number of seeds for each budget of evaluations, ascending; seeds count from 0.
        hypotheses: Set of plausible chips that each mapping is measured on; None for one chip.
    """

    name: str
    description: str
    problems: tuple[str, ...]
    backend: str
    seeds: dict[int, int]
    hypotheses: str | None = None

    def __post_init__(self) -> None:
        if not (self.problems and self.seeds):
            raise RunError("a comparison needs a problem and a budget")
        for problem in self.problems:
            if problem != Path(problem).name:  # a directory of the comparison is called so
                raise RunError(f"problem {problem!r} is no name of a benchmark")
        for count in self.seeds.values():
            if type(count) is not int or not 1 <= count <= MOST_SEEDS:
                raise RunError(
                    f"seeds = {count!r}: must be a whole number from 1 to {MOST_SEEDS:,}"
                )

    @classmethod
    def of(cls, suite: Suite) -> "Scope":
        """All of a suite."""
        return cls(
            suite.name,
            suite.description,
            suite.names,
            suite.backend,
            suite.seeds,
            suite.hypotheses or None,
        )


@dataclass(frozen=True)
class Contender:
    """A solver with its options, as ``name`` or ``name:option=value+option``.

    Attributes:
        label: The text it was read from; names it in reports.
        solver: Name of the solver.
        options: Its own options.
    """

    label: str
    solver: str
    options: dict[str, Any]


@dataclass(frozen=True)
class SearchTask:
    """One search.

    Attributes:
        label: Label of the contender.
        config: Settings of the search.
        out: Directory of the run.
    """

    label: str
    config: Config
    out: Path

    @property
    def done(self) -> bool:
        """Whether there is nothing left to run."""
        return (self.out / RESULT).exists() or self.left_out

    @property
    def left_out(self) -> bool:
        """Whether its solver does not fit the problem."""
        return (self.out / LEFT_OUT).exists()

    @property
    def why_left_out(self) -> str:
        """What the solver said when it was `left_out`.

        Raises:
            RunError: if the note is damaged.
        """
        note = read_json(self.out / LEFT_OUT)
        if not isinstance(note, dict) or not isinstance(note.get("does not fit"), str):
            raise RunError(
                f"{self.out / LEFT_OUT} does not say what does not fit: remove {self.out} and "
                "compare again"
            )
        return str(note["does not fit"])


@dataclass(frozen=True)
class Plan:
    """All searches of a comparison.

    Attributes:
        suite: The problems, budgets and seeds.
        contenders: The solvers that are compared.
        tasks: The searches.
    """

    suite: Scope
    contenders: tuple[Contender, ...]
    tasks: tuple[SearchTask, ...]


def contender(label: str) -> Contender:
    """Read ``name`` or ``name:option=value+option``; commas stand between contenders.

    Raises:
        LoihiGymError: if there is no such solver or it has no such option.
    """
    solver, _, rest = label.partition(":")
    words = [f"--{word}" for word in rest.split("+") if word]
    return Contender(label, solver, parse_options(solver, words))


def plan(suite: Scope, labels: Sequence[str], out: Path) -> Plan:
    """The searches that a comparison needs.

    A solver that is the same search whatever its budget (`registry.anytime`) is run once per seed,
    with that seed's largest budget: the smaller ones are its beginning.

    Raises:
        LoihiGymError: if a contender does not exist or stands twice.
    """
    contenders = tuple(contender(label) for label in labels)
    if len(set(labels)) < len(labels):
        raise LoihiGymError(f"a solver stands twice: {', '.join(labels)}")
    tasks = []
    for problem in suite.problems:
        for one in contenders:
            for budget, seed in _searches(suite.seeds, is_anytime(one.solver, one.options)):
                config = Config(
                    one.solver,
                    problem,
                    budget,
                    seed,
                    suite.backend,
                    one.options,
                    chips=suite.hypotheses,
                )
                folder = one.label.replace(":", "-").replace("/", "-")
                where = out / problem / folder / f"{budget}-seed{seed}"
                tasks.append(SearchTask(one.label, config, where))
    return Plan(suite, contenders, tuple(tasks))


def _searches(seeds: dict[int, int], anytime: bool) -> list[tuple[int, int]]:
    """(Budget, seed) of every search of one contender on one problem."""
    if not anytime:
        return [(budget, seed) for budget, count in seeds.items() for seed in range(count)]
    largest = {seed: budget for budget, count in sorted(seeds.items()) for seed in range(count)}
    return [(budget, seed) for seed, budget in largest.items()]


def write_plan(made: Plan, out: Path) -> None:
    """Leave a note of what is compared, from which `read_plan` makes the plan again.

    Raises:
        RunError: if it cannot be written.
    """
    note = {
        "suite": made.suite.name,
        "description": made.suite.description,
        "problems": made.suite.problems,
        "backend": made.suite.backend,
        "seeds": made.suite.seeds,
        "hypotheses": made.suite.hypotheses,
        "solvers": [one.label for one in made.contenders],
    }
    with writing(out / PLAN):
        out.mkdir(parents=True, exist_ok=True)
    write_json(out / PLAN, note)


def read_plan(out: Path) -> Plan:
    """The plan of a comparison on disk.

    Raises:
        RunError: if the directory holds none.
    """
    path = out / PLAN
    if not path.exists():
        raise RunError(f"{out} holds no comparison: there is no {path}")
    note = read_json(path)
    try:
        suite = Scope(
            name=note["suite"],
            description=note["description"],
            problems=tuple(note["problems"]),
            backend=note["backend"],
            seeds={int(budget): count for budget, count in note["seeds"].items()},
            hypotheses=note.get("hypotheses"),
        )
        labels = [str(label) for label in note["solvers"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{path} is malformed: {error}") from error
    return plan(suite, labels, out)
