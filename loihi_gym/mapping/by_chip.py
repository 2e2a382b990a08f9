"""`by_chip`: counts and chip borders for several chips, built from what is known of the times.

For a step time x the fewest cores of each layer follow: so many that none works longer than x.
The layers are then laid along the chips, each whole layer on one chip where it fits, with borders
where few messages cross, so that no border is busy for longer than x. The least such x is found by
bisection. So, unlike `balanced`, layers that no core waits for stay small and send few messages.
"""

from itertools import accumulate
from weakref import WeakKeyDictionary

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import Topology
from ..errors import DoesNotFitError
from .workload import Workload

FINE = 256
"""The bisection ends where the step time is known to 1 part in so many."""

_LEAST: WeakKeyDictionary[Workload, int] = WeakKeyDictionary()


def by_chip(problem: Workload, fewest: Int32Array, percent: int = 100) -> Int32Array:
    """Cores per layer for a step time that cores and borders allow.

    Args:
        problem: What is to be cut.
        fewest: The counts of `packed`; no layer has fewer.
        percent: The step time, in parts of the least. More time means fewer cores and messages:
            messages that wait for each other, which the least does not reckon with.

    Raises:
        DoesNotFitError: if the system is one chip, or the layers do not fit on the chips.
    """
    mesh = problem.topology
    if mesh.n_chips == 1:
        raise DoesNotFitError(f"{problem.chip.name} is one chip; by-chip is for several")
    most = np.minimum(problem.network.widths, np.maximum(mesh.n_cores // mesh.n_chips, fewest))
    if problem not in _LEAST:
        _LEAST[problem] = _least_ps(problem, fewest, most)
    counts = problem.work.within(fewest, most, _LEAST[problem] * percent // 100)
    if counts is None or not all(problem.fits(layer, counts) for layer in range(len(counts))):
        raise _refusal(problem)
    return counts


def _least_ps(problem: Workload, fewest: Int32Array, most: Int32Array) -> int:
    """The least step time for which cores and borders are enough, in ps over all steps."""
    slowest = problem.work.survey(fewest).work_ps.max() + _crossing_ps(problem, fewest).max()
    low, high = 0, int(slowest)
    if not _allows(problem, fewest, most, high):
        raise _refusal(problem)
    while high - low > high // FINE:
        middle = (low + high) // 2
        low, high = (low, middle) if _allows(problem, fewest, most, middle) else (middle, high)
    return high


def _allows(problem: Workload, fewest: Int32Array, most: Int32Array, limit_ps: int) -> bool:
    """Whether a step time leaves counts that fit on the chips, no border busy for longer."""
    counts = problem.work.within(fewest, most, limit_ps)
    if counts is None:
        return False
    quiet = _crossing_ps(problem, counts) <= limit_ps
    return lay_out(counts.tolist(), quiet.tolist(), problem.topology) is not None


def quiet_positions(problem: Workload, counts: Int32Array) -> Int64Array:
    """Positions of all logical cores in an order that goes chip by chip, with the quietest borders.

    The busiest border carries as little as it can; of such borders the fewest are taken.

    Raises:
        DoesNotFitError: if the layers do not fit on the chips.
    """
    crossing_ps = _crossing_ps(problem, counts)
    limits = np.unique(crossing_ps)
    low, high, first = 0, len(limits) - 1, None
    while low <= high:
        middle = (low + high) // 2
        quiet = crossing_ps <= limits[middle]
        found = lay_out(counts.tolist(), quiet.tolist(), problem.topology)
        if found is None:
            low = middle + 1
        else:
            first, high = found, middle - 1
    if first is None:
        raise _refusal(problem)
    return np.concatenate(
        [np.arange(start, start + k) for start, k in zip(first, counts.tolist(), strict=True)]
    )


def _crossing_ps(problem: Workload, counts: Int32Array) -> Int64Array:
    """Time that a border after each layer is busy with its messages over all steps, (L,).

    They go over one link for each row or column of routers.
    """
    mesh, costs = problem.topology, problem.chip.costs
    links = min(mesh.chip_width, mesh.chip_height) * max(problem.chip.network.fabrics, 1)
    words = np.array(problem.loads.words, np.int64)
    messages = problem.work.survey(counts).messages.sum(axis=1)
    crossing: Int64Array = messages * words * costs.chip_link_ps // links
    return crossing


def _refusal(problem: Workload) -> DoesNotFitError:
    chip = problem.chip
    return DoesNotFitError(
        f"{problem.name} does not fit on {chip.name} with by-chip, which keeps layers on one chip"
    )


def lay_out(counts: list[int], quiet: list[bool], mesh: Topology) -> list[int] | None:
    """Position of each layer's first core, over the fewest chips; None if those are too few.

    A layer that does not fit on one chip begins and ends on chips of its own.

    Args:
        counts: Cores per layer.
        quiet: Whether a border may be after each layer; after the last one it may always be.
        mesh: The system.
    """
    per_chip, ends = mesh.n_cores // mesh.n_chips, [0, *accumulate(counts)]
    chips: list[int | None] = [0, *[None] * len(counts)]  # fewest for the first layers
    since = [0] * (len(counts) + 1)  # layer that the last of these chips begins with
    for layer, count in enumerate(counts):
        if layer + 1 < len(counts) and not quiet[layer]:
            continue
        if count > per_chip:
            whole = chips[layer]
            if whole is not None:
                chips[layer + 1], since[layer + 1] = whole - (-count // per_chip), layer
            continue
        for begin in range(layer, -1, -1):
            if ends[layer + 1] - ends[begin] > per_chip:
                break
            before, best = chips[begin], chips[layer + 1]
            if before is not None and (best is None or before + 1 < best):
                chips[layer + 1], since[layer + 1] = before + 1, begin
    if chips[-1] is None or chips[-1] > mesh.n_chips:
        return None
    return _firsts(counts, chips, since, per_chip)


def _firsts(
    counts: list[int], chips: list[int | None], since: list[int], per_chip: int
) -> list[int]:
    """Position of each layer's first core, from the last chip back."""
    first, end = [0] * len(counts), len(counts)
    while end > 0:
        begin = since[end]
        position = (chips[begin] or 0) * per_chip
        for layer in range(begin, end):
            first[layer] = position
            position += counts[layer]
        end = begin
    return first
