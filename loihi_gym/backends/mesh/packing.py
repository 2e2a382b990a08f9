"""A chip and a load as the mesh kernel takes them, and which of them it takes.

A router is a two-stage pipeline as in the cycle-accurate simulator BookSim 2; its cycle is half the
time a 32-bit message takes a link, and at least 1 ps:

    one cycle    from an output's choice of a message to its departure, and from the departure
                 until a 32-bit message has left the link
    a hop        from buffer to buffer, choice included: the chip's hop time
    two cycles   from a core to its router's buffer; for a credit to return
    one cycle    from a router to a receiver's queue
"""

import math
from dataclasses import astuple, dataclass
from functools import lru_cache

import numpy as np

from ...arrays import Int32Array, Int64Array, Records
from ...chip import ChipSpec, Topology, topology_of
from ...errors import BackendError
from ...mapping import Traffic
from .mesh_kernel import (
    COPY,
    CORE,
    EVENT,
    INPUT,
    MOST_CORES_PER_ROUTER,
    MOST_HEIGHT,
    MOST_TICKS,
    MOST_WIDTH,
    OUTPUT,
    SLOT,
    START,
    WIDE,
    Delays,
    Load,
    Mesh,
    Tree,
    address,
    new_mesh,
    new_tree,
    ring_size,
)

MOST_FABRICS = 16
"""Fabrics that arrival times are multiplied by without leaving 64 bits (see `LONGEST_PS`)."""
MOST_WAITING = 1 << 16
"""Messages that a buffer or a receiver's queue may hold."""
MOST_BYTES = 1 << 31
"""Memory that the workspace of one thread may take."""


def make_workspace(chip: ChipSpec) -> tuple[Mesh, Tree | None]:
    """A workspace for one thread; as `make_mesh` raises."""
    mesh = make_mesh(chip)
    return mesh, new_tree(mesh) if chip.structure.multicast == "tree" else None


def make_mesh(chip: ChipSpec) -> Mesh:
    """The part of a workspace that every chip has.

    Raises:
        BackendError: if the kernel cannot take the chip; names the number and its limits.
    """
    for name, (value, least, most) in _limits(chip).items():
        if not least <= value <= most:
            raise BackendError(
                f"the mesh backend cannot simulate chip {chip.name}: {name} = {value}, and it "
                f"takes {least} to {most}; change the chip file or measure by another backend"
            )
    return new_mesh(*ports(chip), cores(chip), delays(chip))


def _limits(chip: ChipSpec) -> dict[str, tuple[int, int, int]]:
    """Each number that the kernel's records must hold: (value, least, most) by name."""
    grid, network = topology_of(chip), chip.network
    n_ports = network.fabrics * grid.n_routers * (chip.cores_per_router + 4)
    slot = SLOT.itemsize + COPY.itemsize * (chip.structure.multicast == "tree")
    port = INPUT.itemsize + OUTPUT.itemsize + EVENT.itemsize + network.router_buffer * slot
    starts = ring_size(network.receiver_queue, network.fabrics) * START.itemsize
    n_bytes = n_ports * port + grid.n_cores * (CORE.itemsize + EVENT.itemsize + starts)
    most_ps = MOST_TICKS * tick_ps(chip) // 2  # a message may take two words
    delays_ps = {
        f"costs.{name}": (getattr(chip.costs, name), int(name == "link_ps"), most_ps)
        for name in ("link_ps", "hop_x_ps", "hop_y_ps", "chip_link_ps", "chip_hop_ps", "spike_ps")
    }
    return {
        "topology.cores_per_router": (chip.cores_per_router, 1, MOST_CORES_PER_ROUTER),
        "routers along x": (grid.width, 1, MOST_WIDTH),
        "routers along y": (grid.height, 1, MOST_HEIGHT),
        "network.fabrics": (network.fabrics, 1, MOST_FABRICS),
        "network.router_buffer": (network.router_buffer, 1, MOST_WAITING),
        "network.receiver_queue": (network.receiver_queue, 1, MOST_WAITING),
        "bytes for all routers, buffers and queues": (n_bytes, 1, MOST_BYTES),
        **delays_ps,
    }


@dataclass(frozen=True, eq=False)
class Timed:
    """What `kernel_load` needs of a `Traffic`, for times that were put together in another way."""

    next_core: Int32Array
    fan_out: Int32Array
    words_out: Int64Array
    neuron_first: Int64Array
    row_first: Int64Array
    row_entries: Int64Array
    row_receive_ps: Int64Array
    work_ps: Int64Array
    tail_ps: Int64Array


