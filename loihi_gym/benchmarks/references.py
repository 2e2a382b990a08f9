"""Reference mappings: which standard heuristic results are compared with.

`fastest_heuristic` is the fastest of all on `mesh`, for suites and for problems of one's own.
`quick_reference` is nearly as fast a mapping, found in a small part of the time, for problems that
are made on the fly.
"""

from collections import Counter
from collections.abc import Container, Sequence

import numpy as np

from ..arrays import Float64Array, Int32Array, Int64Array
from ..backends import Bound, MeshBackend
from ..backends.bound import bound
from ..chip import Topology
from ..mapping import Mapping, Problem, fitting
from ..mapping.heuristics import (
    COARSE,
    FIRST_RELEASE,
    PARTITIONINGS,
    in_order,
    partition,
    partitions,
    standard_positions,
)
from ..mapping.orders import column_planes
from ..threads import processors

AFFORDABLE = 1 << 25
"""Messages times links on the way that `mesh` is still asked about: some two seconds."""
HUGE = 1 << 24
"""Messages of a problem on which even `bound` takes a second for each partitioning."""
HUGE_SYSTEM = 1 << 14
"""Cores of a system for which to construct a partitioning takes a second."""
QUICK = ("packed", *(name for name in COARSE if name not in FIRST_RELEASE), "balanced")
"""Partitionings that `quick_reference` looks at; the others are like one of these."""
ORDERS_EACH = 2
"""Orders of one partitioning among the `promising`."""
FEW = ("lava-default", "packed")
"""Those that it looks at on a huge system: to count the others takes seconds."""
CLOSER = 3
"""Partitionings that `quick_reference` tries in every order."""
MEASURED = 3
"""Mappings that it measures on `mesh`, if they are quick to measure:"""
SYNAPSES_PER_HOP = 10
"""so many synapses have to be drawn for each link that a message takes on all of these."""


def fastest_heuristic(problem: Problem, among: Container[str] = PARTITIONINGS) -> str:
    """Name of the standard heuristic with the lowest latency on `mesh`, the first among equals.

    `mesh` is never below `bound`: what `bound` finds slower than the best so far is not measured.
    Where one measurement on `mesh` takes seconds, the fastest on `bound` is taken; where even that
    does, as on Hala Point, `quick_reference`.

    Args:
        problem: The problem; its own reference does not count.
        among: Names of the partitionings to choose from.

    Raises:
        IllegalMappingError: if the network does not fit on the chip.
    """
    if _is_huge(problem):
        return quick_reference(problem)
    names: dict[Mapping, str] = {}
    for name, mapping in fitting(problem, among).items():
        names.setdefault(mapping, name)
    mappings = list(names)
    least = _bounds(problem, mappings)
    ranked = np.argsort(least, kind="stable").tolist()
    if _message_hops(problem, mappings[ranked[0]].cores_per_layer) > AFFORDABLE:
        return names[mappings[ranked[0]]]
    return names[mappings[_fastest(problem, mappings, least, ranked)]]


def _fastest(
    problem: Problem, mappings: Sequence[Mapping], least: Int64Array, ranked: list[int]
) -> int:
    """Index of the fastest mapping on `mesh`, given what `bound` says and in which order to try."""
    mesh, together = MeshBackend(problem), processors()
    best: tuple[int, int] | None = None  # latency and index: the first among equals
    for start in range(0, len(ranked), together):
        some = [i for i in ranked[start : start + together] if best is None or least[i] <= best[0]]
        if not some:
            break
        measured = mesh.evaluate_batch([mappings[index] for index in some])
        found = min((one.latency_ps, i) for one, i in zip(measured, some, strict=True))
        best = found if best is None else min(best, found)
    assert best is not None
    return best[1]


def quick_reference(problem: Problem) -> str:
    """Name of a standard heuristic that is fast, found in about the time the problem is made in.

    Partitionings are ranked by an estimate from loads alone (`estimate_ps`), the best of them in
    every order by `bound`, and the best of these by `mesh` where that is quick. On a system so
    large that `bound` takes seconds, the better of ``lava-default`` and ``packed`` goes with
    ``column-major``, which is the fastest order on most systems of several chips.

    Raises:
        IllegalMappingError: if the network does not fit on the chip.
    """
    huge = _is_huge(problem)
    names = _different(problem, FEW if huge else QUICK)
    ranked = sorted(names, key=lambda name: estimate_ps(problem, name))
    if huge:
        return f"{ranked[0]}/column-major"
    found = fitting(problem, ranked[:CLOSER])
    mappings = list(found.values())
    best: list[int] = np.argsort(_bounds(problem, mappings), kind="stable").tolist()
    hops = np.cumsum([_message_hops(problem, mappings[i].cores_per_layer) for i in best[:MEASURED]])
    quick = int(np.count_nonzero(hops * SYNAPSES_PER_HOP <= problem.network.synapses))
    chosen = best[0]
    if quick > 1:
        measured = MeshBackend(problem).evaluate_batch([mappings[i] for i in best[:quick]])
        chosen = min((one.latency_ps, i) for one, i in zip(measured, best, strict=False))[1]
    return list(found)[chosen]


