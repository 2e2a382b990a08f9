"""A mapping and what a backend says of it: the part of an environment's state that costs time.

Both kinds are immutable, so that a state can be kept, restored and shared between environments for
nothing. `Evaluated` holds any backend's `Measurement`. `BoundMeasured` holds the state of the
incremental `bound`: the mapping after a swap costs microseconds, and a `Measurement` is put
together only if somebody asks for it. Where both are possible they are equal (tested).
"""

from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from ..arrays import BoolArray, Int32Array, Int64Array
from ..backends import Bottleneck, Bound, Measurement
from ..backends.assembly import link_service_ps
from ..backends.bound.bound_kernel import State, energy_fj, new_state, place, swap
from ..mapping import Mapping, Problem
from ..mapping import swap as swapped
from .observation import core_table


class Swap(NamedTuple):
    """Exchange of what sits on two physical cores."""

    core_a: int
    core_b: int


class Partition:
    """What the cores per layer of a problem fix; shared by all mappings that have them.

    Attributes:
        problem: What is solved.
        counts: Cores per layer, (L,).
        first: First logical core of each layer, and their number, L + 1 of them.
        first_array: The same as an array.
        logical: All logical cores, (N,).
        traffic: The load.
        table: What it fixes of an observation.
        legal_changes: Which changes of the counts are legal, once `counts` has worked it out.
    """

    def __init__(self, problem: Problem, counts: Int32Array, max_layers: int) -> None:
        self.problem = problem
        self.counts = counts
        self.first: list[int] = [0, *np.cumsum(counts).tolist()]
        self.first_array = np.array(self.first)
        self.logical = np.arange(self.first[-1], dtype=np.int32)
        self.traffic = problem.traffic(counts)
        self.table = core_table(problem, self.traffic, max_layers)
        self.legal_changes: BoolArray | None = None

    @cached_property
    def busiest(self) -> list[tuple[int, Literal["update", "receive"], int]]:
        """Of each step: the time of the core that is busy longest, in what, and which one."""
        traffic = self.traffic
        places = []
        for send, receive in zip(traffic.send_ps, traffic.receive_ps, strict=True):
            if receive.max() >= send.max():
                places.append((int(receive.max()), "receive", int(receive.argmax())))
            else:
                places.append((int(send.max()), "update", int(send.argmax())))
        return places  # type: ignore[return-value]


class MeasuredMapping:
    """A measured mapping.

    Attributes:
        partition: Its cores per layer and what they fix.
        placement: Physical core of each logical core, (N,); not to be written to.
        occupant: Logical core on each physical core, -1 for none, (C,); not to be written to.
        busy_ps: Time each link between routers is busy in each step, (4 R, T); likewise.
        latency_ps: Latency.
    """

    partition: Partition
    placement: Int32Array
    occupant: Int32Array
    busy_ps: Int64Array
    latency_ps: int

    @property
    def mapping(self) -> Mapping:
        """The mapping."""
        return Mapping(self.partition.counts, self.placement)

    @property
    def energy_fj(self) -> int:
        """Energy in fJ."""
        raise NotImplementedError

    @property
    def measurement(self) -> Measurement:
        """All that the backend says."""
        raise NotImplementedError

    @property
    def bottleneck(self) -> Bottleneck:
        """What the slowest step waited for."""
        raise NotImplementedError


class Evaluated(MeasuredMapping):
    """A mapping with the `Measurement` a backend gave."""

    def __init__(self, partition: Partition, mapping: Mapping, measurement: Measurement) -> None:
        problem = partition.problem
        links = 4 * problem.topology.n_routers
        service = link_service_ps(problem.chip, partition.traffic.link_words)[:links, None]
        self.partition = partition
        self._mapping = mapping
        self.placement = mapping.placement
        self.occupant = np.full(problem.topology.n_cores, -1, np.int32)
        self.occupant[self.placement] = partition.logical
        self.busy_ps = np.multiply(measurement.link_messages[:, :links].T, service, order="C")
        self.latency_ps = measurement.latency_ps
        self._measurement = measurement

    @property
    def mapping(self) -> Mapping:
        """The mapping."""
        return self._mapping

    @property
    def energy_fj(self) -> int:
        """Energy in fJ."""
        return self._measurement.energy_fj

    @property
    def measurement(self) -> Measurement:
        """All that the backend says."""
        return self._measurement

    @property
    def bottleneck(self) -> Bottleneck:
        """What the slowest step waited for."""
        return self._measurement.bottleneck


