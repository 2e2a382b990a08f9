"""A proven lower bound on the latency of all mappings of a problem.

Claim: no legal mapping, whatever its core counts and its placement, has a lower latency on `bound`
or on any backend that is never below `bound`, such as `mesh`.

Proof. Let a mapping cut layer l into k_l pieces and let its steps last B + x_t on `bound`, B being
the barrier. Then, for every step t,

1. x_t is at least what any one core takes to receive, and at least what the port takes through
   which its messages come. Pieces are balanced and contiguous, so both follow from k_l alone.
2. x_t is at least what any one core takes to update its neurons and send, and at least what its
   port takes for the messages. Both follow from k_l and k_(l+1).
3. The network between routers has n directed links, and the shortest message takes each at least
   s. A sender with r target cores has at most w_d other cores within d hops, so at least r - w_d of
   its messages travel more than d hops, and all of them together at least the sum of
   max(0, r - w_d) over d = 0, 1, 2, …. Where routers copy messages, each hop of the one message
   adds one router with c cores at most, so it needs at least (r - w_0) / c hops. Added up over all
   senders, which follows from the counts alone, longer messages counting as often as they are
   longer, that is a least number of hops H_t. Links carry them, so the busiest takes
   x_t >= H_t s / n.
4. The sum of all k_l is at most the number of cores C.

Call x feasible if some counts satisfy 1 to 4 with it. If x is feasible, so is every larger one, and
the x of every mapping is feasible. `_least` encloses the least sum of a feasible x: it cuts the box
of all candidates in two again and again, drops a box if its upper corner is infeasible (then
so is every x in it), and the least sum of lower corners over the boxes that remain is a lower
bound at any time. Candidates outside of the first box have a larger sum than one that is known to
be feasible. It stops once the first of the boxes is narrow, or after `MAX_DECISIONS`.

Whether x is feasible is decided on a relaxation, which may only say yes too often: going backwards
through the layers, the least cost of layers l, …, L - 1 for each k_l follows from that for each
k_(l+1), by 1 and 2. As cost serve the cores (4), then for each step the hops (3), then weighted
sums of both, since whatever satisfies both limits satisfies their weighted sum. QED.

Not counted: that the messages of a step wait for each other, and that the cores of one router
cannot all be close to their targets at once. So the optimum may lie well above the bound.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Literal, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..backends.assembly import link_service_ps
from ..chip import ChipSpec, Topology
from ..mapping import Problem
from ..mapping.fewest import fewest_cores
from ..mapping.heuristics import FIRST_RELEASE, partitions
from ..threads import pool
from .proof_kernel import INFEASIBLE, cheapest, fill_step

MAX_DECISIONS = 400
"""Boxes that are tried, at most, for the joint bound over all steps."""
TOLERANCE = 2000
"""One part in so many of the latency: boxes narrower than that are not cut further."""
MAX_TABLE = 1 << 28
"""Entries of the tables by core count; for larger systems only averages over cores are used."""
WEIGHTS = 4
"""Cores and hops are weighed against each other in so many parts."""

_known: WeakKeyDictionary[Problem, "LowerBound"] = WeakKeyDictionary()


class StepBound(NamedTuple):
    """What each cause alone proves of one step of the fastest mappings, barrier included, in ps.

    A mapping may well beat it in one step if it pays for that in another.

    Attributes:
        cores_ps: From the work of cores and their ports (1, 2 and 4 of the proof).
        links_ps: From the hops of messages (3), however many cores there are.
    """

    cores_ps: int
    links_ps: int

    @property
    def term(self) -> Literal["cores", "links"]:
        """The stronger of the two."""
        return "cores" if self.cores_ps >= self.links_ps else "links"


@dataclass(frozen=True)
class LowerBound:
    """No mapping of the problem is faster than this on `bound` or `mesh`.

    Attributes:
        latency_ps: The joint bound over all steps.
        steps: What is proven of the steps of the fastest mappings, each alone.
    """

    latency_ps: int
    steps: tuple[StepBound, ...]

    @property
    def term(self) -> Literal["cores", "links"]:
        """What bounds the steps, for most of the latency."""
        cores, links = (sum(part) for part in zip(*self.steps, strict=True))
        return "cores" if cores >= links else "links"

    def gap(self, latency_ps: int) -> float:
        """Part of a latency that is above the bound, 0 to 1: no mapping can take off more."""
        return 1.0 - self.latency_ps / latency_ps


def lower_bound(problem: Problem) -> LowerBound:
    """The lower bound of a problem; computed once and kept as long as the problem is.

    Raises:
        IllegalMappingError: if the network does not fit on the chip.
    """
    if problem not in _known:
        _known[problem] = _lower_bound(problem)
    return _known[problem]


def _lower_bound(problem: Problem) -> LowerBound:
    barrier, steps = problem.chip.costs.barrier_ps, problem.activity.steps
    averages = _Averages(problem)
    most, lowest = _feasible_sum(problem), averages.steps_ps()
    highest = most - int(lowest.sum()) + lowest
    fewest = _fewest(problem, averages.fewest(highest), highest)
    counts = np.minimum(problem.topology.n_cores - fewest.sum() + fewest, problem.network.widths)
    if not _countable(problem, counts):
        sure = (lowest + barrier).tolist()
        return LowerBound(sum(sure), tuple(StepBound(ps, barrier) for ps in sure))
    tables = _Tables(problem, fewest, counts)
    cores = [_alone(tables.cores_suffice, lowest, highest, step) for step in range(steps)]
    links = [
        _alone(partial(tables.links_suffice, step), 0 * lowest, highest, step)
        for step in range(steps)
    ]
    both = [_alone(tables.suffices, np.maximum(cores, links), highest, t) for t in range(steps)]
    joint = _least(tables.suffices, np.array(both, np.int64), highest)
    return LowerBound(
        joint + steps * barrier,
        tuple(StepBound(c + barrier, k + barrier) for c, k in zip(cores, links, strict=True)),
    )


def _fewest(problem: Problem, counts: Int64Array, limits: Int64Array) -> Int64Array:
    """Least count of each layer, from `counts` on, with which it receives within the limits."""
    fewest = counts.copy()
    for layer in range(1, problem.n_layers):
        while fewest[layer] < problem.network.widths[layer]:
            received = problem.loads.receivers(layer, int(fewest[layer])).receive_ps
            if (received.max(axis=1) <= limits).all():
                break
            fewest[layer] += 1
    return fewest


def _feasible_sum(problem: Problem) -> int:
    """Sum of step times, barriers left out, that satisfies 1 to 4 of the proof."""
    n, least = n_router_links(problem.topology), least_hops(problem)
    sums = []
    for counts in partitions(problem, FIRST_RELEASE).values():  # frozen bounds follow from them
        traffic = problem.traffic(counts)
        link_ps = _least_link_ps(problem)
        hops = [
            sum(_hops(problem, layer, int(k), step, least) for layer, k in enumerate(counts))
            for step in range(traffic.steps)
        ]
        carried = [-(-count * link_ps // max(n, 1)) for count in hops]
        sums.append(int(np.maximum(traffic.floor_ps, carried).sum()))
    return min(sums)


def _hops(problem: Problem, layer: int, k: int, step: int, least: Int64Array) -> int:
    """Hops that the messages to `k` pieces of a layer need at least; `least` as of `least_hops`."""
    if layer == 0:
        return 0
    reached = np.count_nonzero(problem.loads.receivers(layer, k).synapses[step], axis=1)
    return int(least[reached].sum()) * _length(problem, layer - 1)


def _length(problem: Problem, layer: int) -> int:
    """How many times as long as the network's shortest messages those of a layer are."""
    return problem.loads.words[layer] // min(problem.loads.words)