def promising(problem: Problem, count: int) -> list[Mapping]:
    """The reference, then mappings that searches should start from, some two times `count`.

    Half of the first `count` are the standard heuristics that `bound` finds fastest, two orders of
    a partitioning at most. The others are the fastest of each of several ranges of the number of
    cores, since which number is worth most shows only after a search: neither few cores nor many
    crowd the others out. Then follow their partitionings in one more order, `column_planes`, slower
    at first and often faster after a few hundred evaluations.

    Raises:
        IllegalMappingError: if the network does not fit on the chip.
    """
    first = problem.reference_mapping
    others = list(dict.fromkeys(_searchable(problem)))
    ranked = [others[index] for index in np.argsort(_bounds(problem, others), kind="stable")]
    chosen = [first, *_spread(_fewer_orders(ranked), count)]
    counts = {mapping.cores_per_layer.tobytes(): mapping.cores_per_layer for mapping in chosen}
    order = column_planes(problem.topology)
    further = [in_order(problem, cut, order) for cut in counts.values()]
    return list(dict.fromkeys([*chosen, *further]))


def _searchable(problem: Problem) -> list[Mapping]:
    return list(fitting(problem, FEW if _is_huge(problem) else COARSE).values())


def _fewer_orders(ranked: Sequence[Mapping]) -> list[Mapping]:
    """Of mappings, the first two of each partitioning."""
    seen: Counter[bytes] = Counter()
    kept = []
    for mapping in ranked:
        seen[mapping.cores_per_layer.tobytes()] += 1
        if seen[mapping.cores_per_layer.tobytes()] <= ORDERS_EACH:
            kept.append(mapping)
    return kept


def _spread(ranked: list[Mapping], count: int) -> list[Mapping]:
    """The first half of the mappings by their rank, the others by their numbers of cores."""
    chosen, rest = ranked[: (count + 1) // 2], ranked[(count + 1) // 2 :]
    if not rest:
        return chosen
    sizes = np.log([mapping.n_logical_cores for mapping in ranked])
    edges = np.linspace(sizes.min(), sizes.max(), count // 2 + 1)[1:-1]
    ranges = np.searchsorted(edges, sizes[len(chosen) :])
    firsts = {
        int(number): mapping for number, mapping in zip(ranges[::-1], rest[::-1], strict=True)
    }
    kept = set(firsts.values())
    return chosen + [mapping for mapping in rest if mapping in kept]


def _is_huge(problem: Problem) -> bool:
    """Whether all but a few partitionings would take too long to count or to measure."""
    packed = partition(problem, "packed")
    return problem.topology.n_cores > HUGE_SYSTEM or _messages(problem, packed) > HUGE


def _different(problem: Problem, among: Container[str]) -> list[str]:
    """Names of the partitionings that fit, those with equal counts once."""
    found: dict[bytes, str] = {}
    for name, counts in partitions(problem, among).items():
        found.setdefault(counts.tobytes(), name)
    return list(found.values())


def estimate_ps(problem: Problem, name: str) -> int:
    """What the latency of a standard partitioning will be about, whatever the order, in ps.

    The sum, since they wait for each other, of what the busiest core takes in each step; of what
    the links around the used cores do, each message going as far as two random routers of a chip
    are apart; and of what the links over the busiest border between two chips do.
    """
    counts, mesh, costs = partition(problem, name), problem.topology, problem.chip.costs
    survey, fabrics = problem.work.survey(counts), max(problem.chip.network.fabrics, 1)
    sent = survey.messages * np.array(problem.loads.words, np.int64)[:, None]  # words, (L, T)
    links = 4 * max(int(counts.sum()) * mesh.n_routers / mesh.n_cores, 1.0)
    within = _distance(mesh) * sent.sum(axis=0) / links * (costs.link_ps / fabrics)
    lanes = min(mesh.chip_width, mesh.chip_height)
    between = _crossing(problem, name, counts, sent) / lanes * (costs.chip_link_ps / fabrics)
    return int((survey.step_ps.max(axis=0) + within + between).sum())


def _crossing(problem: Problem, name: str, counts: Int32Array, sent: Int64Array) -> Float64Array:
    """Words over the busiest border between consecutive chips in each step, (T,).

    Every piece of a layer is taken to send as much to every piece of the next.
    """
    mesh = problem.topology
    if mesh.n_chips == 1:
        return np.zeros(sent.shape[1])
    chip = standard_positions(problem, name) * mesh.n_chips // mesh.n_cores
    layer = np.repeat(np.arange(len(counts)), counts)
    on_chip = np.zeros((len(counts), mesh.n_chips))
    np.add.at(on_chip, (layer, chip), 1.0)
    before = np.cumsum(on_chip, axis=1)[:, :-1] / counts[:, None]  # part up to each border
    over = before[:-1] * (1.0 - before[1:]), (1.0 - before[:-1]) * before[1:]  # there and back
    busiest: Float64Array = np.maximum(*((part.T @ sent[:-1]).max(axis=0) for part in over))
    return busiest


def _bounds(problem: Problem, mappings: Sequence[Mapping]) -> Int64Array:
    """Latency of each mapping on `bound`, (B,)."""
    backend = bound(problem)
    if isinstance(backend, Bound):
        return backend.latencies(mappings)
    return np.array([one.latency_ps for one in backend.evaluate_batch(mappings)], np.int64)


def _messages(problem: Problem, counts: Int32Array) -> int:
    """Messages of all layers over all steps."""
    return int(problem.work.survey(counts).messages.sum())


def _message_hops(problem: Problem, counts: Int32Array) -> int:
    """About how many links all messages take, which the time of `mesh` grows with."""
    return int(_messages(problem, counts) * (_distance(problem.topology) + 2))


def _distance(mesh: Topology) -> float:
    """Links between two random routers of a chip, on average."""
    return (mesh.chip_width + mesh.chip_height) / 3
