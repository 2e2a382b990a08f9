"""A mapping and what a backend says of it: the part of an environment's state that costs time.

All kinds are immutable, so that a state can be kept, restored and shared between environments for
nothing. Where several are possible they are equal (tested).
"""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..arrays import BoolArray, Int32Array, Int64Array
from ..backends import Backend, Bottleneck, Measurement, Placed
from ..backends.assembly import link_service_ps, link_words
from ..backends.bound.bound_kernel import State, Tables, energy_fj, swap
from ..backends.measurement import Term
from ..backends.robust import RobustMeasurement
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
        traffic: The load.
        table: What it fixes of an observation.
        moves: Tables that describe moves, once `LoihiRefine` has made them.
        legal_changes: Which changes of the counts are legal, once `LoihiPartition` has worked it
            out.
    """

    def __init__(self, problem: Problem, counts: Int32Array, max_layers: int) -> None:
        self.problem = problem
        self.counts = counts
        self.first: list[int] = [0, *np.cumsum(counts).tolist()]
        self.traffic = problem.traffic(counts)
        self.table = core_table(problem, self.traffic, max_layers)
        self.legal_changes: BoolArray | None = None
        self.moves: Any = None

    def occupant(self, placement: Int32Array) -> Int32Array:
        """Logical core on each physical core, -1 for none, (C,)."""
        occupant = np.full(self.problem.topology.n_cores, -1, np.int32)
        occupant[placement] = np.arange(len(placement))
        return occupant

    def link_ps(self) -> Int64Array:
        """Time a 32-bit word takes of each link, (n_links,)."""
        return link_service_ps(self.problem.chip)

    def busy_ps(self, mapping: Mapping, measurement: Measurement | None) -> Int64Array:
        """Time each link between routers is busy in each step, (4 R, T)."""
        links = 4 * self.problem.topology.n_routers
        words = link_words(self.problem, mapping, measurement)
        return np.multiply(words[:, :links].T, self.link_ps()[:links, None], order="C")


class MeasuredMapping:
    """A measured mapping.

    Attributes:
        partition: Its cores per layer and what they fix.
        placement: Physical core of each logical core, (N,); not to be written to.
        occupant: Logical core on each physical core, -1 for none, (C,); not to be written to.
        busy_ps: Time each link between routers is busy in each step, (4 R, T); likewise.
        latency_ps: Latency.
    """

    def __init__(self, partition: Partition, mapping: Mapping, said: Measurement | Placed) -> None:
        measurement = said if isinstance(said, Measurement) else None
        self.partition, self._said = partition, said
        self.placement, self.latency_ps = mapping.placement, said.latency_ps
        self.occupant = partition.occupant(mapping.placement)
        self.busy_ps = partition.busy_ps(mapping, measurement)

    def seal(self) -> None:
        """Make its arrays read-only."""
        for part in (self.placement, self.occupant, self.busy_ps):
            part.flags.writeable = False

    @property
    def mapping(self) -> Mapping:
        """The mapping."""
        return Mapping(self.partition.counts, self.placement)

    @property
    def energy_fj(self) -> int | None:
        """Energy in fJ; None if the backend does not measure it."""
        return self._said.energy_fj

    @property
    def measurement(self) -> Measurement:
        """All that the backend says."""
        raise NotImplementedError

    @property
    def bottleneck(self) -> Bottleneck | None:
        """What the slowest step waited for; None if the backend does not say."""
        return getattr(self._said, "bottleneck", None)

    @property
    def by_chip(self) -> dict[str, Measurement]:
        """Its measurement on each chip of a set; empty unless it was measured on one."""
        return {}


class Evaluated(MeasuredMapping):
    """A mapping with the `Measurement` that any backend gives."""

    _said: Measurement

    @property
    def measurement(self) -> Measurement:
        """All that the backend says."""
        return self._said

    @property
    def by_chip(self) -> dict[str, Measurement]:
        """Its measurement on each chip of a set; empty unless it was measured on one."""
        return self._said.by_chip if isinstance(self._said, RobustMeasurement) else {}


class Unmeasured(MeasuredMapping):
    """A mapping that was not measured: it says what the one measured last said, and its own loads.

    Args:
        mapping: The mapping.
        partition: What its cores per layer fix.
        last: What was measured last.
    """

    def __init__(self, mapping: Mapping, partition: Partition, last: MeasuredMapping) -> None:
        self.partition, self.last = partition, last
        self.placement, self.latency_ps = mapping.placement, last.latency_ps
        self.occupant = partition.occupant(mapping.placement)

    @cached_property
    def busy_ps(self) -> Int64Array:  # type: ignore[override]  # few look at it
        """Time each link between routers is busy in each step, (4 R, T); not to be written to."""
        busy_ps = self.partition.busy_ps(self.mapping, None)
        busy_ps.flags.writeable = False
        return busy_ps

    @property
    def energy_fj(self) -> int | None:
        """Energy of what was measured last."""
        return self.last.energy_fj

    @property
    def measurement(self) -> Measurement:
        """All that the backend says of what was measured last."""
        return self.last.measurement

    @property
    def bottleneck(self) -> Bottleneck | None:
        """What the slowest step waited for in what was measured last."""
        return self.last.bottleneck

    @property
    def by_chip(self) -> dict[str, Measurement]:
        """What was measured last, on each chip."""
        return self.last.by_chip

    def seal(self) -> None:
        """Make its arrays read-only."""
        self.placement.flags.writeable = self.occupant.flags.writeable = False


class PlacedMapping(MeasuredMapping):
    """A mapping that a backend has placed: a swap costs what it costs that backend.

    A `Measurement` is made only if somebody asks for it.
    """

    _said: Placed

    def __init__(self, partition: Partition, backend: Backend, placed: Placed) -> None:
        super().__init__(partition, placed.mapping, placed)
        self.backend = backend

    def swapped(self, change: Swap) -> "PlacedMapping":
        """The mapping after a swap."""
        return PlacedMapping(self.partition, self.backend, self._said.swapped(*change))

    @property
    def measurement(self) -> Measurement:
        """What the backend's `evaluate` says of the mapping."""
        return self.backend.evaluate(self.mapping)


