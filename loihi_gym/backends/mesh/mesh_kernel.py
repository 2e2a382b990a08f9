"""The mesh simulation's inner loop: an event queue that skips from departure to departure.

The rules are those of `mesh_reference`, which spells them out one by one; tests hold the two equal.
What makes this one fast is that it keeps no clock and has one event per message and link. A message
that gets to the head of a buffer *asks* for its output at once, with the time from which on it may
be chosen; an output knows from the earliest of them when it will choose, and its only event is the
departure after that. A credit is the time at which a buffer slot was emptied, and a receiver's
queue is the list of times at which its messages start. Times are ticks, whole numbers of a common
divisor of all the chip's delays.

A chip whose routers copy messages (`Tree`) has one message per sending neuron, which wants all
outputs on its way at once; each copy leaves when it can, and the buffer slot is free when the last
one has. No deadlock can come of it: a message waits only for links further on along X, then along
Y, and for receivers, which wait for nothing; so the waits have no circle, and whoever is last in
that order moves.

All events of a tick can be played in any order, because each has its effect later than the tick.
The one exception is decided here: messages of several fabrics that reach one receiver together are
queued by fabric, so departures are played in ascending order of output.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...arrays import Int32Array, Int64Array, Records
from ...compiled import inlined, kernel

WHEEL = 1 << 13
"""Ticks the event wheel spans; what is due later is put back until it is in reach."""
WORDS = WHEEL >> 6

MOST_WIDTH, MOST_HEIGHT = 1 << 12, 1 << 11
"""Routers along x and y that `address` tells apart."""
MOST_CORES_PER_ROUTER = 63 - 4
"""An output keeps a bit for each input port of its router, four of them from its neighbours."""
MOST_TICKS = (1 << 31) - 1
"""The longest single delay; what is far away is put back on the wheel again and again."""

WIDE = 1 << 7
"""Bit of an address that says that its message takes two words."""
PORT = WIDE - 1
"""Bits of an address that are the core's port of its router."""

NEVER = 1 << 62
LONG_AGO = -(1 << 62)

_DEBRUIJN = np.uint64(0x03F79D71B4CB0A89)
_LOWEST_BIT = np.zeros(64, np.int64)
for _bit in range(64):
    _LOWEST_BIT[(0x03F79D71B4CB0A89 << _bit) % (1 << 64) >> 58] = _bit

INPUT = np.dtype(
    [
        # Fixed: where it is, port 0 of its router and fabric, event of what fills it.
        ("x", np.int32),
        ("y", np.int32),
        ("first", np.int32),
        ("sender", np.int32),
        # The buffer: messages in it, slots from 0 to depth - 1, from when on the head may ask.
        ("count", np.int32),
        ("head", np.int32),
        ("tail", np.int32),
        ("sender_waits", np.int32),
        ("free", np.int64),
        ("asked", np.int64),  # from when on the head may be chosen
    ],
    align=True,
)
OUTPUT = np.dtype(
    [
        # Fixed. It leads to the core `core` or, if that is -1, to the input `downstream`.
        ("wire", np.int64),  # from a departure to the arrival behind it
        ("hold", np.int32),  # from a departure until the output and its input may be used again
        ("more", np.int32),  # how much longer that is for a message of two words
        ("first", np.int32),
        ("core", np.int32),
        ("downstream", np.int32),
        ("fabric", np.int32),
        ("wanted", np.int64),  # bit per input port whose head asked for it
        ("free", np.int64),
        ("choice", np.int64),  # when it chooses, or did; NEVER if nothing is wanted
        ("turn", np.int32),  # input port to be looked at first
        ("chosen", np.int32),  # input port, -1 before the departure is tried
    ],
    align=True,
)
SLOT = np.dtype(
    [
        ("time", np.int64),  # when its message arrives or, if it has none, when it was emptied
        ("receive", np.int32),
        ("address", np.int32),
    ],
    align=True,
)
CORE = np.dtype(
    [
        # Fixed.
        ("address", np.int32),  # x, y and port as messages carry them
        ("x", np.int32),
        ("y", np.int32),
        ("port", np.int32),  # of its router
        ("rank", np.int32),  # when its messages leave among a neuron's
        ("injection", np.int32),  # input port in fabric 0
        # The sending side, with the message in hand.
        ("fabric", np.int32),
        ("logical", np.int32),
        ("position", np.int32),
        ("neuron", np.int64),
        ("target", np.int32),  # address
        ("receive", np.int32),
        # The receiving side.
        ("received", np.int64),
        ("receiver_free", np.int64),
    ],
    align=True,
)
EVENT = np.dtype([("due", np.int64), ("following", np.int32), ("slot", np.int32)])
COPY = np.dtype(
    [
        # A message on its way to the receivers first to last - 1, as the sender's are ordered.
        ("neuron", np.int64),
        ("ways", np.int64),  # outputs that a head which has asked is still to leave by, a bit each
        ("start", np.int32),  # first logical core of the receivers
        ("first", np.int32),
        ("last", np.int32),
    ],
    align=True,
)
START = np.dtype([("arrival", np.int64), ("start", np.int64)], align=True)


