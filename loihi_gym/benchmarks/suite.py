"""Suites: frozen lists of problems, with the budgets and seeds that solvers are compared on.

A manifest in `suites/` states of every problem what decides a score (`Problem.digest`) and the
integers that scores are computed from. They are never edited: `freeze` computes them, and a test
that they are still what the code computes. Whatever changes one of them needs a new version of the
suite, since scores of the old one would no longer be comparable. Suites of earlier versions are in
`suites/previous/`: they can be replayed by name, and are listed nowhere.
"""

import tomllib
from collections.abc import Container
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import SuiteError, unknown

SCORER = 1
"""Version of how the leaderboard scores; a suite states the one it was frozen for."""
PREVIOUS = "previous"
"""Folder of manifests and of boards of earlier versions."""
MAPPING = "mapping"
"""The track that every suite has: the best mapping, by any means."""


@dataclass(frozen=True)
class Frozen:
    """What a score of one problem follows from.

    Attributes:
        sha256: Digest of the problem (`Problem.digest`): network, activity, chip and reference.
        chip: Name of the bundled chip.
        reference: Fastest standard heuristic on `mesh`, as ``partitioning/order``.
        reference_latency_ps: Latency of the reference mapping.
        reference_energy_fj: Energy of the reference mapping.
        lower_bound_ps: Latency below which no mapping can be.
    """

    sha256: str
    chip: str
    reference: str
    reference_latency_ps: int
    reference_energy_fj: int
    lower_bound_ps: int


@dataclass(frozen=True)
class Entry:
    """One problem of a suite.

    Attributes:
        name: The problem's name, which `load` takes.
        uri: Address of the generator or of a family that the problem is made from; empty if it is
            a bundled benchmark.
        frozen: What scores follow from; None in a suite that is not frozen yet.
        chips: Folder of the chip files that its URI names; empty for those of this release.
    """

    name: str
    uri: str = ""
    frozen: Frozen | None = None
    chips: str = ""


@dataclass(frozen=True)
class Track:
    """The rules of one table of the leaderboard.

    Attributes:
        budget: Evaluations that each run may take.
        seeds: Runs on each problem; their seeds count from 0.
    """

    budget: int
    seeds: int


@dataclass(frozen=True)
class Suite:
    """A suite's manifest.

    Attributes:
        name: Name of the manifest's file, without its ending.
        description: One line for people.
        problems: The problems, in the order in which they are shown.
        backend: Name of the backend that measures.
        seeds: Seeds that `loihi-gym compare` runs, by budget of evaluations, ascending.
        tracks: Rules of the leaderboard's solver tracks, by name.
        scorer: Version of the leaderboard's scoring.
        commit: Hash of the freeze commit that problems are drawn from; empty if none are drawn.
        chips: Folder of the chip files that URIs name; empty for those of this release.
        hypotheses: Set of plausible chips that each mapping is measured on, laid over a problem's
            own; empty for that alone. An evaluation is a mapping on one chip.
    """

    name: str
    description: str
    problems: tuple[Entry, ...]
    backend: str
    seeds: dict[int, int]
    tracks: dict[str, Track]
    scorer: int = SCORER
    commit: str = ""
    chips: str = ""
    hypotheses: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the problems."""
        return tuple(entry.name for entry in self.problems)

    def entry(self, name: str) -> Entry:
        """The problem of that name.

        Raises:
            UnknownNameError: if there is none.
        """
        if name not in self.names:
            raise unknown("problem", name, list(self.names))
        return self.problems[self.names.index(name)]

    def frozen(self, name: str) -> Frozen:
        """What was measured of a problem.

        Raises:
            SuiteError: if the suite is not frozen yet.
        """
        found = self.entry(name).frozen
        if found is None:
            raise SuiteError(
                f"suite {self.name}: {name} is not frozen; run 'loihi-gym leaderboard freeze'"
            )
        return found


KINDS = {str: "a text", int: "a whole number of at least 1", list: "a list", dict: "a table"}
FROZEN = {field.name: field.type for field in fields(Frozen)}
TRACK = {field.name: field.type for field in fields(Track)}
SUITE = {"description": str, "problems": list, "backend": str, "seeds": dict} | {
    "tracks": dict,
    "scorer": int,
    "commit": str,
    "chips": str,
    "hypotheses": str,
}
"""What a manifest and its tables hold."""


def folder() -> Path:
    """Where the bundled manifests are."""
    return Path(str(resources.files(__package__) / "suites"))


def suite_names() -> list[str]:
    """Names of the bundled suites of this version."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def previous_names() -> list[str]:
    """Names of the suites of earlier versions."""
    return sorted(path.stem for path in (folder() / PREVIOUS).glob("*.toml"))