def kernel_load(traffic: Traffic | Timed, chip: ChipSpec) -> Load:
    """A partitioning's load in ticks; a message that is not there takes -1.

    Raises:
        BackendError: if one message takes its receiver, or the neurons before one take their core,
            more ticks than the kernel counts.
    """
    tick = tick_ps(chip)
    work_ps, tail_ps = _work(traffic, chip)
    receive, work = traffic.row_receive_ps // tick, work_ps // tick
    for what, constants, times in (
        ("a message takes its receiver", "costs.synop_ps or costs.synmem_word_ps", receive),
        ("a sending neuron and the silent ones before it take", "costs.neuron_…_ps", work),
    ):
        if times.max(initial=0) > MOST_TICKS:
            raise BackendError(
                f"{what} {times.max() * tick * 1e-9:.3g} ms, but the mesh backend counts up to "
                f"{MOST_TICKS * tick * 1e-9:.3g} ms: lower {constants}"
            )
    # Copies: numba compiles anew for read-only arrays and for other layouts.
    return Load(
        next_core=np.array(traffic.next_core, order="C"),
        fan_out=np.array(traffic.fan_out, order="C"),
        wide=np.where(traffic.words_out == 2, WIDE, 0).astype(np.int32),
        neuron_first=np.array(traffic.neuron_first, order="C"),
        work=np.array(work, order="C"),
        tail=np.array(tail_ps // tick, order="C"),
        row_first=np.array(traffic.row_first, order="C"),
        receive=np.where(receive > 0, receive, -1).astype(np.int32),
    )


def _work(traffic: Traffic | Timed, chip: ChipSpec) -> tuple[Int64Array, Int64Array]:
    """What cores do before the messages of each sending neuron, (S,), and at the end, (T, N)."""
    work, tail = traffic.work_ps, traffic.tail_ps
    if chip.structure.phases == "update-first":
        work, tail = _updates_first(traffic)
    if chip.structure.multicast == "tree":  # a message reads the entries of all its receivers
        work = work + traffic.row_entries * chip.costs.axon_ps
    return work, tail


def _updates_first(traffic: Traffic | Timed) -> tuple[Int64Array, Int64Array]:
    """`_work` of cores that update all their neurons before they send anything."""
    work, tail = np.zeros_like(traffic.work_ps), traffic.tail_ps.copy()
    ends = np.append(0, np.cumsum(traffic.work_ps))
    first, last = traffic.neuron_first[:, :-1], traffic.neuron_first[:, 1:]
    sends = last > first
    work[first[sends]] = (ends[last] - ends[first] + tail)[sends]
    tail[sends] = 0
    return work, tail


@lru_cache(maxsize=64)
def tick_ps(chip: ChipSpec) -> int:
    """Greatest common divisor of all times of a chip, its routers' cycle included."""
    return math.gcd(*astuple(chip.costs), _cycle_ps(chip))


def _cycle_ps(chip: ChipSpec) -> int:
    return max(chip.costs.link_ps // 2, 1)


@lru_cache(maxsize=64)
def delays(chip: ChipSpec) -> Delays:
    """The kernel's form of a chip's delays."""
    tick, cycle = tick_ps(chip), _cycle_ps(chip)
    return Delays(
        fabrics=chip.network.fabrics,
        ports=chip.cores_per_router + 4,
        depth=chip.network.router_buffer,
        queue=chip.network.receiver_queue,
        allocation=cycle // tick,
        credit=2 * cycle // tick,
        inject=2 * cycle // tick,
        inject_hold=chip.costs.link_ps // tick,
        spike=_message_ps(chip) // tick,
    )


def shortest_flight_ps(chip: ChipSpec) -> int:
    """Least time from a core's hand to the receiver of another core: both at one router."""
    return 4 * _cycle_ps(chip)  # into the router's buffer, choice, out of it


def _message_ps(chip: ChipSpec) -> int:
    """Work of a core for each message that it sends."""
    costs = chip.costs
    return costs.spike_ps + (costs.axon_ps if chip.structure.multicast == "none" else 0)


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
def ports(chip: ChipSpec) -> tuple[Records, Records]:
    """The kernel's form of a chip's router inputs and outputs, fabric by fabric."""
    grid, n_ports, fabrics = topology_of(chip), chip.cores_per_router + 4, chip.network.fabrics
    shape = (fabrics, grid.n_routers, n_ports)
    inputs, outputs = np.zeros(shape, INPUT), np.zeros(shape, OUTPUT)
    y, x = np.divmod(np.arange(grid.n_routers), grid.width)
    inputs["x"], inputs["y"] = x[:, None], y[:, None]
    ids = np.arange(inputs.size, dtype=np.int32).reshape(shape)
    inputs["first"] = outputs["first"] = ids[:, :, :1]
    outputs["fabric"] = np.arange(fabrics)[:, None, None]
    _set_times(chip, grid, outputs)
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


def _set_times(chip: ChipSpec, grid: Topology, outputs: Records) -> None:
    tick, cycle = tick_ps(chip), _cycle_ps(chip)
    costs, wire, hold, more = chip.costs, outputs["wire"], outputs["hold"], outputs["more"]
    service = np.where(grid.crosses_chips, costs.chip_link_ps, costs.link_ps)
    wire[:], hold[:], more[:] = (
        cycle // tick,
        (costs.link_ps - cycle) // tick,
        costs.link_ps // tick,
    )
    wire[:, :, -4:] = ((_hop_ps(chip, grid) - cycle) // tick).reshape(-1, 4)
    hold[:, :, -4:] = ((service - cycle) // tick).reshape(-1, 4)
    more[:, :, -4:] = (service // tick).reshape(-1, 4)
    # Nothing happens twice at one instant, however far a study moves the constants.
    np.maximum(wire, 1, out=wire)
    np.maximum(hold, 1, out=hold)


def _hop_ps(chip: ChipSpec, grid: Topology) -> Int64Array:
    """Hop time of every link between routers, (4 * n_routers,)."""
    costs = chip.costs
    hop = np.tile([costs.hop_x_ps, costs.hop_x_ps, costs.hop_y_ps, costs.hop_y_ps], grid.n_routers)
    return np.where(grid.crosses_chips, costs.chip_hop_ps, hop)