def _least_link_ps(problem: Problem) -> int:
    """Least time that the shortest message takes a link between routers."""
    links = 4 * problem.topology.n_routers
    return int(link_service_ps(problem.chip)[:links].min()) * min(problem.loads.words)


def _alone(
    suffices: Callable[[Int64Array], bool], lowest: Int64Array, highest: Int64Array, step: int
) -> int:
    """Least time of one step that may suffice if the other steps take as long as they like."""
    limits = highest.copy()
    low, high = int(lowest[step]) - 1, int(highest[step])  # low does not suffice, high does
    while high - low > 1:
        limits[step] = (low + high) // 2
        if suffices(limits):
            high = int(limits[step])
        else:
            low = int(limits[step])
    return high


def _least(suffices: Callable[[Int64Array], bool], lowest: Int64Array, highest: Int64Array) -> int:
    """A lower bound on the sum of step times between `lowest` and `highest` that may suffice."""
    tie = itertools.count()  # boxes do not compare
    boxes = [(int(lowest.sum()), next(tie), lowest, np.maximum(highest, lowest))]
    for _ in range(MAX_DECISIONS):
        total, _, low, high = boxes[0]
        step = int((high - low).argmax())
        if (high - low).sum() <= total // TOLERANCE:
            break
        heapq.heappop(boxes)
        middle = int(low[step] + high[step]) // 2
        for start, end in ((int(low[step]), middle), (middle + 1, int(high[step]))):
            lower, upper = low.copy(), high.copy()
            lower[step], upper[step] = start, end
            if start <= end and suffices(upper):
                heapq.heappush(boxes, (int(lower.sum()), next(tie), lower, upper))
    return boxes[0][0]