def load_suite(name: str) -> Suite:
    """The bundled suite of that name, or that of a .toml file.

    Raises:
        UnknownNameError: if there is none.
        SuiteError: if the file cannot be read or is malformed.
    """
    if name.endswith(".toml"):
        return read_suite(Path(name))
    if name in previous_names():
        return read_suite(folder() / PREVIOUS / f"{name}.toml")
    if name not in suite_names():
        raise unknown("suite", name, suite_names())
    return read_suite(folder() / f"{name}.toml")


def read_suite(path: Path) -> Suite:
    """The suite that a manifest states.

    Raises:
        SuiteError: if the file cannot be read or is malformed.
    """
    try:
        suite = _suite(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SuiteError(f"suite {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"suite {path} is malformed: {error}") from error
    if not suite.problems or not suite.seeds:
        raise SuiteError(f"suite {path} needs a problem, and seeds for a budget")
    if len(set(suite.names)) < len(suite.names):
        raise SuiteError(f"suite {path} lists a problem twice")
    return suite


def generated(name: str) -> Entry | None:
    """The entry of a generated problem of some bundled suite; None if no suite has that name."""
    return _generated(folder()).get(name)


@cache
def _generated(folder: Path) -> dict[str, Entry]:
    """All generated problems of the suites in a folder, by name; the files are read once."""
    suites = map(load_suite, [*suite_names(), *previous_names()])
    return {entry.name: entry for suite in suites for entry in suite.problems if entry.uri}


def _suite(name: str, data: dict[str, Any]) -> Suite:
    _check("the manifest", data, SUITE, ("tracks", "scorer", "commit", "chips", "hypotheses"))
    seeds, tracks = data["seeds"], data.get("tracks", {})
    _check("[seeds]", seeds, dict.fromkeys(seeds, int))
    if not all(budget.isdecimal() and int(budget) > 0 for budget in seeds):
        raise ValueError("[seeds] has a budget that is no whole number of at least 1")
    for track, table in tracks.items():
        _check(f"track {track!r}", table, TRACK)
    read = {
        "name": name,
        "problems": tuple(
            replace(_entry(number, table), chips=data.get("chips", ""))
            for number, table in enumerate(data["problems"], 1)
        ),
        "seeds": dict(sorted((int(budget), count) for budget, count in seeds.items())),
        "tracks": {track: Track(**table) for track, table in tracks.items()},
    }
    return Suite(**{**data, **read})


def _entry(number: int, table: Any) -> Entry:
    what = f"problem {number}"
    _check(what, table, {"name": str, "uri": str, **FROZEN}, ("uri", *FROZEN))
    measured = {key: value for key, value in table.items() if key in FROZEN}
    if measured:
        _check(what, measured, FROZEN)
    return Entry(table["name"], table.get("uri", ""), Frozen(**measured) if measured else None)


def _check(
    what: str, table: Any, kinds: dict[str, Any], optional: Container[str] = frozenset()
) -> None:
    """Raise a ValueError unless a table has the keys of `kinds`, each with a value of its kind."""
    if type(table) is not dict:
        raise ValueError(f"{what} is no table")
    for key, value in table.items():
        if key not in kinds:
            raise unknown(f"key of {what}", key, list(kinds))
        if type(value) is not kinds[key] or (kinds[key] is int and value < 1):
            raise ValueError(f"{what}: {key} is not {KINDS[kinds[key]]}")
    for key in kinds:
        if key not in table and key not in optional:
            raise ValueError(f"{what} lacks {key}")
