"""The mesh simulation's rules, written to be read: the slow twin of `mesh_kernel`.

A step goes from one instant at which something changes to the next. At each instant, in this order:

1. What is due happens: messages arrive in buffers and at receivers, credits return, outputs and
   inputs become free, cores finish a message.
2. Every free output chooses, round robin from the input after its last choice, among the inputs
   whose first message wants it. Message and output now wait for each other.
3. Every chosen message that has been so for the allocation time leaves if there is room: a credit
   for the next buffer or, at the core's port, fewer waiting messages than its queue holds. The
   output, and the input it came from, are busy until the link is free again.
4. Every core with a finished message hands it to its router if it has a credit, and only then
   works on. A core's k-th message takes fabric k modulo the number of fabrics.

Where routers copy messages, a core sends one message for all receivers of a neuron. The first
message of an input wants every output on the way to one of its receivers, each once: copies leave
as their outputs let them, and the message has left the input when the last one has.

A receiver takes its messages one at a time in the order of arrival, the lower fabric first. What
an output of a fabric sees of its queue are the messages that have arrived, before the instant or at
it from a lower fabric, and have not started by then.

The step is over when all cores have done their work and all receivers and links are quiet.
"""

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from ...arrays import Int32Array, Int64Array
from .mesh_kernel import Delays, Load, Mesh


@dataclass
class Message:
    """One message: where it goes, how long it is, when it is there.

    Attributes:
        receive: What each of its receivers takes, by physical core.
        wide: Whether it takes two words.
        arrival: When it is where it is.
        left: Outputs that a copy has left by, while it is first of an input.
    """

    receive: dict[int, int]
    wide: bool
    arrival: int = 0
    left: set[int] = field(default_factory=set)


@dataclass
class Input:
    """A router's input buffer."""

    queue: deque[Message] = field(default_factory=deque)
    free: int = 0


@dataclass
class Output:
    """A router's output, with the credits it has for the buffer behind it."""

    credits: int
    turn: int = 0
    chosen: int | None = None
    chosen_at: int = 0
    free: int = 0


@dataclass
class Receiver:
    """A core's receiving side; ((arrival, fabric), start) of all its messages."""

    times: list[tuple[tuple[int, int], int]] = field(default_factory=list)
    free: int = 0

    def waiting(self, now: int, fabric: int) -> int:
        """Messages in its queue, as an output of `fabric` sees it."""
        return sum(there < (now, fabric) and start > now for there, start in self.times)


@dataclass
class Sender:
    """A core's sending side: (work, message) to come, then the tail."""

    script: deque[tuple[int, Message]]
    tail: int
    ready: int = 0
    sent: int = 0


