"""Boards for the page: real searches, replayed and ranked as `loihi-gym leaderboard build` does."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from loihi_gym.benchmarks.suite import MAPPING, Suite, Track, load_suite
from loihi_gym.leaderboard.ranking import results
from loihi_gym.leaderboard.replayer import Replayer
from loihi_gym.leaderboard.submission import About, Improvement, Submission, SubmittedRun, runs_of
from loihi_gym.search.run import Config, search
from loihi_gym.search.trace import NAME, read_trace

SEARCH = "solver@tiny"
Traces = dict[SubmittedRun, tuple[Improvement, ...]]


def small_suite(names: list[str], budget: int, seeds: int) -> Suite:
    """Some problems of the first suite, with a solver track that is quickly run."""
    suite = load_suite("sparse-mlp-v1")
    problems = tuple(suite.entry(name) for name in names)
    return replace(suite, problems=problems, tracks={SEARCH: Track(budget, seeds)})


def board(suite: Suite, solvers: list[str]) -> dict[str, Any]:
    """Results with a row of each solver on both tracks, of the same runs."""
    replayer, played = Replayer(suite), []
    for solver in solvers:
        traces = {run: _trace(solver, run, suite) for run in runs_of(suite, SEARCH)}
        last = {run: steps[-1].mapping for run, steps in traces.items()}
        best = {SubmittedRun(run.problem): last[run] for run in last if run.seed == 0}
        played.append(replayer.replay(_submission(suite, solver, MAPPING, best, {})))
        played.append(replayer.replay(_submission(suite, solver, SEARCH, last, traces)))
    return results(replayer, played, Path("leaderboard"))


def _trace(solver: str, run: SubmittedRun, suite: Suite) -> tuple[Improvement, ...]:
    assert run.seed is not None
    with TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        search(Config(solver, run.problem, suite.tracks[SEARCH].budget, run.seed), out)
        return tuple(
            Improvement(line.index, line.mapping)
            for line in read_trace(out / NAME)
            if line.mapping is not None
        )


def _submission(
    suite: Suite, solver: str, track: str, mappings: dict[SubmittedRun, Any], traces: Traces
) -> Submission:
    about = About(
        suite=suite.name,
        track=track,
        name=solver,
        authors=("The loihi_gym developers",),
        solver=solver,
        code_url="https://example.org/loihi_gym",
        code_commit="",
        licence="CC0-1.0",
    )
    folder = f"2026-11-25-{solver}"
    return Submission(
        folder=folder,
        day="2026-11-25",
        files=(),
        about=about,
        suite=suite,
        mappings=mappings,
        traces=traces,
    )
