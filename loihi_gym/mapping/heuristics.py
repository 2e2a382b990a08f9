"""The standard heuristics: seven partitionings, each with five core orders.

``lava-default`` with ``row-major`` is what Intel's toolchain would do as far as is public; the
others are what an engineer would try next. Search has to beat the best of them.
"""

from collections.abc import Callable
from functools import partial
from heapq import heapify, heappop, heappush

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import Topology
from ..errors import IllegalMappingError, unknown
from .mapping import Mapping
from .orders import ORDERS
from .problem import Problem

Counts = Int32Array

MANY = 64
"""Cores to give for each layer beyond which `balanced` does not give all of them one by one."""
HELD_BACK = 4
"""Cores for each layer that it still gives one by one."""


def lava_default(problem: Problem) -> Counts:
    """One core per layer; the cores of a layer that does not fit are halved until it does.

    Source: facts of Lava's compiler logs; core counts are powers of two, capped by the width.
    """
    return _until_it_fits(problem, lambda k: 2 * k)


def packed(problem: Problem) -> Counts:
    """The fewest cores that respect every capacity."""
    return _until_it_fits(problem, lambda k: k + 1)


def balanced(problem: Problem, percent: int = 100) -> Counts:
    """So many of the cores: each further core goes to the layer whose cores work longest.

    More cores share the work but multiply messages, so that fewer than all are often faster.

    A core's work is the longer of its sending side (updates and messages) and its receiving side.
    Where there are more than `MANY` cores for each layer to give, most of them are first given in
    proportion to the layers' work.
    """
    counts, widths = packed(problem), problem.network.widths
    n_cores = problem.topology.n_cores * percent // 100
    if n_cores - int(counts.sum()) > MANY * problem.n_layers:
        counts = _in_proportion(problem, counts, n_cores)
    work = [_work(problem, layer, counts) for layer in range(problem.n_layers)]
    busiest = [(-ps, layer) for layer, ps in enumerate(work) if counts[layer] < widths[layer]]
    heapify(busiest)
    spare = n_cores - int(counts.sum())
    while spare > 0 and busiest:
        ps, layer = heappop(busiest)
        if -ps != work[layer] or counts[layer] == widths[layer]:
            continue  # its work has changed since
        counts[layer] += 1
        spare -= 1
        for changed in (layer - 1, layer):  # a cut of one layer is more messages for the one before
            if changed >= 0:
                work[changed] = _work(problem, changed, counts)
                heappush(busiest, (-work[changed], changed))
    if not _fits(problem, counts):  # more pieces after a layer take more of its output axons
        return packed(problem)
    return counts


def _in_proportion(problem: Problem, fewest: Counts, n_cores: int) -> Counts:
    """Counts in proportion to each layer's work, a few cores per layer held back."""
    counts = fewest
    cores = n_cores - HELD_BACK * problem.n_layers
    for _ in range(3):  # what a layer sends depends on the counts themselves
        layers = range(problem.n_layers)
        work = np.array([_work(problem, layer, counts) * int(counts[layer]) for layer in layers])
        shares = work * cores // max(int(work.sum()), 1)
        counts = np.clip(shares, fewest, problem.network.widths).astype(np.int32)
        if counts.sum() > n_cores:  # some layers need more than their share
            return fewest
    return counts


PARTITIONINGS: dict[str, Callable[[Problem], Counts]] = {
    "lava-default": lava_default,
    "packed": packed,
    "balanced": balanced,
    **{f"balanced-{percent}": partial(balanced, percent=percent) for percent in (90, 80, 70, 60)},
}
"""The standard partitionings by name."""


def heuristic_names() -> list[str]:
    """Names of the standard heuristics, ``partitioning/order``: each pair is one."""
    return [f"{partitioning}/{order}" for partitioning in PARTITIONINGS for order in ORDERS]


