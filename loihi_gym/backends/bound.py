"""`bound`: the max-affine lower bound on a mapping's step times.

After Timcheck et al. (arXiv 2601.10035): a step lasts at least as long as its busiest core updates
neurons and sends, as its busiest core takes messages, and as its busiest link carries them; then
the barrier closes it. Counts are exact; what it leaves out is that messages wait for each other.
"""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..chip import ChipSpec, Topology, topology
from ..mapping import Mapping, Problem, Traffic
from ..mapping.recent import Recent
from ..processors import processors
from .bound_kernel import State, Tables, energy_fj, latency_ps, new_state, place, place_all, swap
from .energy import energy, fixed_energy
from .link_kernel import link_messages
from .measurement import Bottleneck, Measurement, Term

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]


class Bound:
    """The `bound` backend: exact, and cheap enough for 10^5 evaluations and more.

    `evaluate` measures in full. Where a search or an environment needs only latency, `latencies`
    and `placed` give the same integers without making a `Measurement`.
    """

    name = "bound"

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._tables: Recent[bytes, Tables] = Recent(64)

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; see `Backend.evaluate`."""
        self.problem.require(mapping)
        busy = busy_times(self.problem, mapping)
        return measurement(self.problem, mapping, busy, busy.bound_ps)

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order."""
        return [self.evaluate(mapping) for mapping in mappings]

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

    def placed(self, mapping: Mapping) -> "Placed":
        """The mapping, ready to be changed swap by swap.

        Raises:
            IllegalMappingError: if `Problem.check` finds a violation.
        """
        self.problem.require(mapping)
        return Placed(self.tables(mapping.cores_per_layer), mapping)

    def tables(self, cores_per_layer: Int32Array) -> Tables:
        """What a partitioning fixes, for the functions of `bound_kernel`; the last are kept."""
        return self._tables.get(
            cores_per_layer.tobytes(),
            lambda: make_tables(self.problem, self.problem.traffic(cores_per_layer)),
        )


class Placed:
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
    service = link_service_ps(chip, traffic.link_words)
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
        static_mw=chip.energy.static_mw * chip.n_chips,
    )


def latencies(tables: Tables, placements: Int32Array) -> Int64Array:
    """Latency in ps of each of B legal placements, (B, N) -> (B,), on all cores of the machine."""
    result = np.empty(len(placements), np.int64)
    threads = min(processors(), len(placements))
    if threads <= 1:
        place_all(tables, new_state(tables), placements, result)
        return result
    parts = zip(np.array_split(placements, threads), np.array_split(result, threads), strict=True)
    jobs = [_pool().submit(place_all, tables, new_state(tables), *part) for part in parts]
    for job in jobs:
        job.result()
    return result


class Busy:
    """How long every core and link of a placed mapping is busy in each step.

    Attributes:
        traffic: The partitioning's load.
        link_messages: Messages over each link id, (T, n_links).
        bound_ps: Step times that no schedule can beat, (T,).
    """

    def __init__(
        self, chip: ChipSpec, mesh: Topology, traffic: Traffic, link_messages: Int64Array
    ) -> None:
        self.traffic = traffic
        self.link_messages = link_messages
        self._link_ps = link_messages * link_service_ps(chip, traffic.link_words)
        busiest = np.maximum(traffic.floor_ps, self._link_ps.max(axis=1))
        self.bound_ps = busiest + chip.costs.barrier_ps

    def bottleneck(self, mesh: Topology, mapping: Mapping, step_ps: Int64Array) -> Bottleneck:
        """The busiest place of the slowest step."""
        step = int(step_ps.argmax())
        places: list[tuple[Term, Int64Array]] = [
            ("receive", self.traffic.receive_ps[step]),
            ("update", self.traffic.send_ps[step]),
            ("link", self._link_ps[step]),
        ]
        term, times = max(places, key=lambda place: int(place[1].max()))
        index = int(times.argmax())
        if term == "link":
            where = mesh.link_name(index)
        else:
            where = f"core {mapping.placement[index]} (layer {self.traffic.layer[index]})"
            index = int(mapping.placement[index])
        return Bottleneck(term, index, step, where, float(times.max() / step_ps[step]))


def busy_times(problem: Problem, mapping: Mapping) -> Busy:
    """Count what a legal mapping makes each core and link do."""
    traffic = problem.traffic(mapping.cores_per_layer)
    loads = link_messages(problem.topology, traffic, mapping.placement)
    return Busy(problem.chip, problem.topology, traffic, loads)


def measurement(problem: Problem, mapping: Mapping, busy: Busy, step_ps: Int64Array) -> Measurement:
    """Put a `Measurement` together from busy times and the step times a backend found."""
    traffic, latency = busy.traffic, int(step_ps.sum())
    return Measurement(
        latency_ps=latency,
        step_times_ps=tuple(step_ps.tolist()),
        energy=energy(problem.chip, problem.topology, traffic, busy.link_messages, latency),
        bottleneck=busy.bottleneck(problem.topology, mapping, step_ps),
        dendops=traffic.dendops,
        synops=traffic.synops,
        synmem_words=traffic.synmem_words,
        messages_out=traffic.messages_out,
        messages_in=traffic.messages_in,
        link_messages=busy.link_messages,
    )


@lru_cache(maxsize=64)
def link_service_ps(chip: ChipSpec, words: int) -> Int64Array:
    """Time each link is taken by one message of `words` 32-bit words, (n_links,)."""
    mesh = topology(chip)
    service = np.full(mesh.n_links, chip.costs.link_ps * words, np.int64)
    service[: 4 * mesh.n_routers][mesh.crosses_chips] = chip.costs.chip_link_ps * words
    service.flags.writeable = False
    return service


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    """Threads for batches, one per core of the machine; the kernels release the GIL."""
    return ThreadPoolExecutor(processors(), thread_name_prefix="loihi-gym-bound")
