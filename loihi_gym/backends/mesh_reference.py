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

A receiver takes its messages one at a time in the order of arrival, the lower fabric first. A queue
counts messages that arrived before the instant and have not started by then.
"""

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from .mesh_kernel import Int32Array, Int64Array, Load, Mesh


@dataclass
class Message:
    """One message: where it goes, what the receiver takes, when it is there."""

    core: int
    receive: int
    arrival: int = 0


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
    """A core's receiving side; (arrival, start) of all its messages."""

    times: list[tuple[int, int]] = field(default_factory=list)
    free: int = 0

    def waiting(self, now: int) -> int:
        """Messages in its queue."""
        return sum(arrival < now and start > now for arrival, start in self.times)


@dataclass
class Sender:
    """A core's sending side: (work, message) to come, then the tail."""

    script: deque[tuple[int, Message]]
    tail: int
    ready: int = 0
    sent: int = 0


class Simulation:
    """One step of one mapping."""

    def __init__(self, mesh: Mesh, load: Load, placement: Int32Array, step: int) -> None:
        self.mesh = mesh
        self.end = 0
        self.agenda: list[int] = []
        ports = mesh.fabrics * len(mesh.downstream)
        self.inputs = [Input() for _ in range(ports)]
        self.outputs = [Output(mesh.depth) for _ in range(ports)]
        self.injection_credits = [mesh.depth] * ports
        self.returning: list[tuple[int, int, bool]] = []  # (when, port, to a core)
        self.receivers = [Receiver() for _ in mesh.core_router]
        self.senders: dict[int, Sender] = {}
        for logical, core in enumerate(placement.tolist()):
            script, rest = _script(mesh, load, placement, logical, step)
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
        for _, port, to_core in [item for item in self.returning if item[0] <= now]:
            if to_core:
                self.injection_credits[port] += 1
            else:
                self.outputs[port].credits += 1
        self.returning = [item for item in self.returning if item[0] > now]

    def _place(self, port: int) -> tuple[int, int, int]:
        """First port of its fabric, router, and port of that router."""
        here = port % len(self.mesh.downstream)
        return port - here, here // self.mesh.ports, here % self.mesh.ports

    def _wanted_way(self, router: int, core: int) -> int:
        mesh, target = self.mesh, int(self.mesh.core_router[core])
        if target == router:
            return int(mesh.core_port[core])
        dx = int(mesh.router_x[target]) - int(mesh.router_x[router])
        dy = int(mesh.router_y[target]) - int(mesh.router_y[router])
        if dx:
            return mesh.core_ports + (0 if dx > 0 else 1)
        return mesh.core_ports + (2 if dy > 0 else 3)

    def _choose(self, port: int, now: int) -> None:
        output = self.outputs[port]
        if output.chosen is not None or output.free > now:
            return
        fabric, router, way = self._place(port)
        for k in range(self.mesh.ports):
            candidate = (output.turn + k) % self.mesh.ports
            source = self.inputs[fabric + router * self.mesh.ports + candidate]
            if not source.queue or source.queue[0].arrival > now or source.free > now:
                continue
            if self._wanted_way(router, source.queue[0].core) == way:
                output.chosen, output.chosen_at = candidate, now
                output.turn = (candidate + 1) % self.mesh.ports
                self._at(now + self.mesh.allocation)
                return

    def _send(self, port: int, now: int) -> None:
        output, mesh = self.outputs[port], self.mesh
        if output.chosen is None or output.chosen_at + mesh.allocation > now:
            return
        fabric, router, way = self._place(port)
        source_port = port - way + output.chosen
        source = self.inputs[source_port]
        message = source.queue[0]
        arrival = now + int(mesh.wire[router * mesh.ports + way])
        if way < mesh.core_ports:
            receiver = self.receivers[message.core]
            if receiver.waiting(now) >= mesh.queue:
                return  # the start of a waiting message is on the agenda
            start = max(arrival, receiver.free)
            receiver.times.append((arrival, start))
            receiver.free = start + message.receive
            self.end = max(self.end, receiver.free)
            self._at(start)
            self._at(arrival + 1)  # from when on the queue counts it
        else:
            if output.credits == 0:
                return
            output.credits -= 1
            message.arrival = arrival
            self.inputs[fabric + int(mesh.downstream[router * mesh.ports + way])].queue.append(
                message
            )
            self._at(arrival)
        source.queue.popleft()
        output.chosen = None
        output.free = source.free = now + int(mesh.hold[router * mesh.ports + way])
        self._at(output.free)
        self._credit_back(source_port, now + mesh.credit)

    def _credit_back(self, port: int, time: int) -> None:
        fabric, router, way = self._place(port)
        if way < self.mesh.core_ports:
            self.returning.append((time, port, True))
        else:
            neighbour = int(self.mesh.downstream[router * self.mesh.ports + way])
            self.returning.append((time, fabric + neighbour, False))
        self._at(time)

    def _inject(self, core: int, now: int) -> None:
        sender, mesh = self.senders[core], self.mesh
        if not sender.script or sender.ready > now:
            return
        port = (sender.sent % mesh.fabrics) * len(mesh.downstream)
        port += int(mesh.core_router[core]) * mesh.ports + int(mesh.core_port[core])
        if self.injection_credits[port] == 0:
            return
        self.injection_credits[port] -= 1
        _, message = sender.script.popleft()
        message.arrival = now + mesh.inject
        self.inputs[port].queue.append(message)
        self._at(message.arrival)
        sender.sent += 1
        self._work(sender, now, now + mesh.inject_hold)


def simulate_reference(mesh: Mesh, load: Load, placement: Int32Array, steps: int) -> Int64Array:
    """As `mesh_kernel.simulate`: time of each step in ticks without the barrier, (T,)."""
    return np.array([Simulation(mesh, load, placement, step).run() for step in range(steps)])


def _script(
    mesh: Mesh, load: Load, placement: Int32Array, logical: int, step: int
) -> tuple[deque[tuple[int, Message]], int]:
    """All messages of a core in order, each with the work before it, and the work after the last.

    The work of a neuron without messages adds to that before the next one.
    """
    start, count = int(load.next_core[logical]), int(load.fan_out[logical])
    targets = sorted(
        range(start, start + count), key=lambda target: mesh.send_rank[placement[target]]
    )
    script: deque[tuple[int, Message]] = deque()
    work = 0
    first, stop = load.neuron_first[step, logical : logical + 2].tolist()
    for neuron in range(first, stop):
        work += int(load.work[neuron])
        for target in targets:
            receive = int(load.receive[load.row_first[neuron] + target - start])
            if receive >= 0:
                script.append((work + mesh.spike, Message(int(placement[target]), receive)))
                work = 0
    return script, work