def heuristic(problem: Problem, name: str) -> Mapping:
    """The mapping of a standard heuristic.

    Raises:
        UnknownNameError: if no heuristic has that name.
        IllegalMappingError: if the network does not fit on the chip that way.
    """
    if name not in heuristic_names():
        raise unknown("heuristic", name, heuristic_names())
    partitioning, order = name.split("/")
    return in_order(problem, PARTITIONINGS[partitioning](problem), ORDERS[order](problem.topology))


def in_order(problem: Problem, counts: Counts, order: Int64Array) -> Mapping:
    """The mapping that takes cores in an order that goes chip by chip."""
    return Mapping(counts, order[core_positions(counts, problem.topology)])


def core_positions(counts: Counts, mesh: Topology) -> Int64Array:
    """Positions of all logical cores in an order that goes chip by chip.

    A layer that fits on one chip but would begin on one and end on the next begins on the next,
    as long as enough cores are left for the layers after it.
    """
    per_chip = mesh.n_cores // mesh.n_chips
    spare, start, positions = mesh.n_cores - int(counts.sum()), 0, []
    for count in counts.tolist():
        rest = -start % per_chip  # cores left on a chip that was begun
        if rest < count <= per_chip and rest <= spare:
            start, spare = start + rest, spare - rest
        positions.append(np.arange(start, start + count))
        start += count
    return np.concatenate(positions)


def random_mapping(problem: Problem, rng: np.random.Generator) -> Mapping:
    """Random legal core counts at random places.

    The counts start at the fewest that fit; of the cores left over, a random number goes to random
    layers.
    """
    counts, places = packed(problem), problem.topology.n_cores
    spare = int(rng.integers(0, places - int(counts.sum()) + 1))
    weights = rng.dirichlet(np.ones(problem.n_layers))
    grown = np.minimum(counts + rng.multinomial(spare, weights), problem.network.widths)
    counts = grown.astype(np.int32) if _fits(problem, grown) else counts
    return Mapping(counts, rng.permutation(places)[: counts.sum()])


def _until_it_fits(problem: Problem, grow: Callable[[int], int]) -> Counts:
    """Grow every layer that violates a capacity until none does, or the cores run out."""
    widths, places = problem.network.widths, problem.topology.n_cores
    counts = np.ones(problem.n_layers, np.int32)
    fewest = [fewest_cores(problem, layer) for layer in range(problem.n_layers)]
    growing = True
    while growing:
        growing = False
        # Backwards, since how a layer is cut decides the output axons of the one before it.
        for layer in reversed(range(problem.n_layers)):
            while counts[layer] < widths[layer] and (
                counts[layer] < fewest[layer] or not problem.fits(layer, counts)
            ):
                counts[layer] = min(grow(int(counts[layer])), widths[layer])
                growing = True
            if counts.sum() > places:
                raise IllegalMappingError(
                    f"{problem.name} does not fit on {problem.chip.name}: it needs more than "
                    f"{places} cores; use a larger chip"
                )
    if not _fits(problem, counts):
        raise IllegalMappingError(f"{problem.name}: a single neuron exceeds a core's capacity")
    return counts


def fewest_cores(problem: Problem, layer: int) -> int:
    """A count below which a layer cannot fit: all pieces on average, or the first, are too large.

    To count the axons of all pieces takes long in a layer of millions of synapses.
    """
    capacity, width = problem.chip.capacity, problem.network.widths[layer]
    bits = int(problem.pieces.synapses(layer, 1)[0]) * capacity.synapse_bits
    by_neurons = -(-width // max(capacity.neurons, 1))
    fewest = max(by_neurons, -(-bits // max(64 * capacity.synmem_words, 1)))
    while fewest < width and problem.pieces.first_words(layer, fewest) > capacity.synmem_words:
        fewest += 1
    return fewest


def _fits(problem: Problem, counts: Counts) -> bool:
    return all(problem.fits(layer, counts) for layer in range(problem.n_layers))


def _work(problem: Problem, layer: int, counts: Counts) -> int:
    """Time of a layer's busiest core over the recorded steps, in ps."""
    return int(problem.loads.work_ps(layer, counts).max())
