"""`bound`: the max-affine lower bound on a mapping's step times.

After Timcheck et al. (arXiv 2601.10035): a step lasts at least as long as its busiest core updates
neurons and sends, as its busiest core takes messages, and as its busiest link carries them; then
the barrier closes it. Counts are exact; what it leaves out is that messages wait for each other.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ...arrays import Int32Array, Int64Array
from ...errors import BackendError
from ...mapping import Mapping, Problem, Traffic
from ...mapping.recent import Recent
from ...threads import pool, processors
from ..assembly import assemble, busy_times, link_service_ps
from ..energy import fixed_energy
from ..measurement import Backend, Measurement
from .bound_kernel import State, Tables, energy_fj, latency_ps, new_state, place, place_all, swap

WORTH_THREADS = 1 << 16
"""Pairs of cores to be added up, over all mappings, from which on threads are worth their start."""


def bound(problem: Problem) -> "MaxAffine":
    """The `bound` backend of a problem: `Bound` where the chip's messages let it count by pairs."""
    return Bound(problem) if by_pairs(problem) else MaxAffine(problem)


def by_pairs(problem: Problem) -> bool:
    """Whether links are as busy as the sums over pairs of cores: one message each, all as long."""
    return problem.chip.structure.multicast == "none" and len(set(problem.loads.words)) == 1


