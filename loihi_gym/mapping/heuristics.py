"""The standard heuristics: partitionings, each with five core orders.

``lava-default`` with ``row-major`` is what Intel's toolchain would do as far as is public; the
others are what an engineer would try next. Search has to beat the best of them.

- ``packed``: the fewest cores; ``balanced``: all of them; ``balanced-90`` to ``-60``: so many
  percent, each further core to the layer that works longest.
- ``sweep-1`` to ``sweep-39``: balanced over numbers of cores that grow by the same factor each,
  from those of ``packed`` (which would be 0) to all (which would be 40).
- ``by-chip`` and ``by-chip-110`` to ``-200``, on several chips only: see `by_chip`.

A network fits on a chip if `packed` does. Of the others, those that do not fit are left out.
"""

from bisect import bisect_right
from collections.abc import Callable, Container
from contextlib import suppress
from functools import lru_cache, partial
from weakref import WeakKeyDictionary

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import Topology
from ..errors import DoesNotFitError, IllegalMappingError, unknown
from .by_chip import by_chip, quiet_positions
from .fewest import grown, packed
from .mapping import Mapping
from .orders import ORDERS
from .workload import Workload

MANY = 64
"""With more cores than this to give per layer, `balanced` gives most of them in proportion."""
HELD_BACK = 4
"""Cores per layer that `balanced` then still gives one by one."""
SWEEP = 40
"""Steps from the fewest cores to all, by the same factor each."""
SLOWER = (110, 125, 150, 200)
"""Step times of `by-chip` besides the least, in percent of it."""


