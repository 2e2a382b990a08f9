"""A submission's files and what may stand in them.

submission.toml   who, what, and which track
mappings.json     the best mapping of each problem and, on solver tracks, of each seed
trace.jsonl       on solver tracks: every improving mapping, with the evaluation that found it
reproduced.toml   written by the maintainers alone; see `reproduced`
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ..benchmarks.suite import MAPPING, Suite, load_suite, suite_names
from ..errors import SubmissionError
from ..mapping import Mapping
from .names import FOLDER, MAX_AUTHORS, person, plain
from .reading import lines_of, names_in, parse_json, read_text, read_toml, shown, table, whole

FORMAT = 1
SUBMISSIONS = "submissions"
"""Where a board keeps them."""
ABOUT, MAPPINGS, TRACE, REPRODUCED = (
    "submission.toml",
    "mappings.json",
    "trace.jsonl",
    "reproduced.toml",
)
MAX_ABOUT = 16 << 10
MAX_MAPPINGS = 2 << 20
MAX_TRACE = 32 << 20
MAX_LINE = 64 << 10
MAX_IMPROVEMENTS = 1000
"""Improving mappings of one run; searches of 10,000 evaluations have some fifty."""
MAX_CORE = 1 << 24
MAX_FOLDER = 80
MAX_URL = 200
MAX_OPTIONS = 20

_URL = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._~%+@=/-]*)?|")
_COMMIT = re.compile(r"[0-9a-f]{7,40}|")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, order=True)
class SubmittedRun:
    """One search that a submission tells of.

    Attributes:
        problem: Name of the problem.
        seed: Of the solver's chance; None on the mapping track.
    """

    problem: str
    seed: int | None = None

    def __str__(self) -> str:
        return self.problem if self.seed is None else f"{self.problem}, seed {self.seed}"


@dataclass(frozen=True)
class Bundled:
    """A solver of this package, with the options it was given.

    Attributes:
        solver: Its name.
        options: Its own options.
    """

    solver: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class About:
    """What `submission.toml` says. Nothing of it can be verified, but that it is well formed.

    Attributes:
        suite: Name of the suite.
        track: ``mapping``, or a solver track of the suite.
        name: Of the row.
        authors: Who it is by.
        solver: What searched.
        code_url: Where that is to be had, https; may be empty.
        code_commit: Which version of it; may be empty.
        licence: Of the mappings.
        bundled: The solver of this package that can reproduce it; None if it is not one.
    """

    suite: str
    track: str
    name: str
    authors: tuple[str, ...]
    solver: str
    code_url: str
    code_commit: str
    licence: str
    bundled: Bundled | None = None


@dataclass(frozen=True)
class Improvement:
    """A mapping that was the best so far.

    Attributes:
        evaluation: Which of its run's, from 1 on.
        mapping: The mapping.
    """

    evaluation: int
    mapping: Mapping


@dataclass(frozen=True)
class Submission:
    """All that a submission holds.

    Attributes:
        folder: Name of its directory.
        day: Of that name.
        files: What is in it.
        about: What it says of itself.
        suite: What it is on.
        mappings: The best mapping of each run, in the order of the suite's problems and seeds.
        traces: Of solver tracks: the improvements of each run.
    """

    folder: str
    day: str
    files: tuple[str, ...]
    about: About
    suite: Suite
    mappings: dict[SubmittedRun, Mapping]
    traces: dict[SubmittedRun, tuple[Improvement, ...]]


def runs_of(suite: Suite, track: str) -> list[SubmittedRun]:
    """All runs that a submission on a track has to have, in their order.

    Raises:
        SubmissionError: if the suite has no such track.
    """
    if track == MAPPING:
        return [SubmittedRun(name) for name in suite.names]
    if track not in suite.tracks:
        known = ", ".join([MAPPING, *suite.tracks])
        raise SubmissionError(f"{ABOUT}: track {shown(track)} is none of {suite.name}'s: {known}")
    return [
        SubmittedRun(name, seed)
        for name in suite.names
        for seed in range(suite.tracks[track].seeds)
    ]


def read_submission(path: Path) -> Submission:
    """Read a submission's directory; nothing in it is trusted, run, or followed.

    Raises:
        SubmissionError: names the file and what is wrong with it.
    """
    day = folder_day(path.absolute().name)
    names = names_in(path)
    for name in names:
        if name not in (ABOUT, MAPPINGS, TRACE, REPRODUCED):
            raise SubmissionError(
                f"{shown(name)} is no file of a submission, which are {ABOUT}, {MAPPINGS} and, "
                f"on solver tracks, {TRACE}"
            )
    about = _about(read_toml(path / ABOUT, MAX_ABOUT))
    suite = load_suite(about.suite)
    expected = runs_of(suite, about.track)
    mappings = _mappings(parse_json(read_text(path / MAPPINGS, MAX_MAPPINGS), MAPPINGS), about)
    _require_all(mappings, expected, MAPPINGS)
    traces: dict[SubmittedRun, tuple[Improvement, ...]] = {}
    if about.track != MAPPING:
        traces = _traces(lines_of(path / TRACE, MAX_TRACE, MAX_LINE), expected)
        _require_all(traces, expected, TRACE)
    elif TRACE in names:
        raise SubmissionError(f"{TRACE}: the mapping track takes none; remove it")
    return Submission(
        folder=path.absolute().name,
        day=day,
        files=tuple(names),
        about=about,
        suite=suite,
        mappings={run: mappings[run] for run in expected},
        traces={run: traces[run] for run in expected if run in traces},
    )


def folder_day(name: str) -> str:
    """The day that a submission's directory is named after.

    Raises:
        SubmissionError: if it is not named YYYY-MM-DD-slug.
    """
    try:
        if not FOLDER.fullmatch(name) or len(name) > MAX_FOLDER:
            raise ValueError
        return date.fromisoformat(name[:10]).isoformat()
    except ValueError:
        raise SubmissionError(
            f"directory {shown(name)}: it must be named YYYY-MM-DD-slug, the slug of a-z, 0-9 "
            f"and '-', {MAX_FOLDER} characters at most"
        ) from None


def _about(data: dict[str, Any]) -> About:
    needed = {"format", "suite", "track", "name", "authors", "solver", "licence"}
    table(data, ABOUT, needed, {"code_url", "code_commit", "bundled"})
    whole(data["format"], f"{ABOUT}: format", FORMAT, FORMAT)
    suite = data["suite"]
    if not isinstance(suite, str) or suite not in suite_names():
        raise SubmissionError(
            f"{ABOUT}: suite {shown(suite)} is none of this version: {', '.join(suite_names())}"
        )
    track = data["track"]
    if not isinstance(track, str):
        raise SubmissionError(f"{ABOUT}: track is {shown(track)}, not a name")
    authors = data["authors"]
    if not isinstance(authors, list) or not 1 <= len(authors) <= MAX_AUTHORS:
        raise SubmissionError(
            f"{ABOUT}: authors is {shown(authors)}, not a list of 1 to {MAX_AUTHORS} names"
        )
    about = About(
        suite=suite,
        track=track,
        name=plain(data["name"], f"{ABOUT}: name"),
        authors=tuple(person(one, f"{ABOUT}: authors[{i}]") for i, one in enumerate(authors)),
        solver=plain(data["solver"], f"{ABOUT}: solver"),
        code_url=_match(_URL, data.get("code_url", ""), "code_url", "an https address, or empty"),
        code_commit=_match(
            _COMMIT, data.get("code_commit", ""), "code_commit", "7 to 40 hex digits, or empty"
        ),
        licence=plain(data["licence"], f"{ABOUT}: licence"),
        bundled=_bundled(data["bundled"]) if "bundled" in data else None,
    )
    if len(set(about.authors)) < len(about.authors):
        raise SubmissionError(f"{ABOUT}: authors: one stands twice")
    if track == MAPPING and about.bundled is not None:
        raise SubmissionError(f"{ABOUT}: [bundled] is for solver tracks; remove it")
    return about


def _match(pattern: re.Pattern[str], value: object, key: str, what: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_URL or not pattern.fullmatch(value):
        raise SubmissionError(f"{ABOUT}: {key} is {shown(value)}, not {what}")
    return value


def _bundled(data: object) -> Bundled:
    given = table(data, f"{ABOUT}: [bundled]", {"solver"}, {"options"})
    solver = _match(_WORD, given["solver"], "[bundled] solver", "the name of a solver")
    options = given.get("options", {})
    if not isinstance(options, dict) or len(options) > MAX_OPTIONS:
        raise SubmissionError(f"{ABOUT}: [bundled] options is {shown(options)}, not a small table")
    for key, value in options.items():
        _match(_WORD, key, "a [bundled] option", "the name of an option")
        if type(value) not in (bool, int, float, str):
            raise SubmissionError(f"{ABOUT}: [bundled] option {key} is {shown(value)}")
        if isinstance(value, str):
            plain(value, f"{ABOUT}: [bundled] option {key}")
        elif not abs(value) < 10**12:  # infinity and NaN are not, either
            raise SubmissionError(f"{ABOUT}: [bundled] option {key} is {shown(value)}")
    return Bundled(solver, dict(options))


def _mappings(data: object, about: About) -> dict[SubmittedRun, Mapping]:
    top = table(data, MAPPINGS, {"format", "suite", "mappings"}, set())
    whole(top["format"], f"{MAPPINGS}: format", FORMAT, FORMAT)
    if top["suite"] != about.suite:
        raise SubmissionError(
            f"{MAPPINGS}: suite {shown(top['suite'])} is not that of {ABOUT}, {about.suite!r}"
        )
    if not isinstance(top["mappings"], list):
        raise SubmissionError(f"{MAPPINGS}: mappings is {shown(top['mappings'])}, not a list")
    found: dict[SubmittedRun, Mapping] = {}
    keys = {"problem", "cores_per_layer", "placement"}
    if about.track != MAPPING:
        keys.add("seed")
    for index, one in enumerate(top["mappings"]):
        source = f"{MAPPINGS}: mappings[{index}]"
        row = table(one, source, keys, set())
        run = _run(row, source, about.track != MAPPING)
        if run in found:
            raise SubmissionError(f"{source}: {run} stands twice")
        found[run] = _mapping(row, f"{MAPPINGS}: {run}")
    return found


def _traces(
    lines: Iterator[tuple[str, str]], expected: list[SubmittedRun]
) -> dict[SubmittedRun, tuple[Improvement, ...]]:
    known, found = set(expected), dict[SubmittedRun, list[Improvement]]()
    keys = {"problem", "seed", "evaluation", "cores_per_layer", "placement"}
    for source, text in lines:
        row = table(parse_json(text, source), source, keys, set())
        run = _run(row, source, seeded=True)
        if run not in known:
            raise SubmissionError(f"{source}: {run} is not of this track")
        steps = found.setdefault(run, [])
        if len(steps) == MAX_IMPROVEMENTS:
            raise SubmissionError(f"{source}: {run} has more than {MAX_IMPROVEMENTS} improvements")
        evaluation = whole(row["evaluation"], f"{source}: evaluation", 1, 10**9)
        steps.append(Improvement(evaluation, _mapping(row, f"{source}: {run}")))
    return {run: tuple(steps) for run, steps in found.items()}


def _run(row: dict[str, Any], source: str, seeded: bool) -> SubmittedRun:
    if not isinstance(row["problem"], str):
        raise SubmissionError(f"{source}: problem is {shown(row['problem'])}, not a name")
    seed = whole(row["seed"], f"{source}: seed", 0, 10**6) if seeded else None
    if not re.fullmatch(r"[a-z0-9-]{1,60}", row["problem"]):
        raise SubmissionError(f"{source}: problem {shown(row['problem'])} is not in the suite")
    return SubmittedRun(row["problem"], seed)


def _mapping(row: dict[str, Any], source: str) -> Mapping:
    for key in ("cores_per_layer", "placement"):
        values = row[key]
        if not isinstance(values, list):
            raise SubmissionError(f"{source}: {key} is {shown(values)}, not a list of numbers")
        for index, value in enumerate(values):
            whole(value, f"{source}: {key}[{index}]", 0, MAX_CORE)
    return Mapping(row["cores_per_layer"], row["placement"])


def _require_all(found: dict[SubmittedRun, Any], expected: list[SubmittedRun], source: str) -> None:
    for run in found:
        if run not in expected:
            raise SubmissionError(f"{source}: {run} is not of this suite and track")
    missing = [run for run in expected if run not in found]
    if missing:
        raise SubmissionError(
            f"{source}: {missing[0]} is missing ({len(missing)} of {len(expected)} are)"
        )
