"""Searching on each chip of a set of hypotheses by itself, and on all for robust mappings."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import get_args

from ..backends import Backend, make_backend
from ..backends.robust import Aggregate, RobustBackend, on_each
from ..benchmarks.custom import fastest_heuristic
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

    Every search measures `budget` mappings, and only such as all chips can hold.

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
        return make_backend(backend, replace(own, reference=fastest_heuristic(own)))

    def on_all(aggregate: Aggregate) -> Backend:
        return RobustBackend(
            problem, hypotheses=hypotheses, aggregate=aggregate, measure_by=backend
        )

    searches: dict[str, Callable[[], Backend]] = {
        f"best on {name}": partial(on_one, chip)
        for name, chip in zip(hypotheses.names, chips, strict=True)
    }
    searches |= {f"robust {one}": partial(on_all, one) for one in get_args(Aggregate)}
    found: dict[str, Mapping] = {}
    for number, (name, make) in enumerate(searches.items()):
        update(name, number, len(searches))
        with suppress(BudgetSpent), Session(make(), budget, seed) as session:
            run_solver(solver, session, {})
        if session.best_mapping is None:
            raise RunError(f"solver {solver!r} ended without an evaluation")
        found[name] = session.best_mapping
    return found