class BoundMeasured(MeasuredMapping):
    """A mapping that the `bound` backend has placed."""

    def __init__(self, partition: Partition, backend: Bound, state: State, latency_ps: int) -> None:
        self.partition = partition
        self.placement, self.occupant, self.busy_ps = state.placement, state.occupant, state.busy_ps
        self.latency_ps = latency_ps
        self.backend = backend
        self.state = state
        self.tables = backend.tables(partition.counts)

    @classmethod
    def place(cls, partition: Partition, backend: Bound, mapping: Mapping) -> "BoundMeasured":
        """Place a legal mapping."""
        tables = backend.tables(partition.counts)
        state = new_state(tables)
        latency_ps = place(tables, state, mapping.placement)
        return cls(partition, backend, state, int(latency_ps))

    def swapped(self, change: Swap) -> "BoundMeasured":
        """The mapping after a swap."""
        state = State(*[part.copy() for part in self.state])  # type: ignore[arg-type]
        return self.with_state(state, int(swap(self.tables, state, change.core_a, change.core_b)))

    def with_state(self, state: State, latency_ps: int) -> "BoundMeasured":
        """Another placement of the same partitioning."""
        made = object.__new__(BoundMeasured)  # __init__ looks up what is at hand here
        made.partition, made.backend, made.tables = self.partition, self.backend, self.tables
        made.placement, made.occupant, made.busy_ps = state.placement, state.occupant, state.busy_ps
        made.state, made.latency_ps = state, latency_ps
        return made

    @property
    def energy_fj(self) -> int:
        """Energy in fJ."""
        return int(energy_fj(self.tables, self.state))

    @property
    def measurement(self) -> Measurement:
        """What `Bound.evaluate` says of the mapping."""
        return self.backend.evaluate(self.mapping)

    @property
    def bottleneck(self) -> Bottleneck:
        """What the slowest step waited for, as `Bound.evaluate` has it."""
        tables, busiest = self.tables, self.state.busiest_ps.tolist()
        longest = [max(pair) for pair in zip(tables.floor_ps.tolist(), busiest, strict=True)]
        waited = max(longest)
        step = longest.index(waited)
        core_ps, term, logical = self.partition.busiest[step]
        if core_ps < waited:
            link = self._link(step) if busiest[step] == waited else self._port(step, waited)
            where = self.partition.problem.topology.link_name(link)
            return Bottleneck("link", link, step, where, waited / (waited + tables.barrier_ps))
        core = int(self.placement[logical])
        where = f"core {core} (layer {self.partition.traffic.layer[logical]})"
        return Bottleneck(term, core, step, where, core_ps / (waited + tables.barrier_ps))

    def _link(self, step: int) -> int:
        """The busiest link between routers."""
        return int(self.busy_ps[:, step].argmax())

    def _port(self, step: int, time_ps: int) -> int:
        """The link of the core port that is busy that long; of several the one numbered lowest."""
        traffic, problem = self.partition.traffic, self.partition.problem
        links, port_ps = 4 * problem.topology.n_routers, problem.chip.costs.link_ps
        for messages in (traffic.messages_out[step], traffic.messages_in[step]):
            busy = messages * port_ps * traffic.link_words == time_ps
            if busy.any():
                return links + int(self.placement[busy].min())
            links += problem.topology.n_cores
        raise AssertionError("no port is busy that long")


def after(measured: MeasuredMapping, change: Swap | Mapping) -> Mapping:
    """The mapping after a change."""
    return change if isinstance(change, Mapping) else swapped(measured.mapping, *change)
