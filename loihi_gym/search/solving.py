"""`solve`: a search in one call, for programs and notebooks."""

from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from ..arrays import IntArray
from ..benchmarks import make_problem
from ..errors import RunError
from ..mapping import Problem
from ..network import SparseMLP
from ..progress_bar import Rate, Update, progress_bar
from ..wording import against_reference
from .config import Config
from .run import Outcome, search
from .session import Session

Solvable = str | PathLike[str] | Problem | tuple[SparseMLP, IntArray]
"""What can be solved: a name, a generator's address, a problem file, a problem, or a network with
its input samples as `make_problem` takes them."""


def solve(
    problem: Solvable,
    budget: int = 1000,
    solver: str = "map",
    *,
    seed: int = 0,
    backend: str = "mesh",
    seconds: float | None = None,
    chips: str | None = None,
    aggregate: str = "geometric",
    count_unique: bool = False,
    out: str | PathLike[str] | None = None,
    progress: bool = True,
    **options: Any,
) -> Outcome:
    """Search for a fast mapping, and return the best one with its measurement.

    Args:
        problem: A benchmark's name, a generator's address, a problem file's path, a `Problem`, or
            ``(network, inputs)`` as `make_problem` takes them, for its default chip and steps.
        budget: Evaluations to spend, one for each mapping that is measured.
        solver: Name of the solver; ``loihi-gym solvers`` lists them with their options.
        seed: Seed of the solver's chance: the same call returns the same mapping.
        backend: What measures: a backend's name, or a server's address.
        seconds: Wall time after which the search ends, too; None for no such limit.
        chips: Set of hypotheses to measure each mapping on, an evaluation for each; None for the
            problem's chip alone.
        aggregate: With `chips`: ``geometric`` mean or ``worst`` of the latencies.
        count_unique: Whether a mapping asked for again is free.
        out: New directory that keeps the run as ``loihi-gym solve --out`` does; None writes
            nothing. A problem that is no name or file is saved beside it, as ``OUT-problem.npz``.
        progress: Whether to show a bar, on a terminal or in a notebook.
        **options: The solver's own options.

    Returns:
        The outcome: `mapping`, its measurement `best`, that of the `reference` (latencies in ps),
        and `reduction`, the part of the reference's latency that the mapping takes off.

    Raises:
        LoihiGymError: if anything asked for does not exist, does not fit, or cannot be written.

    Example:
        >>> solve("mlp-xs", budget=60, solver="ga", progress=False)
        Outcome(ga on mlp-xs: latency 10.4% below the reference after 60 evaluations)
    """
    given, name = _given(problem)
    settings = (budget, seed, backend, options, seconds, count_unique, chips, aggregate)
    config = Config(solver, name, *settings)
    folder = None if out is None else Path(out)
    with progress_bar("evaluations", shown=progress) as update:
        return search(config, folder, teller(update), given)


def teller(update: Update) -> Callable[[Session], None]:
    """What tells `update` how a search stands."""
    rate = Rate()

    def on_progress(now: Session) -> None:
        assert now.best is not None
        best, reference = now.best.latency_ps, now.reference.latency_ps
        note = f"best {best * 1e-6:,.3f} us, {against_reference(best, reference)}"
        update(rate.words(now.evaluations) + note, now.evaluations, now.budget)

    return on_progress


def _given(problem: Solvable) -> tuple[Problem | None, str]:
    """The problem, None if it is to be loaded, and the name that a search gives it."""
    match problem:
        case str() | PathLike():
            return None, fspath(problem)
        case Problem():
            return problem, problem.name
        case (SparseMLP() as network, inputs):
            made = make_problem(network, inputs)
            return made, made.name
    raise RunError(
        f"cannot solve a {type(problem).__name__}: give a benchmark's name, a problem file, a "
        "Problem, or (network, inputs)"
    )
