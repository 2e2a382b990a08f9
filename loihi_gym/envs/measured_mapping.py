"""A mapping and what a backend says of it: the part of an environment's state that costs time.

All kinds are immutable, so that a state can be kept, restored and shared between environments for
nothing. `Evaluated` holds any backend's `Measurement`. `PlacedMapping` holds what a backend's
`place` returned: a swap costs what it costs that backend, and a `Measurement` is made only if
somebody asks for it. `BoundMeasured` does so with the state of `bound_kernel`, in microseconds.
Where several are possible they are equal (tested).
"""

from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from ..arrays import BoolArray, Int32Array, Int64Array
from ..backends import Backend, Bottleneck, Measurement, Placed
from ..backends.assembly import link_loads, link_service_ps
from ..backends.bound.bound_kernel import State, Tables, energy_fj, swap
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
        first: Offsets, L + 1: layer l owns logical cores first[l] to first[l + 1] - 1.
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

    def occupant(self, placement: Int32Array) -> Int32Array:
        """Logical core on each physical core, -1 for none, (C,)."""
        occupant = np.full(self.problem.topology.n_cores, -1, np.int32)
        occupant[placement] = self.logical
        return occupant

    def busy_ps(self, mapping: Mapping, measurement: Measurement | None) -> Int64Array:
        """Time each link between routers is busy in each step, (4 R, T)."""
        links = 4 * self.problem.topology.n_routers
        service = link_service_ps(self.problem.chip, self.traffic.link_words)[:links, None]
        loads = link_loads(self.problem, mapping, measurement)
        return np.multiply(loads[:, :links].T, service, order="C")

    @cached_property
    def busiest(self) -> list[tuple[int, Literal["update", "receive"], int]]:
        """For each step: how long its busiest core is busy, in what, and which core it is."""
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
    def energy_fj(self) -> int | None:
        """Energy in fJ; None if the backend does not measure it."""
        raise NotImplementedError

    @property
    def measurement(self) -> Measurement:
        """All that the backend says."""
        raise NotImplementedError

    @property
    def bottleneck(self) -> Bottleneck | None:
        """What the slowest step waited for; None if the backend does not say."""
        return self.measurement.bottleneck


class Evaluated(MeasuredMapping):
    """A mapping with the `Measurement` a backend gave."""

    def __init__(self, partition: Partition, mapping: Mapping, measurement: Measurement) -> None:
        self.partition = partition
        self._mapping = mapping
        self.placement = mapping.placement
        self.occupant = partition.occupant(mapping.placement)
        self.busy_ps = partition.busy_ps(mapping, measurement)
        self.latency_ps = measurement.latency_ps
        self._measurement = measurement

    @property
    def mapping(self) -> Mapping:
        """The mapping."""
        return self._mapping

    @property
    def energy_fj(self) -> int | None:
        """Energy in fJ; None if the backend does not measure it."""
        return self._measurement.energy_fj

    @property
    def measurement(self) -> Measurement:
        """All that the backend says."""
        return self._measurement


class PlacedMapping(MeasuredMapping):
    """A mapping that a backend has placed."""

    def __init__(self, partition: Partition, backend: Backend, placed: Placed) -> None:
        self.partition, self.backend, self._placed = partition, backend, placed
        self._mapping, self.latency_ps = placed.mapping, placed.latency_ps
        self.placement = self._mapping.placement
        self.occupant = partition.occupant(self.placement)
        self.busy_ps = partition.busy_ps(self._mapping, None)

    def swapped(self, change: Swap) -> "PlacedMapping":
        """The mapping after a swap."""
        return PlacedMapping(self.partition, self.backend, self._placed.swapped(*change))

    @property
    def energy_fj(self) -> int | None:
        """Energy in fJ; None if the backend does not measure it."""
        return self._placed.energy_fj

    @property
    def measurement(self) -> Measurement:
        """What the backend's `evaluate` says of the mapping."""
        return self.backend.evaluate(self.mapping)

    @property
    def bottleneck(self) -> Bottleneck | None:
        """What the slowest step waited for, if the placed mapping knows."""
        return getattr(self._placed, "bottleneck", None)


class BoundMeasured(PlacedMapping):
    """A mapping whose placement is a state of `bound_kernel`."""

    tables: Tables
    state: State

    def __init__(self, partition: Partition, backend: Backend, placed: Any) -> None:
        self.partition, self.backend, self.tables = partition, backend, placed.tables
        self._hold(placed.state, placed.latency_ps)

    def _hold(self, state: State, latency_ps: int) -> None:
        self.placement, self.occupant, self.busy_ps = state.placement, state.occupant, state.busy_ps
        self.state, self.latency_ps = state, latency_ps

    def swapped(self, change: Swap) -> "BoundMeasured":
        """The mapping after a swap."""
        state = State(*[part.copy() for part in self.state])  # type: ignore[arg-type]
        return self.with_state(state, int(swap(self.tables, state, change.core_a, change.core_b)))

    def with_state(self, state: State, latency_ps: int) -> "BoundMeasured":
        """Another placement of the same partitioning."""
        made = object.__new__(BoundMeasured)
        made.partition, made.backend, made.tables = self.partition, self.backend, self.tables
        made._hold(state, latency_ps)
        return made

    @property
    def energy_fj(self) -> int:
        """Energy in fJ."""
        return int(energy_fj(self.tables, self.state))

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


def placed_mapping(partition: Partition, backend: Any, mapping: Mapping) -> PlacedMapping:
    """A legal mapping, placed by a backend that offers that; see `Backend`."""
    kind = BoundMeasured if getattr(backend, "compiled", False) else PlacedMapping
    return kind(partition, backend, backend.place(mapping))


def after(measured: MeasuredMapping, change: Swap | Mapping) -> Mapping:
    """The mapping after a change."""
    return change if isinstance(change, Mapping) else swapped(measured.mapping, *change)
