"""`mesh`: event-driven simulation of the network on chip, with finite buffers and back-pressure.

The rules are in `mesh_reference`. A router is a two-stage pipeline as in the cycle-accurate
simulator BookSim 2; its cycle is half the time a 32-bit message takes a link:

    one cycle    from an output's choice of a message to its departure, and from the departure
                 until a 32-bit message has left the link
    a hop        from buffer to buffer, choice included: the chip's hop time
    two cycles   from a core to its router's buffer; for a credit to return
    one cycle    from a router to a receiver's queue
"""

import math
import sys
import threading
from collections.abc import Sequence
from dataclasses import astuple
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np

from ...arrays import Int64Array, Records
from ...chip import ChipSpec, Topology, load_chip, topology_of
from ...errors import BackendError
from ...mapping import Mapping, Problem, Traffic
from ...threads import pool
from ..assembly import assemble, busy_times, link_service_ps
from ..measurement import Measurement
from .mesh_kernel import (
    CORE,
    INPUT,
    OUTPUT,
    Delays,
    Load,
    Mesh,
    address,
    new_mesh,
    simulate,
)

COMPILING = "loihi-gym: compiling the mesh kernel (once, about 10 s) ...\n"


class MeshBackend:
    """The `mesh` backend."""

    name = "mesh"

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._loads: WeakKeyDictionary[Traffic, Load] = WeakKeyDictionary()
        self._threads = threading.local()

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; see `Backend.evaluate`."""
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order, on all cores of the machine."""
        for mapping in mappings:
            self.problem.require(mapping)
        compile_kernel()
        # The caches of traffic and load are not for several threads; the kernels are.
        busy = [busy_times(self.problem, mapping) for mapping in mappings]
        loads = [self.load(one.traffic) for one in busy]
        run = map if len(mappings) == 1 else pool().map
        steps = run(self._step_times, mappings, loads)
        return [assemble(self.problem, *parts) for parts in zip(mappings, busy, steps, strict=True)]

    def _step_times(self, mapping: Mapping, load: Load) -> Int64Array:
        """Time of each step in ps, barrier included, (T,)."""
        chip, words = self.problem.chip, self.problem.activity.message_bits // 32
        ticks = simulate(delays(chip, words), self._mesh(words), load, mapping.placement)
        return ticks * tick_ps(chip) + chip.costs.barrier_ps

    def load(self, traffic: Traffic) -> Load:
        """The kernel's form of a partitioning's load, kept as long as the traffic is."""
        load = self._loads.get(traffic)
        if load is None:
            load = self._loads[traffic] = kernel_load(traffic, tick_ps(self.problem.chip))
        return load

    def _mesh(self, link_words: int) -> Mesh:
        """This thread's workspace; the activity fixes `link_words`, so there is one."""
        mesh: Mesh | None = getattr(self._threads, "mesh", None)
        if mesh is None:
            mesh = self._threads.mesh = make_mesh(self.problem.chip, link_words)
        return mesh


@lru_cache(maxsize=1)
def compile_kernel() -> None:
    """Load the kernel from numba's cache on disk or, once on a machine, compile it.

    Says so on stderr if it takes more than two seconds.
    """
    notice = threading.Timer(2.0, sys.stderr.write, [COMPILING])
    notice.start()
    chip = load_chip("loihi2-16")
    nothing, none = np.zeros(0, np.int64), np.zeros(0, np.int32)
    load = Load(none, none, np.zeros((1, 1), np.int64), nothing, nothing[None], nothing, none)
    simulate(delays(chip, 1), make_mesh(chip, 1), load, none)
    notice.cancel()


def make_mesh(chip: ChipSpec, link_words: int) -> Mesh:
    """A workspace for one thread."""
    return new_mesh(*ports(chip, link_words), cores(chip), delays(chip, link_words))