class _Averages:
    """The work of each layer in each step, however it is cut; at best its cores share it evenly."""

    def __init__(self, problem: Problem) -> None:
        self._cores = problem.topology.n_cores
        layers, steps = range(problem.n_layers), range(problem.activity.steps)
        self._work = np.array([[_work_ps(problem, layer, t) for t in steps] for layer in layers])
        self._fewest = np.array([fewest_cores(problem, layer) for layer in layers])

    def fewest(self, limits: Int64Array) -> Int64Array:
        """Least count of each layer if steps may take `limits`, (L,)."""
        shares = -(-self._work // np.maximum(limits, 1)).max(axis=1)
        fewest: Int64Array = np.maximum(np.maximum(shares, self._fewest), 1)
        return fewest

    def steps_ps(self) -> Int64Array:
        """Least time of each step alone, (T,)."""
        highest = self._work.sum(axis=0) + 1

        def suffices(limits: Int64Array) -> bool:
            return bool(self.fewest(limits).sum() <= self._cores)

        steps = range(self._work.shape[1])
        return np.array([_alone(suffices, 0 * highest, highest, t) for t in steps], np.int64)


def _work_ps(problem: Problem, layer: int, step: int) -> int:
    """Least work of all cores of a layer: the longer of its sending and its receiving side."""
    loads, costs, width = problem.loads, problem.chip.costs, problem.network.widths[layer]
    active = int(np.count_nonzero(problem.activity.messages[layer][step]))
    sending = active * costs.neuron_active_ps + (width - active) * costs.neuron_inactive_ps
    receiving = 0
    if layer + 1 < problem.n_layers:
        synapses = np.diff(loads.targets(layer, step).first)
        sending += int(np.count_nonzero(synapses)) * (costs.spike_ps + costs.axon_ps)
    if layer > 0:
        bits, axon_words, word_ps, synop_ps = loads.cost(layer)
        synapses = np.diff(loads.targets(layer - 1, step).first)
        words = np.where(synapses > 0, axon_words - (-synapses * bits // 64), 0)
        receiving = int(words.sum()) * word_ps + int(synapses.sum()) * synop_ps
    return max(sending, receiving)


def _countable(problem: Problem, counts: Int64Array) -> bool:
    """Whether tables for all counts are small enough, and their weighted sums fit 64 bits."""
    senders = [int(np.count_nonzero(sent)) for sent in problem.activity.messages[:-1]]
    size, mesh = int((np.array(senders) * counts[1:]).sum()), problem.topology
    heaviest = WEIGHTS * mesh.n_cores * size * (mesh.width + mesh.height)
    return size <= MAX_TABLE and heaviest < int(INFEASIBLE)


class _LayerTables(NamedTuple):
    """Tables of one layer for all its counts up to K and the next layer's up to K'."""

    receive_ps: Int64Array  # longest that a piece receives, (K + 1, T)
    until: Int32Array  # sending neurons before each neuron, (T, width + 1)
    heard: Int32Array  # those of them that have a target, (T, width + 1)
    reached: Int32Array  # messages of the first senders, (T, K' + 1, A + 1)
    hops: Int64Array  # hops that messages to this layer need at least, (K + 1, T)


class _Tables:
    """Decides whether step times may suffice for any mapping; see the proof."""

    def __init__(self, problem: Problem, fewest: Int64Array, counts: Int64Array) -> None:
        chip = problem.chip
        self._problem = problem
        self._fewest, self._counts = fewest, counts
        self._times = [_send_times(chip, words) for words in problem.loads.words]
        self._link_ps = _least_link_ps(problem)
        self._links = n_router_links(problem.topology)
        self._layers = _fill(problem, fewest, counts)
        self._all_hops = sum(layer.hops.max(axis=0) for layer in self._layers)
        # From this time on, the links can carry all of them.
        self._enough_ps = -(-self._all_hops * self._link_ps // max(self._links, 1))

    def suffices(self, limits: Int64Array) -> bool:
        """Whether cores, hops and their weighted sums may all be within their limits."""
        most, cores = self._most_hops(limits), self._problem.topology.n_cores
        least, counts = self._cheapest(limits, 1, 0, 0)
        if least > cores:
            return False
        if (self._hops(counts) <= most).all():
            return True
        for step in range(len(limits)):
            for weight in range(WEIGHTS):
                hops, limit = (WEIGHTS - weight) * cores, WEIGHTS * cores * int(most[step])
                if self._cheapest(limits, weight * int(most[step]), hops, step)[0] > limit:
                    return False
        return True

    def cores_suffice(self, limits: Int64Array) -> bool:
        """Whether there may be enough cores."""
        return self._cheapest(limits, 1, 0, 0)[0] <= self._problem.topology.n_cores

    def links_suffice(self, step: int, limits: Int64Array) -> bool:
        """Whether the links may carry the messages of a step within its limit."""
        most = int(self._most_hops(limits)[step])
        return (
            int(
                sum(
                    layer.hops[least:, step].min()
                    for layer, least in zip(self._layers[1:], self._fewest[1:], strict=True)
                )
            )
            <= most
        )

    def _most_hops(self, limits: Int64Array) -> Int64Array:
        """Messages times hops that all links together can carry in time, if not all, (T,)."""
        in_time = np.minimum(limits, self._enough_ps) * self._links // max(self._link_ps, 1)
        most: Int64Array = np.where(limits < self._enough_ps, in_time, self._all_hops)
        return most

    def _hops(self, counts: list[int]) -> Int64Array:
        """Hops that the messages of a partitioning need at least, (T,)."""
        hops: Int64Array = sum(layer.hops[k] for layer, k in zip(self._layers, counts, strict=True))
        return hops

    def _cheapest(
        self, limits: Int64Array, per_core: int, per_hop: int, step: int
    ) -> tuple[int, list[int]]:
        """Least cost of all layers within time limits, and core counts that have it."""
        following, order = np.zeros(1, np.int64), np.zeros(1, np.int64)
        choices = []
        for index in reversed(range(len(self._layers))):
            layer, k = self._layers[index], np.arange(int(self._counts[index]) + 1)
            own = np.where(k >= self._fewest[index], k * per_core, INFEASIBLE)
            own = own + per_hop * layer.hops[:, step]
            width = self._problem.network.widths[index]
            following, choice = cheapest(
                width,
                layer.receive_ps,
                layer.until,
                layer.heard,
                layer.reached,
                self._times[index],
                limits,
                own,
                following,
                order,
            )
            choices.append(choice)
            order = np.argsort(following, kind="stable")
            order = order[following[order] < INFEASIBLE]
        counts = [int(following.argmin())]
        for choice in reversed(choices):
            counts.append(int(choice[counts[-1]]))
        return int(following.min()), counts[:-1]


def _send_times(chip: ChipSpec, words: int) -> tuple[int, int, tuple[int, int], tuple[int, int]]:
    """What a core and its port take to send.

    Returns:
        For an active neuron and an inactive one, then (core, port) for each destination core of a
        sending neuron, and the same for each neuron that has a destination.
    """
    costs, port_ps = chip.costs, chip.costs.link_ps * words
    own = (costs.neuron_active_ps, costs.neuron_inactive_ps)
    if chip.structure.multicast == "tree":
        return *own, (costs.axon_ps, 0), (costs.spike_ps, port_ps)
    return *own, (costs.axon_ps + costs.spike_ps, port_ps), (0, 0)


def _fill(problem: Problem, fewest: Int64Array, counts: Int64Array) -> list[_LayerTables]:
    """The tables of all layers."""
    loads, widths, steps = problem.loads, problem.network.widths, problem.activity.steps
    least, chip = least_hops(problem), problem.chip
    arriving_ps = chip.costs.link_ps // max(chip.network.fabrics, 1)
    layers = [_empty(problem, layer, counts) for layer in range(len(widths))]

    def fill(layer: int, step: int) -> None:
        targets, after = loads.targets(layer, step), layers[layer + 1]
        fill_step(
            targets.first,
            targets.neurons,
            widths[layer + 1],
            loads.cost(layer + 1),
            arriving_ps * loads.words[layer],
            least * _length(problem, layer),
            int(fewest[layer + 1]),
            after.receive_ps[:, step],
            layers[layer].reached[step],
            after.hops[:, step],
        )

    list(pool().map(fill, *zip(*product(range(len(widths) - 1), range(steps)), strict=True)))
    return layers


def _empty(problem: Problem, layer: int, counts: Int64Array) -> _LayerTables:
    """A layer's tables before anything is received."""
    steps, last = problem.activity.steps, layer + 1 == problem.n_layers
    sends = np.stack([sent != 0 for sent in problem.activity.messages[layer]])
    until = np.zeros((steps, sends.shape[1] + 1), np.int32)
    np.cumsum(sends, axis=1, out=until[:, 1:])
    heard = np.zeros_like(until)
    if not last:
        for step in range(steps):
            targets = problem.loads.targets(layer, step)
            heard[step, targets.senders[np.diff(targets.first) > 0] + 1] = 1
        np.cumsum(heard, axis=1, out=heard)
    own, following = int(counts[layer]), 0 if last else int(counts[layer + 1])
    return _LayerTables(
        receive_ps=np.zeros((own + 1, steps), np.int64),
        until=until,
        heard=heard,
        reached=np.zeros((steps, following + 1, int(until[:, -1].max()) + 1), np.int32),
        hops=np.zeros((own + 1, steps), np.int64),
    )


def n_router_links(mesh: Topology) -> int:
    """Directed links between routers."""
    return 2 * ((mesh.width - 1) * mesh.height + mesh.width * (mesh.height - 1))


def least_hops(problem: Problem) -> Int64Array:
    """Least hops of the messages of a neuron with r = 0, 1, … destination cores, (C + 1,)."""
    mesh, within = problem.topology, cores_within(problem.topology)
    reached = np.arange(mesh.n_cores + 1)
    if problem.chip.structure.multicast == "tree":  # each hop gets to one more router
        return np.asarray(-(-np.maximum(reached - within[0], 0) // (within[0] + 1)), np.int64)
    return np.asarray(sum(np.maximum(reached - near, 0) for near in within), np.int64)


def cores_within(mesh: Topology) -> Int64Array:
    """Other cores within d = 0, 1, … hops of a core, at most, until they are all, (D,)."""
    ports = int(mesh.core_port.max()) + 1
    within: list[int] = []
    for distance in range(mesh.width + mesh.height):
        if within and within[-1] >= mesh.n_cores - 1:
            break
        # In rows 0, 1, -1, 2, … from the core's own: no place in a rectangle sees more.
        rows = sorted(range(-distance, distance + 1), key=abs)[: mesh.height]
        routers = sum(min(mesh.width, 2 * (distance - abs(row)) + 1) for row in rows)
        within.append(min(ports * routers, mesh.n_cores) - 1)
    return np.array(within, np.int64)
