"""A submission's files and what may stand in them.

submission.toml   who, what, and which track
mappings.json     the best mapping of each problem and, on solver tracks, of each seed
trace.jsonl       on solver tracks: every improving mapping, with the evaluation that found it
reproduced.toml   written by the maintainers alone; see `reproduced`
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ..benchmarks.suite import MAPPING, Suite, load_suite, previous_names, suite_names
from ..errors import SubmissionError
from ..mapping import Mapping
from ..mapping.mapping import MAX_CORES
from .names import FOLDER, MAX_AUTHORS, person, plain
from .reading import lines_of, names_in, parse_json, read_text, read_toml, shown
from .schema import Field, listed, read_table, text, unread, whole

FORMAT = 1
SUBMISSIONS = "submissions"
"""Where a board keeps them."""
ABOUT, MAPPINGS, TRACE, REPRODUCED = (
    "submission.toml",
    "mappings.json",
    "trace.jsonl",
    "reproduced.toml",
)
LARGEST = {ABOUT: 16 << 10, MAPPINGS: 2 << 20, TRACE: 32 << 20}
"""The files that people submit, and the most bytes of each."""
MAX_LINE = 64 << 10
MAX_IMPROVEMENTS = 1000
"""Improving mappings of one run; searches of 10,000 evaluations have some fifty."""
MAX_FOLDER = 80
OPENED = date(2026, 11, 25)
"""Day on which the board was opened; see DECISIONS.md."""
MAX_OPTIONS = 20


@dataclass(frozen=True, order=True)
class SubmittedRun:
    """One search that a submission tells of.

    Attributes:
        problem: Name of the problem.
        seed: What the solver's random numbers start from; None on the mapping track.
    """

    problem: str
    seed: int | None = None

    def __str__(self) -> str:
        return self.problem if self.seed is None else f"{self.problem}, seed {self.seed}"


@dataclass(frozen=True)
class Bundled:
    """A solver that comes with this package, with the options it was given.

    Attributes:
        solver: Name of the solver.
        options: Options by name; empty if it was given none.
    """

    solver: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class About:
    """What `submission.toml` says. Nothing of it can be verified, but that it is well formed.

    Attributes:
        suite: Name of the suite.
        track: ``mapping``, or a solver track of the suite.
        name: Name that stands in the board's table.
        authors: Names of people or teams, at least one.
        solver: What found the mappings.
        code_url: Address of the solver's code, https; may be empty.
        code_commit: Commit of that code, as hex digits; may be empty.
        licence: Licence of the mappings.
        bundled: The solver of this package that can reproduce the submission; None if it is none.
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
    """A mapping that was better than all before it in its run.

    Attributes:
        evaluation: Number of the evaluation that found it; a run's first is 1.
        mapping: The mapping itself.
    """

    evaluation: int
    mapping: Mapping


