"""Freezing a suite: computing what its manifest states, and telling what has changed since."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from ..backends import make_backend
from ..bounds import lower_bound
from ..errors import SuiteError
from ..mapping import Problem
from .bundled import problem_of
from .custom import fastest_heuristic
from .drawn import draw
from .suite import SCORER, Entry, Frozen, Suite

HEADER = """\
# What `loihi-gym compare {name}` runs and the leaderboard scores. Written by
# `loihi-gym leaderboard freeze {name}`: a test holds every number against the code, and a
# change of any of them needs a new version of the suite.
"""


def freeze(suite: Suite) -> Suite:
    """The suite with all that is drawn and measured computed again."""
    entries = (
        entry if not suite.commit else replace(entry, uri=draw(suite.name, suite.commit, number))
        for number, entry in enumerate(suite.problems)
    )
    frozen = tuple(replace(entry, frozen=measure(entry)) for entry in entries)
    return replace(suite, problems=frozen, scorer=SCORER)


def measure(entry: Entry) -> Frozen:
    """What the code computes now of all that a manifest states of a problem."""
    problem = problem_of(entry)
    if entry.uri:
        problem = replace(problem, reference=fastest_heuristic(problem))
    measured = make_backend("mesh", problem).evaluate(problem.reference_mapping)
    return Frozen(
        sha256=problem.digest,
        chip=problem.chip.name,
        reference=problem.reference,
        reference_latency_ps=measured.latency_ps,
        reference_energy_fj=measured.energy_fj or 0,
        lower_bound_ps=lower_bound(problem).latency_ps,
    )


def require_frozen(suite: Suite) -> None:
    """Raise unless the manifest states what the code computes.

    Raises:
        SuiteError: names the problem, what differs, and that a new suite version is needed.
    """
    now = freeze(suite)
    if suite.scorer != SCORER:
        raise SuiteError(
            _changed(suite, f"scores are computed by scorer {SCORER}, not {suite.scorer}")
        )
    for old, new in zip(suite.problems, now.problems, strict=True):
        suite.frozen(old.name)
        for what in _differences(old, new):
            raise SuiteError(_changed(suite, f"{old.name}: {what}"))


def require_problem(suite: Suite, problem: Problem) -> None:
    """Raise unless a problem is the one that the suite was frozen with.

    Raises:
        SuiteError: as `require_frozen`.
    """
    stated = suite.frozen(problem.name).sha256
    if problem.digest != stated:
        what = f"{problem.name}: sha256 is {problem.digest[:12]}…, was {stated[:12]}…"
        raise SuiteError(_changed(suite, what))


def manifest(suite: Suite) -> str:
    """The manifest of a suite, as text."""
    lines = [
        HEADER.format(name=suite.name),
        f'description = "{suite.description}"\n',
        f'backend = "{suite.backend}"\n',
        f"scorer = {suite.scorer}\n",
    ]
    if suite.commit:
        lines.append("# Freeze commit, from whose hash the problems are drawn (`drawn`).\n")
        lines.append(f'commit = "{suite.commit}"\n')
    lines.append("\n# Of `compare`: how many seeds, from 0 on, each budget of evaluations has.\n")
    lines.append("[seeds]\n")
    lines += [f"{budget} = {count}\n" for budget, count in suite.seeds.items()]
    lines.append('\n# Of the leaderboard, which has the track "mapping" besides.\n[tracks]\n')
    lines += [
        f'"{name}" = {{budget = {track.budget}, seeds = {track.seeds}}}\n'
        for name, track in suite.tracks.items()
    ]
    for entry in suite.problems:
        stated = {"name": entry.name} | ({"uri": entry.uri} if entry.uri else {})
        stated |= asdict(entry.frozen) if entry.frozen else {}
        lines.append("\n[[problems]]\n")
        lines += [f"{key} = {_value(value)}\n" for key, value in stated.items()]
    return "".join(lines)


def _differences(old: Entry, new: Entry) -> Iterator[str]:
    before, after = ({"uri": e.uri} | (asdict(e.frozen) if e.frozen else {}) for e in (old, new))
    for key, value in after.items():
        if before[key] != value:
            yield f"{key} is {value}, was {before[key]}"


def _changed(suite: Suite, what: str) -> str:
    return (
        f"new suite version needed: suite {suite.name} is not what the code computes: {what}. "
        "Undo the change, or freeze a suite of another name and move this one's board to previous/"
    )


def _value(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
