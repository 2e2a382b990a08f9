"""The fewest cores that a network can be cut into, and why it does not fit where there are none.

What a layer takes depends on its own count, but for its output axons, which the next layer's count
decides, too. So counts are grown from the last layer to the first. Where that fails, since another
count of some layer would leave the layer before it fewer output axons, all counts are tried, by
dynamic programming along the layers.
"""

from collections.abc import Callable

import numpy as np

from ..arrays import Int32Array
from ..errors import IllegalMappingError
from .workload import Workload


def grown(problem: Workload, grow: Callable[[int], int]) -> Int32Array | None:
    """Counts grown from 1 until each layer fits, the last layer first; None if that fails."""
    widths, places = problem.network.widths, problem.topology.n_cores
    counts = np.ones(problem.n_layers, np.int32)
    for layer in reversed(range(problem.n_layers)):
        fewest = fewest_cores(problem, layer)
        while counts[layer] < fewest or not problem.fits(layer, counts):
            if counts[layer] >= widths[layer] or counts.sum() > places:
                return None
            counts[layer] = min(grow(int(counts[layer])), widths[layer])
    return counts if counts.sum() <= places else None


def packed(problem: Workload) -> Int32Array:
    """The fewest cores for the last layer, then for the one before it, and so on.

    If those are no legal partitioning, the legal one with the fewest cores.

    Raises:
        IllegalMappingError: if no partitioning is legal; names layer, resource, need and limit.
    """
    counts = grown(problem, lambda k: k + 1)
    if counts is not None:
        return counts
    least = [_least(problem, layer) for layer in range(problem.n_layers)]
    spare = problem.topology.n_cores - sum(least)
    if spare < 0:
        layer = int(np.argmax(least))
        why = (
            f"it needs {sum(least):,} cores or more and the chip has {problem.topology.n_cores:,}; "
            f"most for layer {layer}, {least[layer]:,}"
        )
        raise _refusal(problem, why, layer, least[layer] - 1)
    reach, found = 1, _search(problem, least, min(1, spare))
    while isinstance(found, int) and reach < spare:  # a near solution is the rule; axons take long
        reach *= 4
        found = _search(problem, least, min(reach, spare))
    if not isinstance(found, int):
        return found
    most = min(least[found] + spare, problem.network.widths[found])
    why = f"the output axons of layer {found} are too many however layers are cut"
    raise _refusal(problem, why, found, most, least[found + 1])


def fewest_cores(problem: Workload, layer: int) -> int:
    """A count below which a layer cannot fit, since its pieces are too large on average.

    Frozen lower bounds follow from it: a tighter count would move them.
    """
    capacity, width = problem.chip.capacity, problem.network.widths[layer]
    bits = int(problem.pieces.synapses(layer, 1)[0]) * problem.pieces.synapse_bits(layer)
    by_neurons = -(-width // max(capacity.neurons, 1))
    return max(by_neurons, -(-bits // max(64 * capacity.synmem_words, 1)))


def _least(problem: Workload, layer: int) -> int:
    """Fewest cores of a layer whose output axons do not count."""
    most = min(problem.network.widths[layer], problem.topology.n_cores)
    for k in range(fewest_cores(problem, layer), most + 1):
        if problem.holds(layer, k, 0):
            return k
    raise _refusal(problem, f"layer {layer} is too large", layer, most)


def _search(problem: Workload, least: list[int], reach: int) -> Int32Array | int:
    """The legal counts with the fewest cores, each at most `reach` above the least of its layer.

    Returns:
        The counts, or the layer whose output axons are too many with every count.
    """
    places = problem.topology.n_cores
    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}  # last count -> (sum, last first)
    for layer, (fewest, width) in enumerate(zip(least, problem.network.widths, strict=True)):
        room = places - sum(least[layer + 1 :])
        reached = {}
        for k in range(fewest, min(fewest + reach, width) + 1):
            if not problem.holds(layer, k, 0):
                continue
            ways = [
                (total + k, (k, *counts))
                for previous, (total, counts) in best.items()
                if total + k <= room and (layer == 0 or problem.holds(layer - 1, previous, k))
            ]
            if ways:
                reached[k] = min(ways)
        if not reached:
            return layer - 1
        best = reached
    _, counts = min(best.values(), key=lambda way: (way[0], way[1][1:]))
    return np.array(counts[::-1], np.int32)


def _excess(problem: Workload, layer: int, k: int, fan_out: int = 0) -> list[str]:
    """What each resource that `k` pieces of a layer exceed takes of the fullest core."""
    return [
        f"{int(values.max()):,} {name}, the limit is {limit:,}"
        for name, limit, values in problem.usage(layer, k, fan_out)
        if (values > limit).any()
    ]


def _refusal(
    problem: Workload, why: str, layer: int, k: int, fan_out: int = 0
) -> IllegalMappingError:
    """The error that says why, and by how much `k` pieces of a layer are too few."""
    excess = _excess(problem, layer, k, fan_out) if k else []
    detail = f" (cut into {k:,}, a core has {excess[0]})" if excess else ""
    return IllegalMappingError(
        f"{problem.name} does not fit on {problem.chip.name}: {why}{detail}; use a larger chip or "
        "a smaller network"
    )