@dataclass(frozen=True)
class Submission:
    """All that a submission holds.

    Attributes:
        folder: Name of the submission's directory, ``YYYY-MM-DD-slug``.
        day: Day of its merge, as YYYY-MM-DD; empty if it is not on a board yet.
        files: Names of the files in the directory.
        about: Content of `submission.toml`.
        suite: Suite that the submission is on.
        mappings: Best mapping of each run, in the order of the suite's problems and seeds.
        traces: Improvements of each run; empty on the mapping track.
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
    folder_day(path.absolute().name)
    names = names_in(path)
    for name in names:
        if name not in (*LARGEST, REPRODUCED):
            raise SubmissionError(
                f"{shown(name)} is no file of a submission, which are {ABOUT}, {MAPPINGS} and, "
                f"on solver tracks, {TRACE}"
            )
    about = _about(read_toml(path / ABOUT, LARGEST[ABOUT]))
    suite = load_suite(about.suite)
    expected = runs_of(suite, about.track)
    written = read_text(path / MAPPINGS, LARGEST[MAPPINGS])
    mappings = _mappings(parse_json(written, MAPPINGS), about)
    _require_all(mappings, expected, MAPPINGS)
    traces: dict[SubmittedRun, tuple[Improvement, ...]] = {}
    if about.track != MAPPING:
        traces = _traces(lines_of(path / TRACE, LARGEST[TRACE], MAX_LINE), expected)
        _require_all(traces, expected, TRACE)
    elif TRACE in names:
        raise SubmissionError(f"{TRACE}: the mapping track takes none; remove it")
    return Submission(
        folder=path.absolute().name,
        day="",
        files=tuple(names),
        about=about,
        suite=suite,
        mappings={run: mappings[run] for run in expected},
        traces={run: traces[run] for run in expected if run in traces},
    )


def folder_day(name: str) -> date:
    """The day that a submission's directory is named after; it decides nothing: see `merges`.

    Raises:
        SubmissionError: if it is not named YYYY-MM-DD-slug.
    """
    try:
        if not FOLDER.fullmatch(name) or len(name) > MAX_FOLDER:
            raise ValueError
        return date.fromisoformat(name[:10])
    except ValueError:
        raise SubmissionError(
            f"directory {shown(name)}: it must be named YYYY-MM-DD-slug, the slug of a-z, 0-9 "
            f"and '-', {MAX_FOLDER} characters at most"
        ) from None


def require_new_folder(name: str) -> None:
    """Raise unless a new submission's directory is named after a day since the board was opened.

    Raises:
        SubmissionError: if it is not, or the day is still to come.
    """
    day = folder_day(name)
    tomorrow = max(datetime.now(UTC).date(), OPENED) + timedelta(days=1)  # somewhere it is
    if not OPENED <= day <= tomorrow:
        raise SubmissionError(
            f"directory {shown(name)}: name it after the day of your request, from {OPENED} to "
            f"{tomorrow}"
        )


def _suite_name(value: object, source: str) -> str:
    if not isinstance(value, str) or value not in [*suite_names(), *previous_names()]:
        known = ", ".join(suite_names())
        raise SubmissionError(f"{source} {shown(value)} is none of this version: {known}")
    return value


def _bundled(value: object, source: str) -> Bundled:
    fields = read_table(value, source, BUNDLED_FIELDS)
    return Bundled(fields["solver"], fields["options"] or {})


def _options(value: object, source: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > MAX_OPTIONS:
        raise SubmissionError(f"{source} is {shown(value)}, not a small table")
    for key, one in value.items():
        WORD(key, f"{source}: an option")
        if isinstance(one, str):
            plain(one, f"{source}: option {key}")
        elif type(one) not in (bool, int, float) or not abs(one) < 10**12:  # NaN is not, either
            raise SubmissionError(f"{source}: option {key} is {shown(one)}")
    return dict(value)


WORD = text("the name of a solver or option", r"[a-z][a-z0-9_-]{0,39}")
FORMATS = Field(whole(FORMAT, FORMAT))
BUNDLED_FIELDS = {"solver": Field(WORD), "options": Field(_options, None)}
ABOUT_FIELDS = {
    "format": FORMATS,
    "suite": Field(_suite_name),
    "track": Field(text("a name", r"(?s:.*)")),
    "name": Field(plain),
    "authors": Field(listed(person, f"1 to {MAX_AUTHORS} names", range(1, MAX_AUTHORS + 1))),
    "solver": Field(plain),
    "code_url": Field(
        text(
            "an https address, or empty",
            r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9._~%+@=/-]*)?|",
        ),
        "",
    ),
    "code_commit": Field(text("7 to 40 hex digits, or empty", r"[0-9a-f]{7,40}|"), ""),
    "licence": Field(plain),
    "bundled": Field(_bundled, None),
}
"""Of `submission.toml`, in the order in which they are written."""
MAPPINGS_FIELDS = {
    "format": FORMATS,
    "suite": Field(unread),
    "mappings": Field(listed(unread, "mappings")),
}
CORES = Field(listed(whole(0, MAX_CORES - 1), "numbers"))
RUN_FIELDS = {
    "problem": Field(text("a problem of the suite", r"[a-z0-9-]{1,60}")),
    "seed": Field(whole(0, 10**6)),
    "evaluation": Field(whole(1, 10**9)),
    "cores_per_layer": CORES,
    "placement": CORES,
}
"""Of a line of `trace.jsonl`, and less `evaluation` and perhaps `seed` of a mapping."""


def _about(data: dict[str, Any]) -> About:
    fields = read_table(data, ABOUT, ABOUT_FIELDS)
    del fields["format"]
    about = About(**fields)
    if len(set(about.authors)) < len(about.authors):
        raise SubmissionError(f"{ABOUT}: authors: one stands twice")
    if about.track == MAPPING and about.bundled is not None:
        raise SubmissionError(f"{ABOUT}: [bundled] is for solver tracks; remove it")
    return about


def _mappings(data: object, about: About) -> dict[SubmittedRun, Mapping]:
    top = read_table(data, MAPPINGS, MAPPINGS_FIELDS)
    if top["suite"] != about.suite:
        raise SubmissionError(
            f"{MAPPINGS}: suite {shown(top['suite'])} is not that of {ABOUT}, {about.suite!r}"
        )
    left_out = {"evaluation", "seed"} if about.track == MAPPING else {"evaluation"}
    fields = {name: field for name, field in RUN_FIELDS.items() if name not in left_out}
    found: dict[SubmittedRun, Mapping] = {}
    for index, one in enumerate(top["mappings"]):
        source = f"{MAPPINGS}: mappings[{index}]"
        row = read_table(one, source, fields)
        run = SubmittedRun(row["problem"], row.get("seed"))
        if run in found:
            raise SubmissionError(f"{source}: {run} stands twice")
        found[run] = _mapping(row)
    return found


def _traces(
    lines: Iterator[tuple[str, str]], expected: list[SubmittedRun]
) -> dict[SubmittedRun, tuple[Improvement, ...]]:
    known, found = set(expected), dict[SubmittedRun, list[Improvement]]()
    for source, line in lines:
        row = read_table(parse_json(line, source), source, RUN_FIELDS)
        run = SubmittedRun(row["problem"], row["seed"])
        if run not in known:
            raise SubmissionError(f"{source}: {run} is not of this track")
        steps = found.setdefault(run, [])
        if len(steps) == MAX_IMPROVEMENTS:
            raise SubmissionError(f"{source}: {run} has more than {MAX_IMPROVEMENTS} improvements")
        steps.append(Improvement(row["evaluation"], _mapping(row)))
    return {run: tuple(steps) for run, steps in found.items()}


def _mapping(row: dict[str, Any]) -> Mapping:
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