def lava_default(problem: Workload) -> Int32Array:
    """Start with one core per layer. While a layer does not fit, double its cores.

    Source: facts of Lava's compiler logs; core counts are powers of two, capped by the width.
    """
    counts = grown(problem, lambda k: 2 * k)
    if counts is None:
        fewest = int(partition(problem, "packed").sum())
        raise DoesNotFitError(
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
    return balanced_over(problem, problem.topology.n_cores * percent // 100)


def balanced_over(problem: Workload, n_cores: int) -> Int32Array:
    """The counts of `balanced` with so many cores, those of `packed` at least."""
    fewest = partition(problem, "packed")
    spare = problem.topology.n_cores - int(fewest.sum())
    counts, ahead = fewest, min(spare, MANY * problem.n_layers)  # other sizes will be asked for
    if n_cores - int(counts.sum()) > MANY * problem.n_layers:
        counts, ahead = _in_proportion(problem, counts, n_cores), 0
    layers = problem.work.given(counts, max(n_cores - int(counts.sum()), 0), ahead)
    counts = counts + np.bincount(layers, minlength=problem.n_layers).astype(np.int32)
    # More pieces after a layer take more of its output axons.
    return counts if _fits(problem, counts) else fewest.copy()


def _in_proportion(problem: Workload, fewest: Int32Array, n_cores: int) -> Int32Array:
    """Counts in proportion to each layer's work, a few cores per layer held back."""
    counts = fewest
    cores = n_cores - HELD_BACK * problem.n_layers
    for _ in range(3):  # what a layer sends depends on the counts themselves
        work = problem.work.survey(counts).work_ps * counts
        shares = work * cores // max(int(work.sum()), 1)
        counts = np.clip(shares, fewest, problem.network.widths).astype(np.int32)
        if counts.sum() > n_cores:  # some layers need more than their share
            return fewest
    return counts


def sweep(problem: Workload, number: int) -> Int32Array:
    """The counts of `balanced` with ``fewest * (all / fewest) ** (number / SWEEP)`` cores."""
    fewest, n_cores = int(partition(problem, "packed").sum()), problem.topology.n_cores
    power = fewest ** (SWEEP - number) * n_cores**number
    # The whole root of whole numbers, the same on every machine.
    root = bisect_right(range(n_cores + 1), power, key=lambda size: size**SWEEP) - 1
    return balanced_over(problem, root)


def _by_chip(problem: Workload, percent: int = 100) -> Int32Array:
    return by_chip(problem, partition(problem, "packed"), percent)


BY_CHIP = "by-chip"
PARTITIONINGS: dict[str, Callable[[Workload], Int32Array]] = {
    "lava-default": lava_default,
    "packed": packed,
    "balanced": balanced,
    **{f"balanced-{percent}": partial(balanced, percent=percent) for percent in (90, 80, 70, 60)},
    **{f"sweep-{number}": partial(sweep, number=number) for number in range(1, SWEEP)},
    BY_CHIP: _by_chip,
    **{f"{BY_CHIP}-{percent}": partial(_by_chip, percent=percent) for percent in SLOWER},
}
"""The standard partitionings by name."""
COARSE = tuple(
    name
    for name in PARTITIONINGS
    if not name.startswith("sweep-") or int(name.removeprefix("sweep-")) % 4 == 0
)
"""All but three of four steps of the sweep: where all of them would take long."""
TOOLCHAIN_DEFAULT = "lava-default/row-major"
"""What Intel's toolchain would do as far as is public; shown beside every reference."""
FIRST_RELEASE = tuple(PARTITIONINGS)[:7]
"""Those among which the references of version 1 were chosen."""


def heuristic_names(among: Container[str] = PARTITIONINGS) -> list[str]:
    """Names of the standard heuristics, ``partitioning/order``: each pair is one."""
    return [f"{name}/{order}" for name in PARTITIONINGS if name in among for order in ORDERS]


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


def partitions(problem: Workload, among: Container[str] = PARTITIONINGS) -> dict[str, Int32Array]:
    """The standard partitionings that fit, by name, `packed` at least.

    Args:
        problem: What is to be cut.
        among: Names of those that are asked for; `packed` is found in any case.

    Raises:
        IllegalMappingError: if none fits; names layer, resource, need and limit.
    """
    partition(problem, "packed")  # says why if none fits
    found: dict[str, Int32Array] = {}
    for name in PARTITIONINGS:
        if name not in among:
            continue
        with suppress(IllegalMappingError):
            found[name] = partition(problem, name)
    return found


def fitting(problem: Workload, among: Container[str] = PARTITIONINGS) -> dict[str, Mapping]:
    """The mappings of the standard heuristics that fit, in the order of `heuristic_names`.

    Raises:
        IllegalMappingError: if none fits; names layer, resource, need and limit.
    """
    orders = _orders(problem.topology)
    return {
        f"{partitioning}/{name}": Mapping(counts, order[positions])
        for partitioning, counts in partitions(problem, among).items()
        for positions in [standard_positions(problem, partitioning)]
        for name, order in orders.items()
    }


@lru_cache(maxsize=16)
def _orders(mesh: Topology) -> dict[str, Int64Array]:
    """The standard orders of a system, by name."""
    return {name: order(mesh) for name, order in ORDERS.items()}


def heuristic(problem: Workload, name: str) -> Mapping:
    """The mapping of a standard heuristic.

    Raises:
        UnknownNameError: if no heuristic has that name.
        IllegalMappingError: if the network does not fit on the chip that way.

    Example:
        >>> import loihi_gym
        >>> loihi_gym.heuristic(loihi_gym.load("mlp-xs"), "packed/hilbert")
        Mapping(cores_per_layer=[1, 1, 1, 1, 1], placement=[0, 1, 12, 13, 14])
    """
    if name not in heuristic_names():
        raise unknown("heuristic", name, heuristic_names())
    partitioning, order = name.split("/")
    counts, positions = partition(problem, partitioning), standard_positions(problem, partitioning)
    return Mapping(counts, _orders(problem.topology)[order][positions])


def standard_positions(problem: Workload, name: str) -> Int64Array:
    """Positions of a standard partitioning's cores in an order that goes chip by chip, (N,)."""
    counts = partition(problem, name)
    if name.startswith(BY_CHIP):
        return quiet_positions(problem, counts)
    return core_positions(counts, problem.topology)


def toolchain_default(problem: Workload) -> Mapping | None:
    """What Intel's toolchain would do as far as is public; None where that does not fit."""
    with suppress(IllegalMappingError):
        return heuristic(problem, TOOLCHAIN_DEFAULT)
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


def random_placement(mapping: Mapping, n_cores: int, rng: np.random.Generator) -> Mapping:
    """The cores per layer of a mapping at random places."""
    places = rng.permutation(n_cores)[: mapping.n_logical_cores]
    return Mapping(mapping.cores_per_layer, places)


def _fits(problem: Workload, counts: Int32Array) -> bool:
    return all(problem.fits(layer, counts) for layer in range(problem.n_layers))
