"""The standard heuristics: seven partitionings, each with five core orders.

``lava-default`` with ``row-major`` is what Intel's toolchain would do as far as is public; the
others are what an engineer would try next. Search has to beat the best of them.

A network fits on a chip if `packed` does. Of the others, those that do not fit are left out.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from heapq import heapify, heappop, heappush
from weakref import WeakKeyDictionary

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import Topology
from ..errors import IllegalMappingError, unknown
from .fewest import grown, packed
from .mapping import Mapping
from .orders import ORDERS
from .workload import Workload

TOOLCHAIN = "lava-default/row-major"
"""What Intel's toolchain would do as far as is public."""
MANY = 64
"""With more cores than this to give per layer, `balanced` gives most of them in proportion."""
HELD_BACK = 4
"""Cores per layer that `balanced` then still gives one by one."""


def lava_default(problem: Workload) -> Int32Array:
    """Start with one core per layer. While a layer does not fit, double its cores.

    Source: facts of Lava's compiler logs; core counts are powers of two, capped by the width.
    """
    counts = grown(problem, lambda k: 2 * k)
    if counts is None:
        fewest = int(partition(problem, "packed").sum())
        raise IllegalMappingError(
            f"{problem.name} does not fit on {problem.chip.name} with lava-default, which doubles "
            f"the cores of a layer that is too large; packed fits with {fewest:,} cores"
        )
    return counts


def balanced(problem: Workload, percent: int = 100) -> Int32Array:
    """Start from `packed`; give each further core to the layer whose busiest core works longest.

    A core's work is the longer of its sending side (updates and messages) and its receiving side.

    Args:
        problem: What is to be cut.
        percent: Part of the chip's cores to use. More cores share the work but multiply messages,
            so fewer than all are often faster.

    Returns:
        Cores per layer; those of `packed` if the balanced ones take too many output axons.
    """
    fewest, widths = partition(problem, "packed"), problem.network.widths
    counts = fewest.copy()
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
    # More pieces after a layer take more of its output axons.
    return counts if _fits(problem, counts) else fewest.copy()


def _in_proportion(problem: Workload, fewest: Int32Array, n_cores: int) -> Int32Array:
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


PARTITIONINGS: dict[str, Callable[[Workload], Int32Array]] = {
    "lava-default": lava_default,
    "packed": packed,
    "balanced": balanced,
    **{f"balanced-{percent}": partial(balanced, percent=percent) for percent in (90, 80, 70, 60)},
}
"""The standard partitionings by name."""


def heuristic_names() -> list[str]:
    """Names of the standard heuristics, ``partitioning/order``: each pair is one."""
    return [f"{partitioning}/{order}" for partitioning in PARTITIONINGS for order in ORDERS]


_KEPT: WeakKeyDictionary[Workload, dict[str, Int32Array]] = WeakKeyDictionary()


def partition(problem: Workload, name: str) -> Int32Array:
    """Cores per layer of a standard partitioning, computed once for a problem, read-only.

    Raises:
        IllegalMappingError: if the network does not fit on the chip that way.
    """
    kept = _KEPT.setdefault(problem, {})
    if name not in kept:
        counts = PARTITIONINGS[name](problem)
        counts.flags.writeable = False
        kept[name] = counts
    return kept[name]


def partitions(problem: Workload) -> dict[str, Int32Array]:
    """The standard partitionings that fit, by name, `packed` at least.

    Raises:
        IllegalMappingError: if none fits; names layer, resource, need and limit.
    """
    partition(problem, "packed")  # says why if none fits
    found = {}
    for name in PARTITIONINGS:
        with suppress(IllegalMappingError):
            found[name] = partition(problem, name)
    return found


def fitting(problem: Workload) -> dict[str, Mapping]:
    """The mappings of the standard heuristics that fit, in the order of `heuristic_names`.

    Raises:
        IllegalMappingError: if none fits; names layer, resource, need and limit.
    """
    orders = {name: order(problem.topology) for name, order in ORDERS.items()}
    return {
        f"{partitioning}/{name}": in_order(problem, counts, order)
        for partitioning, counts in partitions(problem).items()
        for name, order in orders.items()
    }


def heuristic(problem: Workload, name: str) -> Mapping:
    """The mapping of a standard heuristic.

    Raises:
        UnknownNameError: if no heuristic has that name.
        IllegalMappingError: if the network does not fit on the chip that way.
    """
    if name not in heuristic_names():
        raise unknown("heuristic", name, heuristic_names())
    partitioning, order = name.split("/")
    return in_order(problem, partition(problem, partitioning), ORDERS[order](problem.topology))


def toolchain_default(problem: Workload) -> Mapping | None:
    """What Intel's toolchain would do as far as is public; None where that does not fit."""
    with suppress(IllegalMappingError):
        return heuristic(problem, TOOLCHAIN)
    return None


def in_order(problem: Workload, counts: Int32Array, order: Int64Array) -> Mapping:
    """A partitioning as a mapping: logical cores take physical ones in `order`, chip by chip."""
    return Mapping(counts, order[core_positions(counts, problem.topology)])


def core_positions(counts: Int32Array, mesh: Topology) -> Int64Array:
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


def random_mapping(problem: Workload, rng: np.random.Generator) -> Mapping:
    """Random legal core counts at random places.

    Counts start at those of `packed`; a random number of the other cores goes to random layers.

    Raises:
        IllegalMappingError: if the network does not fit on the chip.
    """
    counts, places = partition(problem, "packed"), problem.topology.n_cores
    spare = int(rng.integers(0, places - int(counts.sum()) + 1))
    weights = rng.dirichlet(np.ones(problem.n_layers))
    grown = np.minimum(counts + rng.multinomial(spare, weights), problem.network.widths)
    counts = grown.astype(np.int32) if _fits(problem, grown) else counts
    return Mapping(counts, rng.permutation(places)[: counts.sum()])


def _fits(problem: Workload, counts: Int32Array) -> bool:
    return all(problem.fits(layer, counts) for layer in range(problem.n_layers))


def _work(problem: Workload, layer: int, counts: Int32Array) -> int:
    """Time of a layer's busiest core over the recorded steps, in ps."""
    return int(problem.loads.work_ps(layer, counts).max())