class MaxAffine(Backend):
    """Measures by the max-affine model, on any chip."""

    name = "bound"
    repeatable = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; see `Backend.evaluate`."""
        self.problem.require(mapping)
        busy = busy_times(self.problem, mapping)
        return assemble(self.problem, mapping, busy, busy.bound_ps)


class Bound(MaxAffine):
    """The same, and cheap enough for 10^5 evaluations and more.

    `evaluate` measures in full. Where a search or an environment needs only latency, `latencies`
    and `place` give the same integers without making a `Measurement`.

    Raises:
        BackendError: if not `by_pairs`.
    """

    compiled = True

    def __init__(self, problem: Problem) -> None:
        if not by_pairs(problem):
            raise BackendError(
                f"chip {problem.chip.name}: routers copy messages or layers differ in their size, "
                'so links are not counted by pairs of cores: use make_backend("bound", problem)'
            )
        super().__init__(problem)
        self._tables: Recent[bytes, Tables] = Recent(64)

    def latencies(self, mappings: Sequence[Mapping]) -> Int64Array:
        """Latency of each mapping in ps, (B,), on all cores of the machine.

        Raises:
            IllegalMappingError: if `Problem.check` finds a violation.
        """
        alike: dict[bytes, list[int]] = defaultdict(list)
        for index, mapping in enumerate(mappings):
            self.problem.require(mapping)
            alike[mapping.cores_per_layer.tobytes()].append(index)
        result = np.empty(len(mappings), np.int64)
        for indices in alike.values():
            tables = self.tables(mappings[indices[0]].cores_per_layer)
            placements = np.stack([mappings[index].placement for index in indices])
            result[indices] = latencies(tables, placements)
        return result

    def place(self, mapping: Mapping) -> "IncrementalBound":
        """The mapping, ready to be changed swap by swap.

        Raises:
            IllegalMappingError: if `Problem.check` finds a violation.
        """
        self.problem.require(mapping)
        return IncrementalBound(self.tables(mapping.cores_per_layer), mapping)

    def tables(self, cores_per_layer: Int32Array) -> Tables:
        """What a partitioning fixes, for the functions of `bound_kernel`; the last are kept."""
        return self._tables.get(
            cores_per_layer.tobytes(),
            lambda: make_tables(self.problem, self.problem.traffic(cores_per_layer)),
        )


class IncrementalBound:
    """A mapping whose latency follows every swap of two cores, in microseconds.

    Attributes:
        tables: What its partitioning fixes.
        state: Where everything is and how busy links are; read it, change it by `swap` only.
    """

    def __init__(self, tables: Tables, mapping: Mapping) -> None:
        self.tables = tables
        self.state: State = new_state(tables)
        self._cores_per_layer = mapping.cores_per_layer
        place(tables, self.state, mapping.placement)

    @property
    def latency_ps(self) -> int:
        """Latency now."""
        return int(latency_ps(self.tables, self.state))

    @property
    def energy_fj(self) -> int:
        """Energy now."""
        return int(energy_fj(self.tables, self.state))

    @property
    def mapping(self) -> Mapping:
        """The mapping now."""
        return Mapping(self._cores_per_layer, self.state.placement)

    def swapped(self, core_a: int, core_b: int) -> "IncrementalBound":
        """Another one, after `swap`."""
        twin = IncrementalBound(self.tables, self.mapping)
        twin.swap(core_a, core_b)
        return twin

    def swap(self, core_a: int, core_b: int) -> int:
        """Exchange what is on two physical cores and return the latency in ps.

        Either core may be free. The same swap again takes it back. Both must exist: this is not
        checked.
        """
        return int(swap(self.tables, self.state, core_a, core_b))


def make_tables(problem: Problem, traffic: Traffic) -> Tables:
    """What a partitioning fixes."""
    chip, mesh = problem.chip, problem.topology
    first = np.concatenate(([0], np.cumsum(traffic.counts))).astype(np.int32)
    before = np.concatenate(([0], first[:-2])).astype(np.int32)
    words = int(traffic.words_out.max())
    service = link_service_ps(chip) * words
    _require_countable(problem, traffic, int(service.max()))
    return Tables(
        next_core=traffic.next_core,
        fan_out=traffic.fan_out,
        previous_core=before[traffic.layer],
        fan_in=np.concatenate(([0], traffic.counts[:-1])).astype(np.int32)[traffic.layer],
        pair_first=traffic.pair_first,
        pair_messages=traffic.pair_messages,
        core_x=mesh.core_x,
        core_y=mesh.core_y,
        width=mesh.width,
        link_ps=service[: 4 * mesh.n_routers],
        floor_ps=traffic.floor_ps,
        barrier_ps=chip.costs.barrier_ps,
        fixed_fj=sum(fixed_energy(chip, traffic)),
        hop_fj=(chip.energy.hop_x_fj, chip.energy.hop_y_fj),
        static_mw=chip.energy.static_mw,
        core_chip=mesh.core_chip,
        n_chips=chip.n_chips,
        idle_powered=chip.structure.idle_chips == "powered",
    )


def _require_countable(problem: Problem, traffic: Traffic, link_ps: int) -> None:
    """Raise if the kernels, which count in 64 bits, could not hold the energy of a placement."""
    chip, mesh, messages = problem.chip, problem.topology, traffic.totals["messages_out"]
    longest_ps = int(traffic.floor_ps.sum()) + messages * link_ps
    longest_ps += traffic.steps * chip.costs.barrier_ps
    hop_fj = max(chip.energy.hop_x_fj, chip.energy.hop_y_fj) * (mesh.width + mesh.height)
    static_fj = longest_ps * chip.energy.static_mw * chip.n_chips
    if sum(fixed_energy(chip, traffic)) + messages * hop_fj + static_fj >= 1 << 63:
        raise BackendError(
            f"chip {chip.name}: energies of this problem may exceed {1 << 63} fJ, which is more "
            "than is counted: lower the constants in the chip file's energy tables"
        )


def latencies(tables: Tables, placements: Int32Array) -> Int64Array:
    """Latency in ps of each of B legal placements, (B, N) -> (B,), on all cores of the machine."""
    result = np.empty(len(placements), np.int64)
    threads = min(processors(), len(placements))
    if threads <= 1 or len(placements) * len(tables.pair_messages) < WORTH_THREADS:
        place_all(tables, new_state(tables), placements, result)
        return result

    def run(part: Int32Array, into: Int64Array) -> None:
        place_all(tables, new_state(tables), part, into)

    list(pool().map(run, np.array_split(placements, threads), np.array_split(result, threads)))
    return result
