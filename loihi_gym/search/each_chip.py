"""Searching on each chip of a set of hypotheses by itself, and on all for robust mappings."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import get_args

from ..backends import Backend, make_backend
from ..backends.robust import Aggregate, RobustBackend, on_each
from ..benchmarks.references import fastest_heuristic
from ..chip import ChipSpec
from ..chip.hypotheses import Hypotheses
from ..errors import RunError
from ..mapping import Mapping, Problem
from .registry import check_installed, run_solver
from .session import BudgetSpent, Session


def search_each(
    problem: Problem,
    hypotheses: Hypotheses,
    backend: str,
    solver: str,
    budget: int,
    seed: int,
    update: Callable[[str, int, int], None],
) -> dict[str, Mapping]:
    """Mappings found on each chip, ``best on NAME``, and on all, ``robust AGGREGATE``.

    Every search measures `budget` mappings, and only such as all chips can hold. The robust ones
    are compared with the best that were found on each chip: ``robust worst`` is that of the least
    worst regret.

    Args:
        problem: What is mapped.
        hypotheses: The chips, laid over the problem's.
        backend: What measures on each chip.
        solver: What searches.
        budget: Mappings that each search measures.
        seed: Of each search.
        update: Told what is being searched, how many are done, and how many there are.

    Raises:
        LoihiGymError: if there is no such backend or solver.
        IllegalMappingError: if some chip cannot hold the network.
    """
    check_installed(solver)
    whole, *_ = on_each(problem, hypotheses)
    chips = (whole.chip, *whole.alternatives)

    def on_one(chip: ChipSpec) -> Backend:
        own = replace(whole, chip=chip, alternatives=chips)
        return make_backend(backend, own.with_reference(fastest_heuristic(own)))

    found: dict[str, Mapping] = {}
    best_ps: dict[str, int] = {}
    aggregates = get_args(Aggregate)
    total = len(chips) + len(aggregates)
    for name, chip in zip(hypotheses.names, chips, strict=True):
        update(f"best on {name}", len(found), total)
        found[f"best on {name}"], best_ps[name] = _searched(solver, on_one(chip), budget, seed)
    for aggregate in aggregates:
        update(f"robust {aggregate}", len(found), total)
        on_all = RobustBackend(
            problem,
            hypotheses=hypotheses,
            aggregate=aggregate,
            measure_by=backend,
            relative_to=best_ps,
        )
        found[f"robust {aggregate}"] = _searched(solver, on_all, budget, seed)[0]
    return found


def _searched(solver: str, backend: Backend, budget: int, seed: int) -> tuple[Mapping, int]:
    """The best mapping that a search finds, and its latency."""
    with suppress(BudgetSpent), Session(backend, budget, seed) as session:
        run_solver(solver, session, {})
    if session.best is None or session.best_mapping is None:
        raise RunError(f"solver {solver!r} ended without an evaluation")
    return session.best_mapping, session.best.latency_ps