def kernel_load(traffic: Traffic, tick: int) -> Load:
    """Times in ticks; a message that is not there takes -1.

    Raises:
        BackendError: if a single message takes its receiver more ticks than 32 bits hold.
    """
    receive = traffic.row_receive_ps // tick
    if receive.max(initial=0) > np.iinfo(np.int32).max:
        raise BackendError(
            f"a message takes its receiver {receive.max() * tick * 1e-9:.3g} ms, "
            "more than the mesh backend can count: lower costs.synop_ps or costs.synmem_word_ps"
        )
    # Copies: numba compiles anew for read-only arrays and for other layouts.
    return Load(
        next_core=np.array(traffic.next_core, order="C"),
        fan_out=np.array(traffic.fan_out, order="C"),
        neuron_first=np.array(traffic.neuron_first, order="C"),
        work=np.array(traffic.work_ps // tick, order="C"),
        tail=np.array(traffic.tail_ps // tick, order="C"),
        row_first=np.array(traffic.row_first, order="C"),
        receive=np.where(receive > 0, receive, -1).astype(np.int32),
    )


@lru_cache(maxsize=64)
def tick_ps(chip: ChipSpec) -> int:
    """Greatest common divisor of all times of a chip, half a link slot included."""
    return math.gcd(*astuple(chip.costs), chip.costs.link_ps // 2)


@lru_cache(maxsize=64)
def delays(chip: ChipSpec, link_words: int) -> Delays:
    """The kernel's form of a chip's delays for messages of `link_words` 32-bit words."""
    tick, cycle = tick_ps(chip), chip.costs.link_ps // 2
    return Delays(
        fabrics=chip.network.fabrics,
        ports=chip.cores_per_router + 4,
        depth=chip.network.router_buffer,
        queue=chip.network.receiver_queue,
        allocation=cycle // tick,
        credit=2 * cycle // tick,
        inject=2 * cycle // tick,
        inject_hold=chip.costs.link_ps * link_words // tick,
        spike=chip.costs.spike_ps // tick,
    )


@lru_cache(maxsize=64)
def cores(chip: ChipSpec) -> Records:
    """The kernel's form of a chip's physical cores."""
    grid = topology_of(chip)
    table = np.zeros(grid.n_cores, CORE)
    table["address"] = address(grid.core_x, grid.core_y, grid.core_port)
    table["x"], table["y"], table["port"] = grid.core_x, grid.core_y, grid.core_port
    table["rank"] = grid.send_rank
    table["injection"] = grid.core_router * (chip.cores_per_router + 4) + grid.core_port
    return table


@lru_cache(maxsize=64)
def ports(chip: ChipSpec, link_words: int) -> tuple[Records, Records]:
    """The kernel's form of a chip's router inputs and outputs, fabric by fabric."""
    grid, n_ports, fabrics = topology_of(chip), chip.cores_per_router + 4, chip.network.fabrics
    shape = (fabrics, grid.n_routers, n_ports)
    inputs, outputs = np.zeros(shape, INPUT), np.zeros(shape, OUTPUT)
    y, x = np.divmod(np.arange(grid.n_routers), grid.width)
    inputs["x"], inputs["y"] = x[:, None], y[:, None]
    ids = np.arange(inputs.size, dtype=np.int32).reshape(shape)
    inputs["first"] = outputs["first"] = ids[:, :, :1]
    outputs["fabric"] = np.arange(fabrics)[:, None, None]
    _set_times(chip, grid, link_words, outputs)
    outputs["core"] = -1
    outputs["core"][:, grid.core_router, grid.core_port] = np.arange(grid.n_cores)
    # East's output leads to the west input of the next router, and so on; a sender is an event.
    square = ids.reshape(fabrics, grid.height, grid.width, n_ports)
    leads = np.full(square.shape, -1, np.int32)
    east, west, north, south = range(n_ports - 4, n_ports)
    leads[:, :, :-1, east] = square[:, :, 1:, west]
    leads[:, :, 1:, west] = square[:, :, :-1, east]
    leads[:, :-1, :, north] = square[:, 1:, :, south]
    leads[:, 1:, :, south] = square[:, :-1, :, north]
    # What fills an input is what its own direction's output leads to: links come in pairs.
    outputs["downstream"] = leads.reshape(shape)
    inputs["sender"] = np.where(
        outputs["core"] >= 0, inputs.size + outputs["core"], outputs["downstream"]
    )
    return inputs.reshape(-1), outputs.reshape(-1)


def _set_times(chip: ChipSpec, grid: Topology, link_words: int, outputs: Records) -> None:
    tick, cycle = tick_ps(chip), chip.costs.link_ps // 2
    service = link_service_ps(chip, link_words)
    wire, hold = outputs["wire"], outputs["hold"]
    wire[:], hold[:] = cycle // tick, (service[-1] - cycle) // tick
    wire[:, :, -4:] = ((_hop_ps(chip, grid) - cycle) // tick).reshape(-1, 4)
    hold[:, :, -4:] = ((service[: 4 * grid.n_routers] - cycle) // tick).reshape(-1, 4)
    # Nothing happens twice at one instant, however far a study moves the constants.
    np.maximum(wire, 1, out=wire)
    np.maximum(hold, 1, out=hold)


def _hop_ps(chip: ChipSpec, grid: Topology) -> Int64Array:
    """Hop time of every link between routers, (4 * n_routers,)."""
    costs = chip.costs
    hop = np.tile([costs.hop_x_ps, costs.hop_x_ps, costs.hop_y_ps, costs.hop_y_ps], grid.n_routers)
    return np.where(grid.crosses_chips, costs.chip_hop_ps, hop)