class BoundMeasured(PlacedMapping):
    """A mapping whose placement is a state of `bound_kernel`: swaps cost microseconds."""

    def __init__(
        self, partition: Partition, backend: Backend, tables: Tables, state: State, latency_ps: int
    ) -> None:
        self.partition, self.backend = partition, backend
        self.tables, self.state, self.latency_ps = tables, state, latency_ps
        self.placement, self.occupant, self.busy_ps = state.placement, state.occupant, state.busy_ps

    def swapped(self, change: Swap) -> "BoundMeasured":
        """The mapping after a swap."""
        state = copied(self.state)
        latency_ps = int(swap(self.tables, state, change.core_a, change.core_b))
        return BoundMeasured(self.partition, self.backend, self.tables, state, latency_ps)

    @property
    def energy_fj(self) -> int:
        """Energy in fJ."""
        return int(energy_fj(self.tables, self.state))

    @property
    def bottleneck(self) -> Bottleneck:
        """What the slowest step waited for, as `Bound.evaluate` has it."""
        traffic, mesh = self.partition.traffic, self.partition.problem.topology
        waited_ps = np.maximum(self.tables.floor_ps, self.state.busiest_ps)
        step = int(waited_ps.argmax())
        waited = int(waited_ps[step])
        share = waited / (waited + self.tables.barrier_ps)
        terms: tuple[tuple[Term, Int64Array], ...] = (
            ("receive", traffic.receive_ps),
            ("update", traffic.send_ps),
        )
        for term, core_ps in terms:
            index = int(core_ps[step].argmax())
            if core_ps[step, index] == waited:
                core = int(self.placement[index])
                where = f"core {core} (layer {traffic.layer[index]})"
                return Bottleneck(term, core, step, where, share)
        link = int(self.busy_ps[:, step].argmax())
        if self.busy_ps[link, step] < waited:
            ports = np.zeros((2, mesh.n_cores), np.int64)
            ports[:, self.placement] = traffic.messages_out[step], traffic.messages_in[step]
            first = 4 * mesh.n_routers
            link = first + int((ports.reshape(-1) * self.partition.link_ps()[first:]).argmax())
        return Bottleneck("link", link, step, mesh.link_name(link), share)


Change = Swap | Mapping | MeasuredMapping
"""What an action makes of the mapping: a swap, another one, or one already measured."""


def copied(state: State) -> State:
    """A copy of a state, to be changed."""
    return State(*[part.copy() for part in state])  # type: ignore[arg-type]


def after(measured: MeasuredMapping, change: Swap | Mapping) -> Mapping:
    """The mapping after a change."""
    return change if isinstance(change, Mapping) else swapped(measured.mapping, *change)