class Simulation:
    """One step of one mapping. Of `mesh` only the fixed columns are read."""

    def __init__(
        self,
        delays: Delays,
        mesh: Mesh,
        load: Load,
        placement: Int32Array,
        step: int,
        multicast: bool,
    ) -> None:
        self.delays = delays
        self.fixed = mesh.outputs
        self.places = mesh.inputs
        self.cores = mesh.cores
        self.end = 0
        self.agenda: list[int] = []
        self.inputs = [Input() for _ in mesh.inputs]
        self.outputs = [Output(delays.depth) for _ in mesh.inputs]
        self.injection_credits = [delays.depth for _ in mesh.inputs]
        self.returning: list[tuple[int, int]] = []  # (when, input that was emptied)
        self.receivers = [Receiver() for _ in mesh.cores]
        self.senders: dict[int, Sender] = {}
        for logical, core in enumerate(placement.tolist()):
            script, rest = _script(delays, mesh, load, placement, logical, step, multicast)
            self.senders[core] = sender = Sender(script, rest + int(load.tail[step, logical]))
            self._work(sender, 0, 0)

    def run(self) -> int:
        """Play the step; returns its time in ticks."""
        while self.agenda:
            now = heappop(self.agenda)
            while self.agenda and self.agenda[0] == now:
                heappop(self.agenda)
            self._return_credits(now)
            for port in range(len(self.outputs)):
                self._choose(port, now)
            for port in range(len(self.outputs)):
                self._send(port, now)
            for core in self.senders:
                self._inject(core, now)
        return self.end

    def _at(self, time: int) -> None:
        heappush(self.agenda, time)

    def _work(self, sender: Sender, now: int, earliest: int) -> None:
        if sender.script:
            sender.ready = max(now + sender.script[0][0], earliest)
            self._at(sender.ready)
        else:
            self.end = max(self.end, now + sender.tail)

    def _return_credits(self, now: int) -> None:
        for time, port in self.returning:
            if time > now:
                continue
            if self.fixed["core"][port] >= 0:  # the input beside a core's output is the core's
                self.injection_credits[port] += 1
            else:
                self.outputs[self.fixed["downstream"][port]].credits += 1
        self.returning = [item for item in self.returning if item[0] > now]

    def _wanted(self, port: int, core: int) -> int:
        """Output port that a message for `core` at input `port` wants."""
        here, target = self.places[port], self.cores[core]
        dx, dy = int(target["x"]) - int(here["x"]), int(target["y"]) - int(here["y"])
        east = self.delays.ports - 4
        if dx:
            way = east if dx > 0 else east + 1
        elif dy:
            way = east + 2 if dy > 0 else east + 3
        else:
            way = int(target["port"])
        return int(here["first"]) + way

    def _wanted_by(self, port: int, message: Message) -> set[int]:
        """Output ports that the first message of an input has still to leave by."""
        return {self._wanted(port, core) for core in message.receive} - message.left

    def _choose(self, port: int, now: int) -> None:
        output, first = self.outputs[port], int(self.fixed["first"][port])
        if output.chosen is not None or output.free > now:
            return
        for k in range(self.delays.ports):
            candidate = (output.turn + k) % self.delays.ports
            source = self.inputs[first + candidate]
            if not source.queue or source.queue[0].arrival > now or source.free > now:
                continue
            if port in self._wanted_by(first + candidate, source.queue[0]):
                output.chosen, output.chosen_at = first + candidate, now
                output.turn = (candidate + 1) % self.delays.ports
                self._at(now + self.delays.allocation)
                return

    def _send(self, port: int, now: int) -> None:
        output, fixed = self.outputs[port], self.fixed[port]
        if output.chosen is None or output.chosen_at + self.delays.allocation > now:
            return
        source = self.inputs[output.chosen]
        message = source.queue[0]
        arrival = now + int(fixed["wire"])
        if fixed["core"] >= 0:
            core = int(fixed["core"])
            if self.receivers[core].waiting(now, fixed["fabric"]) >= self.delays.queue:
                return  # the start of a waiting message is on the agenda
            self._receive(core, message.receive[core], arrival, int(fixed["fabric"]))
        else:
            if output.credits == 0:
                return  # the return of a credit is on the agenda
            output.credits -= 1
            copy = {
                c: r for c, r in message.receive.items() if self._wanted(output.chosen, c) == port
            }
            self.inputs[fixed["downstream"]].queue.append(Message(copy, message.wide, arrival))
            self._at(arrival)
        output.free = now + int(fixed["hold"]) + message.wide * int(fixed["more"])
        self.end = max(self.end, output.free)
        self._at(output.free)
        message.left.add(port)
        if not self._wanted_by(output.chosen, message):
            source.queue.popleft()
            source.free = output.free
            self.returning.append((now + self.delays.credit, output.chosen))
            self._at(now + self.delays.credit)
        output.chosen = None

    def _receive(self, core: int, receive: int, arrival: int, fabric: int) -> None:
        receiver = self.receivers[core]
        start = max(arrival, receiver.free)
        receiver.times.append(((arrival, fabric), start))
        receiver.free = start + receive
        self.end = max(self.end, receiver.free)
        self._at(start)
        self._at(arrival + 1)  # from when on the queue counts it

    def _inject(self, core: int, now: int) -> None:
        sender, delays = self.senders[core], self.delays
        if not sender.script or sender.ready > now:
            return
        fabric = sender.sent % delays.fabrics
        port = int(self.cores["injection"][core]) + fabric * (len(self.fixed) // delays.fabrics)
        if self.injection_credits[port] == 0:
            return
        self.injection_credits[port] -= 1
        _, message = sender.script.popleft()
        message.arrival = now + delays.inject
        self.inputs[port].queue.append(message)
        self._at(message.arrival)
        sender.sent += 1
        free = now + delays.inject_hold * (1 + message.wide)
        self.end = max(self.end, free)
        self._work(sender, now, free)


def simulate_reference(
    delays: Delays, mesh: Mesh, load: Load, placement: Int32Array, multicast: bool = False
) -> Int64Array:
    """As `mesh_kernel.simulate`: time of each step in ticks without the barrier, (T,)."""
    times = [
        Simulation(delays, mesh, load, placement, step, multicast).run()
        for step in range(len(load.tail))
    ]
    return np.array(times, np.int64)


def _script(
    delays: Delays,
    mesh: Mesh,
    load: Load,
    placement: Int32Array,
    logical: int,
    step: int,
    multicast: bool,
) -> tuple[deque[tuple[int, Message]], int]:
    """All messages of a core in order, each with the work before it, and the work after the last.

    The work of a neuron without messages adds to that before the next one.
    """
    start, count = int(load.next_core[logical]), int(load.fan_out[logical])
    targets = sorted(
        range(start, start + count), key=lambda target: int(mesh.cores["rank"][placement[target]])
    )
    script: deque[tuple[int, Message]] = deque()
    work, wide = 0, bool(load.wide[logical])
    first, stop = load.neuron_first[step, logical : logical + 2].tolist()
    for neuron in range(first, stop):
        work += int(load.work[neuron])
        row = load.row_first[neuron] - start
        receive = {int(placement[t]): int(load.receive[row + t]) for t in targets}
        heard = {core: time for core, time in receive.items() if time >= 0}
        parts = [{core: time} for core, time in heard.items()] if not multicast else [heard]
        for part in parts:
            if part:
                script.append((work + delays.spike, Message(part, wide)))
                work = 0
    return script, work