class Delays(NamedTuple):
    """Delays in ticks and sizes that hold for the whole network.

    Attributes:
        fabrics: Parallel networks; a core's k-th message takes fabric k modulo their number.
        ports: Ports of a router: its cores, then E, W, N, S.
        depth: Messages an input buffer holds.
        queue: Messages that wait at a receiver.
        allocation: From an output's choice of a message to its earliest departure.
        credit: From a message leaving a buffer until the sender knows.
        inject: From a core's departure to the arrival at its router.
        inject_hold: Least time between two departures from a core, for a message of one word.
        spike: Work per message.
    """

    fabrics: int
    ports: int
    depth: int
    queue: int
    allocation: int
    credit: int
    inject: int
    inject_hold: int
    spike: int


class Mesh(NamedTuple):
    """A chip's network: what is fixed, and the workspace of one thread.

    Input port ``C + d`` of a router with C cores takes what the neighbour in direction d sends;
    output port ``C + d`` leads to it. Ports are numbered fabric by fabric, router by router.
    Events are numbered: outputs (a message may leave), then physical cores (one is ready).
    """

    inputs: Records  # INPUT
    outputs: Records  # OUTPUT
    cores: Records  # CORE, physical
    slots: Records  # SLOT, depth per input
    starts: Records  # START, the last ones of each receiver
    ring: int  # how many of them, a power of two
    stride: int  # ports of a fabric
    events: Records  # EVENT
    wheel: Int32Array  # event at each tick, (WHEEL,)
    occupied: npt.NDArray[np.uint64]  # which ticks have any, a bit each, (WORDS,)
    order: Int32Array  # logical cores as their senders address them, (n_cores,)
    addresses: Int32Array  # of those, (n_cores,)
    listed: Int32Array  # events of one tick, (n_events,)


class Tree(NamedTuple):
    """What a network whose routers copy messages keeps besides.

    Attributes:
        copies: Where the message of each slot goes, COPY, as long as the slots.
    """

    copies: Records


class Load(NamedTuple):
    """What the logical cores do in T steps, in ticks; see `Traffic` for the layout.

    Attributes:
        next_core: First logical core that each one sends to, (N,).
        fan_out: Logical cores it sends to, (N,); cores with overlapping ranges share theirs.
        wide: `WIDE` for cores whose messages take two words, else 0, (N,).
        neuron_first: Where each core's sending neurons begin, (T, N + 1).
        work: Before the messages of each sending neuron, (S,).
        tail: After the last message, (T, N).
        row_first: Where each sending neuron's row of `receive` begins, (S,).
        receive: What its receiver takes for each of `fan_out` messages; -1 for no message.
    """

    next_core: Int32Array
    fan_out: Int32Array
    wide: Int32Array
    neuron_first: Int64Array
    work: Int64Array
    tail: Int64Array
    row_first: Int64Array
    receive: Int32Array


