"""Freezing a suite: computing what its manifest states, and telling what has changed since."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from ..backends import make_backend
from ..backends.robust import RobustBackend
from ..bounds import lower_bound
from ..errors import SuiteError
from ..mapping import Problem
from ..mapping.heuristics import FIRST_RELEASE, PARTITIONINGS
from .bundled import problem_of
from .references import fastest_heuristic
from .suite import SCORER, Entry, Frozen, Suite

MANIFEST = """\
# What `loihi-gym compare {suite.name}` runs and the leaderboard scores. Written by
# `loihi-gym leaderboard freeze {suite.name}`: a test holds every number against the code, and a
# change of any of them needs a new version of the suite.
description = "{suite.description}"
backend = "{suite.backend}"
scorer = {suite.scorer}
{chips}{commit}{hypotheses}
# Of `compare`: how many seeds, from 0 on, each budget of evaluations has.
[seeds]
{seeds}
# Of the leaderboard, which has the track "mapping" besides.
[tracks]
{tracks}"""
CHIPS = """\
# Release of the chip files that the problems' addresses name.
chips = "{suite.chips}"
"""
COMMIT = """\
# Freeze commit, from whose hash the problems are drawn.
commit = "{suite.commit}"
"""
HYPOTHESES = """\
# Plausible chips that each mapping is measured on, laid over a problem's own.
hypotheses = "{suite.hypotheses}"
"""


def freeze(suite: Suite) -> Suite:
    """The suite with references chosen and all that is measured computed again."""
    frozen = []
    for entry in suite.problems:
        problem = with_best_reference(entry)
        bound_ps = lower_bound(problem).latency_ps
        frozen.append(replace(entry, frozen=measure(problem, suite.hypotheses, bound_ps)))
    return replace(suite, problems=tuple(frozen), scorer=SCORER)


def with_best_reference(entry: Entry) -> Problem:
    """A suite's problem with the fastest standard heuristic; a bundled one has it already."""
    problem = problem_of(entry)
    if not entry.uri:
        return problem
    # Of a suite of the first release the reference is one of that release's heuristics.
    among = FIRST_RELEASE if entry.chips else PARTITIONINGS
    return problem.with_reference(fastest_heuristic(problem, among))


def measure(problem: Problem, hypotheses: str, bound_ps: int) -> Frozen:
    """What a manifest states of a problem.

    Args:
        problem: The problem with its reference.
        hypotheses: Set of plausible chips that it is measured on; empty for its own alone. The
            reference's latency and energy are then those on the first of them, as a robust
            measurement has it, and the digest is of all chips.
        bound_ps: Its proven lower bound.
    """
    if hypotheses:
        problem = RobustBackend(problem, hypotheses=hypotheses).problem
    alone = replace(problem, alternatives=())
    measured = make_backend("mesh", alone).evaluate(problem.reference_mapping)
    return Frozen(
        sha256=problem.digest,
        chip=problem.chip.name,
        reference=problem.reference,
        reference_latency_ps=measured.latency_ps,
        reference_energy_fj=measured.energy_fj or 0,
        lower_bound_ps=bound_ps,
    )


def require_problem(suite: Suite, problem: Problem) -> None:
    """Raise unless a problem is the one that the suite was frozen with.

    Raises:
        SuiteError: names the problem, and what to do.
    """
    stated = suite.frozen(problem.name).sha256
    if problem.digest != stated:
        raise SuiteError(
            f"new suite version needed: suite {suite.name} is not what the code computes: "
            f"{problem.name}: sha256 is {problem.digest[:12]}…, was {stated[:12]}…. Undo the "
            "change, or freeze a suite of another name and move this one's board to previous/"
        )


def manifest(suite: Suite) -> str:
    """The manifest of a suite, as text."""
    tracks = {
        f'"{name}"': f"{{budget = {track.budget}, seeds = {track.seeds}}}"
        for name, track in suite.tracks.items()
    }
    text = MANIFEST.format(
        suite=suite,
        chips=CHIPS.format(suite=suite) if suite.chips else "",
        commit=COMMIT.format(suite=suite) if suite.commit else "",
        hypotheses=HYPOTHESES.format(suite=suite) if suite.hypotheses else "",
        seeds=_lines(suite.seeds),
        tracks=_lines(tracks),
    )
    for entry in suite.problems:
        stated = {"name": entry.name} | ({"uri": entry.uri} if entry.uri else {})
        stated |= asdict(entry.frozen) if entry.frozen else {}
        quoted = {key: n if isinstance(n, int) else f'"{n}"' for key, n in stated.items()}
        text += f"\n[[problems]]\n{_lines(quoted)}"
    return text


def _lines(table: Mapping[Any, object]) -> str:
    return "".join(f"{key} = {value}\n" for key, value in table.items())
