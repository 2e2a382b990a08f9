"""Running a submission's solver again: what makes its evaluation counts more than a claim."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from ..errors import SubmissionError
from ..search.config import Config
from ..search.registry import check_options, is_bundled
from ..search.run import search
from ..search.trace import NAME, read_trace
from .replayer import Replayer, ignored
from .reproduced import write_reproduced
from .submission import (
    ABOUT,
    TRACE,
    Bundled,
    Improvement,
    Submission,
    SubmittedRun,
    read_submission,
)

OnRun = Callable[[str, int, int], None]


def reproduce(path: Path, on_progress: OnRun = ignored) -> None:
    """Run the bundled solver for every problem and seed, and write `reproduced.toml` if all agree.

    Args:
        path: A submission's directory.
        on_progress: Called with (run, runs done, all runs) before each run and at the end.

    Raises:
        SubmissionError: if it is not one of a bundled solver, or a trace differs; names the run
            and the first evaluation that does.
    """
    submission = read_submission(path)
    solver = _solver(submission)
    replayer = Replayer(submission.suite)
    for name in submission.suite.names:
        replayer.problem(name)  # that the problems are the suite's, before anything is run
    track = submission.suite.tracks[submission.about.track]
    for number, (run, stated) in enumerate(submission.traces.items()):
        on_progress(str(run), number, len(submission.traces))
        came_out = _rerun(solver, run, track.budget, submission.suite.backend)
        _require_equal(run, stated, came_out)
    on_progress("", len(submission.traces), len(submission.traces))
    write_reproduced(path)


def _solver(submission: Submission) -> Bundled:
    solver = submission.about.bundled
    if solver is None:
        raise SubmissionError(
            f"{ABOUT}: has no [bundled] solver; only those of this package can be reproduced"
        )
    if not is_bundled(solver.solver):
        raise SubmissionError(f"{ABOUT}: solver {solver.solver!r} is not one of this package")
    check_options(solver.solver, solver.options)
    return solver


def _rerun(
    solver: Bundled, run: SubmittedRun, budget: int, backend: str
) -> tuple[Improvement, ...]:
    assert run.seed is not None
    config = Config(solver.solver, run.problem, budget, run.seed, backend, dict(solver.options))
    with tempfile.TemporaryDirectory(prefix="loihi-gym-") as folder:
        search(config, Path(folder))
        lines = read_trace(Path(folder) / NAME)
    return tuple(Improvement(line.index, line.mapping) for line in lines if line.mapping)


def _require_equal(
    run: SubmittedRun, stated: tuple[Improvement, ...], found: tuple[Improvement, ...]
) -> None:
    for one, other in zip(stated, found, strict=False):
        if one != other:
            raise SubmissionError(
                f"{TRACE}: {run}: not reproduced: evaluation {one.evaluation} is stated where the "
                f"solver improved at evaluation {other.evaluation}"
                + (" with another mapping" if one.evaluation == other.evaluation else "")
            )
    if len(stated) != len(found):
        raise SubmissionError(
            f"{TRACE}: {run}: not reproduced: {len(stated)} improvements are stated, the solver "
            f"found {len(found)}"
        )