def new_mesh(inputs: Records, outputs: Records, cores: Records, delays: Delays) -> Mesh:
    """A workspace around the fixed part of ports and cores, which is copied."""
    ring = ring_size(delays.queue, delays.fabrics)
    return Mesh(
        inputs=_aligned(inputs),
        outputs=_aligned(outputs),
        cores=_aligned(cores),
        slots=_aligned(np.zeros(len(inputs) * delays.depth, SLOT)),
        starts=_aligned(np.zeros(len(cores) * ring, START)),
        ring=ring,
        stride=len(inputs) // delays.fabrics,
        events=np.zeros(len(outputs) + len(cores), EVENT),
        wheel=np.full(WHEEL, -1, np.int32),
        occupied=np.zeros(WORDS, np.uint64),
        order=np.zeros(len(cores), np.int32),
        addresses=np.zeros(len(cores), np.int32),
        listed=np.zeros(len(outputs) + len(cores), np.int32),
    )


def ring_size(queue: int, fabrics: int) -> int:
    """Starts to be kept of each receiver, a power of two.

    A queue, and for each fabric a message on its way to it and one that does not see that one.
    """
    return 1 << (queue + 2 * fabrics - 1).bit_length()


def _aligned(table: Records) -> Records:
    """A copy that begins with a cache line, so that no record of 64 bytes lies in two."""
    room = np.zeros(table.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = room[start : start + table.nbytes].view(table.dtype)
    copy[:] = table
    return copy


def address(x: Int32Array, y: Int32Array, port: Int32Array) -> Int32Array:
    """Where a core is, as one number that is cheap to take apart.

    The bits hold `MOST_WIDTH` x `MOST_HEIGHT` routers; `WIDE` stands between row and port.
    """
    return x << 19 | y << 8 | port


def new_tree(mesh: Mesh) -> Tree:
    """What a workspace needs besides where routers copy messages."""
    return Tree(np.zeros(len(mesh.slots), COPY))


def simulate(
    delays: Delays, mesh: Mesh, load: Load, placement: Int32Array, tree: Tree | None = None
) -> Int64Array:
    """Time of each step in ticks without the barrier, (T,).

    Args:
        delays: Of the network.
        mesh: The caller's workspace; two threads must not share one.
        load: What the N logical cores do.
        placement: Physical core of each logical core, (N,).
        tree: Part of the workspace if routers copy messages, else None.
    """
    step_ticks = np.zeros(len(load.tail), np.int64)
    # A copy, because numba compiles anew for read-only arrays.
    _simulate(delays, mesh, tree, load, np.array(placement, np.int32), step_ticks)
    return step_ticks


@partial(kernel, _nrt=False)
def _simulate(delays, mesh, tree, load, placement, step_ticks):  # type: ignore[no-untyped-def]
    # numba leaves out all that hangs on `tree` where it is None: either kind of network is compiled
    # by itself.
    _sort_destinations(mesh, load, placement)
    for step in range(len(step_ticks)):
        _reset(mesh)
        end = _start_cores(delays, mesh, tree, load, placement, step)
        step_ticks[step] = _run(delays, mesh, tree, load, step, end)


@inlined
def _sort_destinations(mesh, load, placement):  # type: ignore[no-untyped-def]
    """Order each range of receivers by the rank of where they sit (insertion sort)."""
    order, done = mesh.order, 0
    for sender in range(len(load.next_core)):
        start, stop = load.next_core[sender], load.next_core[sender] + load.fan_out[sender]
        if stop <= done:
            continue  # shares the range of a core before it
        done = stop
        for i in range(start, stop):
            k, rank = i, mesh.cores[placement[i]].rank
            while k > start and mesh.cores[placement[order[k - 1]]].rank > rank:
                order[k] = order[k - 1]
                k -= 1
            order[k] = i
        for i in range(start, stop):
            mesh.addresses[i] = mesh.cores[placement[order[i]]].address


@inlined
def _reset(mesh):  # type: ignore[no-untyped-def]
    """Back to an idle network; the event wheel is empty by itself when a step ends."""
    for p in range(len(mesh.inputs)):
        port = mesh.inputs[p]
        port.count = port.head = port.tail = port.sender_waits = 0
        port.free = port.asked = 0
    for o in range(len(mesh.outputs)):
        output = mesh.outputs[o]
        output.wanted = output.free = output.turn = 0
        output.choice = NEVER
        output.chosen = -1
    for s in range(len(mesh.slots)):
        mesh.slots[s].time = LONG_AGO
    for c in range(len(mesh.cores)):
        core = mesh.cores[c]
        core.fabric = core.received = core.receiver_free = 0


@inlined
def _start_cores(delays, mesh, tree, load, placement, step):  # type: ignore[no-untyped-def]
    """Let every core work towards its first message; returns when the silent ones are done."""
    end = np.int64(0)
    for logical in range(len(placement)):
        core = mesh.cores[placement[logical]]
        core.logical = logical
        core.neuron = load.neuron_first[step, logical] - 1
        core.position = load.fan_out[logical]
        done = _work_on(
            delays, mesh, tree, load, step, placement[logical], np.int64(0), np.int64(0)
        )
        end = max(end, done)
    return end


@inlined
def _work_on(delays, mesh, tree, load, step, c, now, earliest):  # type: ignore[no-untyped-def]
    """Bring a core to its next message; returns when it is done if there is none, else 0.

    The core works from `now`; its message leaves no sooner than `earliest`.
    """
    core = mesh.cores[c]
    logical = core.logical
    start, fan_out = load.next_core[logical], load.fan_out[logical]
    neuron, position = core.neuron, core.position + 1
    end = load.neuron_first[step, logical + 1]
    ready = now + delays.spike
    done = np.int64(0)
    searching = True
    while searching:
        if position < fan_out:
            receive = load.receive[load.row_first[neuron] + mesh.order[start + position] - start]
            if receive >= 0:
                core.neuron, core.position = neuron, position
                core.target = mesh.addresses[start + position] | load.wide[logical]
                core.receive = receive
                if tree is not None:
                    core.position = fan_out  # the message is for all receivers: this one and on
                    core.target = position << 8 | load.wide[logical]
                _schedule(mesh, len(mesh.outputs) + c, max(ready, earliest), now)
                searching = False
            position += 1
        else:
            neuron += 1
            position = 0
            if neuron < end:
                ready += load.work[neuron]
            else:
                done = ready - delays.spike + load.tail[step, logical]
                searching = False
    return done


@inlined
def _schedule(mesh, e, due, now):  # type: ignore[no-untyped-def]
    """Put an event on the wheel."""
    slot = min(due, now + WHEEL - 1) & (WHEEL - 1)
    event = mesh.events[e]
    event.due = due
    event.slot = slot
    event.following = mesh.wheel[slot]
    mesh.wheel[slot] = e
    mesh.occupied[slot >> 6] |= np.uint64(1) << np.uint64(slot & 63)


@inlined
def _unschedule(mesh, e):  # type: ignore[no-untyped-def]
    """Take an event off the wheel; its tick stays marked, perhaps with nothing to do."""
    event = mesh.events[e]
    other = mesh.wheel[event.slot]
    if other == e:
        mesh.wheel[event.slot] = event.following
    else:
        while mesh.events[other].following != e:
            other = mesh.events[other].following
        mesh.events[other].following = event.following


@inlined
def _lowest(bits):  # type: ignore[no-untyped-def]
    """Place of the lowest bit that is set."""
    unsigned = np.uint64(bits)
    lowest = unsigned & (~unsigned + np.uint64(1))
    return _LOWEST_BIT[(lowest * _DEBRUIJN) >> np.uint64(58)]


@inlined
def _next_tick(mesh, now):  # type: ignore[no-untyped-def]
    """First tick from `now` on with an event, or -1 if there is none."""
    slot = now & (WHEEL - 1)
    word = slot >> 6
    bits = mesh.occupied[word] & (~np.uint64(0) << np.uint64(slot & 63))
    base, last = now - (slot & 63), now - (slot & 63) + WHEEL
    while bits == 0 and base < last:
        word = (word + 1) & (WORDS - 1)
        bits = mesh.occupied[word]
        base += 64
    return np.int64(-1) if bits == 0 else base + _lowest(bits)


@inlined
def _run(delays, mesh, tree, load, step, end):  # type: ignore[no-untyped-def]
    """Play all events; returns when the last core, receiver and link are quiet."""
    outputs = len(mesh.outputs)
    now = _next_tick(mesh, np.int64(0))
    while now >= 0:
        slot = now & (WHEEL - 1)
        e = mesh.wheel[slot]
        mesh.wheel[slot] = -1
        mesh.occupied[slot >> 6] &= ~(np.uint64(1) << np.uint64(slot & 63))
        playing = 0
        while e >= 0:
            event = mesh.events[e]
            following = event.following
            if event.due > now:
                _schedule(mesh, e, event.due, now)
            else:
                k = playing
                while k > 0 and mesh.listed[k - 1] > e:
                    mesh.listed[k] = mesh.listed[k - 1]
                    k -= 1
                mesh.listed[k] = e
                playing += 1
            e = following
        for k in range(playing):
            e = mesh.listed[k]
            if e < outputs:
                done = _send(delays, mesh, tree, load, e, now)
            else:
                done = _inject(delays, mesh, tree, load, step, e - outputs, now)
            end = max(end, done)
        now = _next_tick(mesh, now + 1)
    return end


@inlined
def _way(delays, port, target):  # type: ignore[no-untyped-def]
    """Output of a router that a message for an address leaves by: X first, then Y."""
    x, y = target >> 19, (target >> 8) & 0x7FF
    east = delays.ports - 4
    if x != port.x:
        way = east if x > port.x else east + 1
    elif y != port.y:
        way = east + 2 if y > port.y else east + 3
    else:
        way = target & PORT
    return way


@inlined
def _ask(delays, mesh, tree, load, p, since, now):  # type: ignore[no-untyped-def]
    """The head of an input asks for its output, or outputs, which may choose it `since`."""
    port = mesh.inputs[p]
    port.asked = since
    if tree is None:
        target = mesh.slots[p * delays.depth + port.head].address
        _want(delays, mesh, p, _way(delays, port, target), since, now)
    else:
        copy = tree.copies[p * delays.depth + port.head]
        copy.ways = 0
        row = load.row_first[copy.neuron] - copy.start
        for k in range(copy.first, copy.last):
            if load.receive[row + mesh.order[copy.start + k]] >= 0:
                way = _way(delays, port, mesh.addresses[copy.start + k])
                bit = np.int64(1) << np.int64(way)
                if copy.ways & bit == 0:
                    copy.ways |= bit
                    _want(delays, mesh, p, way, since, now)


@inlined
def _want(delays, mesh, p, way, since, now):  # type: ignore[no-untyped-def]
    """An output is wanted by the head of an input; it may choose sooner than it knew."""
    port = mesh.inputs[p]
    o = port.first + way
    output = mesh.outputs[o]
    output.wanted |= np.int64(1) << np.int64(p - port.first)
    choice = max(since, output.free)
    if choice < output.choice:  # never so once it has chosen: the past is before any `since`
        if output.choice != NEVER:
            _unschedule(mesh, o)
        output.choice = choice
        _schedule(mesh, o, choice + delays.allocation, now)


@inlined
def _choose(delays, mesh, output):  # type: ignore[no-untyped-def]
    """Of the inputs that had asked when the output chose, the next in turn."""
    wanted = output.wanted
    ahead = wanted >> output.turn << output.turn  # from the turn on, then the rest
    way = _lowest(ahead if ahead else wanted)
    while mesh.inputs[output.first + way].asked > output.choice:
        wanted &= ~(np.int64(1) << way)
        ahead &= wanted
        way = _lowest(ahead if ahead else wanted)
    output.wanted &= ~(np.int64(1) << way)
    output.turn = way + 1 if way + 1 < delays.ports else 0
    output.chosen = way


@inlined
def _send(delays, mesh, tree, load, o, now):  # type: ignore[no-untyped-def]
    """Move a message on if there is room; returns when the link and receiver are quiet."""
    output = mesh.outputs[o]
    if output.chosen < 0:
        _choose(delays, mesh, output)
    source = output.first + output.chosen
    at = source * delays.depth + mesh.inputs[source].head
    slot = mesh.slots[at]
    done = np.int64(0)
    if output.core >= 0:
        leaves = _receiver_room(delays, mesh, output.core, output.fabric, now)
        if leaves > now:
            _schedule(mesh, o, leaves, now)
            leaves = -1
        else:
            receive = slot.receive
            if tree is not None:
                receive = _receive_of(mesh, tree.copies[at], load, output.core)
            done = _receive(delays, mesh, output, receive, now + output.wire)
    else:
        leaves = now
        if _has_room(delays, mesh, output.downstream, o, now):
            arrival = now + output.wire
            p = output.downstream
            if tree is not None:
                first, last = _branch(delays, mesh, tree.copies[at], source, o - output.first)
                into = p * delays.depth + mesh.inputs[p].tail
                _address_copy(
                    tree.copies[into], tree.copies[at].neuron, tree.copies[at].start, first, last
                )
            _push(delays, mesh, tree, load, p, slot.address, slot.receive, arrival, now)
        else:
            leaves = -1
    if leaves >= 0:
        output.free = now + output.hold
        if slot.address & WIDE:
            output.free += output.more
        done = max(done, output.free)
        output.chosen = -1
        output.choice = NEVER
        if output.wanted:
            _plan(delays, mesh, o, now)
        last_copy = True
        if tree is not None:
            tree.copies[at].ways &= ~(np.int64(1) << np.int64(o - output.first))
            last_copy = tree.copies[at].ways == 0
        if last_copy:
            _pop(delays, mesh, tree, load, source, output.free, now)
    return done


@inlined
def _receive_of(mesh, copy, load, core):  # type: ignore[no-untyped-def]
    """What a core takes for its copy of a message."""
    row = load.row_first[copy.neuron] - copy.start
    receive = np.int32(-1)
    for k in range(copy.first, copy.last):
        if mesh.addresses[copy.start + k] == mesh.cores[core].address:
            receive = load.receive[row + mesh.order[copy.start + k]]
    return receive


@inlined
def _branch(delays, mesh, copy, p, way):  # type: ignore[no-untyped-def]
    """The receivers of a message that it reaches by one output: a range, for they are sorted."""
    first, last = copy.last, copy.first
    for k in range(copy.first, copy.last):
        if _way(delays, mesh.inputs[p], mesh.addresses[copy.start + k]) == way:
            first = min(first, k)
            last = k + 1
    return first, last


@inlined
def _address_copy(copy, neuron, start, first, last):  # type: ignore[no-untyped-def]
    """Fill in where a message goes."""
    copy.neuron = neuron
    copy.start = start
    copy.first = first
    copy.last = last


@inlined
def _plan(delays, mesh, o, now):  # type: ignore[no-untyped-def]
    """An output that is wanted again finds out when it will choose."""
    output = mesh.outputs[o]
    asked, wanted, p = np.int64(NEVER), output.wanted, output.first
    while wanted:
        if wanted & 1:
            asked = min(asked, mesh.inputs[p].asked)
        wanted >>= 1
        p += 1
    output.choice = max(asked, output.free)
    _schedule(mesh, o, output.choice + delays.allocation, now)


@inlined
def _has_room(delays, mesh, p, sender, now):  # type: ignore[no-untyped-def]
    """Whether an input's next slot is known to be empty; if not, the sender's event will come."""
    port = mesh.inputs[p]
    room = False
    if port.count == delays.depth:
        port.sender_waits = 1
    else:
        known = mesh.slots[p * delays.depth + port.tail].time + delays.credit
        room = known <= now
        if not room:
            _schedule(mesh, sender, known, now)
    return room


@inlined
def _push(delays, mesh, tree, load, p, target, receive, arrival, now):  # type: ignore[no-untyped-def]
    """Put a message into an input buffer, where it arrives later."""
    port = mesh.inputs[p]
    slot = mesh.slots[p * delays.depth + port.tail]
    slot.address = target
    slot.receive = receive
    slot.time = arrival
    port.tail = port.tail + 1 if port.tail + 1 < delays.depth else 0
    port.count += 1
    if port.count == 1:
        _ask(delays, mesh, tree, load, p, max(arrival, port.free), now)


@inlined
def _pop(delays, mesh, tree, load, p, free, now):  # type: ignore[no-untyped-def]
    """Take the head off an input buffer; the next one may be chosen from `free` on."""
    port = mesh.inputs[p]
    mesh.slots[p * delays.depth + port.head].time = now
    port.head = port.head + 1 if port.head + 1 < delays.depth else 0
    port.free = free
    port.count -= 1
    if port.count > 0:
        since = max(mesh.slots[p * delays.depth + port.head].time, free)
        _ask(delays, mesh, tree, load, p, since, now)
    if port.sender_waits:
        port.sender_waits = 0
        _schedule(mesh, port.sender, now + delays.credit, now)


@inlined
def _inject(delays, mesh, tree, load, step, c, now):  # type: ignore[no-untyped-def]
    """A core's message is ready: hand it to the router if there is room, and work on.

    Returns when the core's port and, after its last message, the core are quiet.
    """
    core = mesh.cores[c]
    p = core.injection + core.fabric * mesh.stride
    done = np.int64(0)
    if _has_room(delays, mesh, p, len(mesh.outputs) + c, now):
        if tree is not None:
            into = p * delays.depth + mesh.inputs[p].tail
            start, count = load.next_core[core.logical], load.fan_out[core.logical]
            _address_copy(tree.copies[into], core.neuron, start, core.target >> 8, count)
        _push(delays, mesh, tree, load, p, core.target, core.receive, now + delays.inject, now)
        core.fabric = core.fabric + 1 if core.fabric + 1 < delays.fabrics else 0
        free = now + delays.inject_hold
        if core.target & WIDE:
            free += delays.inject_hold
        done = max(free, _work_on(delays, mesh, tree, load, step, c, now, free))
    return done


@inlined
def _receiver_room(delays, mesh, c, fabric, now):  # type: ignore[no-untyped-def]
    """When a receiver's queue has room for a message of `fabric`.

    Seen are messages that arrived before `now`, and at `now` from the fabrics before this one.
    """
    ring, first = mesh.ring, c * mesh.ring
    seen, unseen = mesh.cores[c].received, now * delays.fabrics + fabric
    while seen > 0 and mesh.starts[first + ((seen - 1) & (ring - 1))].arrival >= unseen:
        seen -= 1
    room = now
    if seen >= delays.queue:
        room = max(now, mesh.starts[first + ((seen - delays.queue) & (ring - 1))].start)
    return room


@inlined
def _receive(delays, mesh, output, receive, arrival):  # type: ignore[no-untyped-def]
    """Queue a message at its receiver; returns when the receiver is done with it."""
    core, ring = mesh.cores[output.core], mesh.ring
    entry = mesh.starts[output.core * ring + (core.received & (ring - 1))]
    entry.arrival = arrival * delays.fabrics + output.fabric  # in order of both
    entry.start = max(arrival, core.receiver_free)
    core.received += 1
    core.receiver_free = entry.start + receive
    return core.receiver_free
