"""A proven lower bound on the latency of all mappings of a problem.

Claim: no legal mapping, whatever its core counts and its placement, has a lower latency on `mesh`
than `LowerBound.latency_ps`, nor a lower one on `bound`, or on any backend that is never below
`bound`, than `LowerBound.on_bound_ps`.

Proof. Let a mapping cut layer l into k_l pieces and let its steps last B + x_t, B being the
barrier. Then, for every step t,

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
5. On `mesh`, x_t is at least the time until a layer's messages can have been received. A core
   updates its neurons and hands over its messages in order, one by one, and as little as its port
   takes lies between two of them; so a neuron's first message leaves no sooner than the work of
   the neurons before it and all their messages take. It is in its receiver's queue no sooner than
   it takes to enter the router and to leave it again (`shortest_flight_ps`), and so is any other
   message of that neuron. A receiver takes one message at a time: if it takes them as they come,
   it is done as soon as it can be, since any other order leaves it idle at least as long. And a
   core's last message, which leaves after all the others, is received after that. All of this
   follows from k_l and k_(l+1); `finish_ps` computes it.

Call x feasible if some counts satisfy 1 to 5 with it (1 to 4 for `bound`). If x is feasible, so is
every larger one, and the x of every mapping is feasible. `least` encloses the least sum of a
feasible x: it cuts the box of all candidates in two again and again, drops a box if its upper
corner is infeasible (then so is every x in it), and the least sum of lower corners over the boxes
that remain is a lower bound at any time. It stops once the first of the boxes is narrow, or after
`MAX_DECISIONS`. Candidates outside of the first box have a sum above a limit that the box is made
for; should the bound be above that limit, too, it is computed again with a larger one.

Whether x is feasible is decided on a relaxation, which may only say yes too often: going backwards
through the layers, the least cost of layers l, …, L - 1 for each k_l follows from that for each
k_(l+1), by 1, 2 and 5. As cost serve the cores (4), then for each step the hops (3), then weighted
sums of both, since whatever satisfies both limits satisfies their weighted sum. QED.

Not counted: that the messages of a step wait for each other, that the links on a line between two
halves of the mesh carry more than the average link, and that the cores of one router cannot all be
close to their targets at once. So the optimum may lie well above the bound.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from ..arrays import Int64Array
from ..mapping import Problem
from ..mapping.heuristics import COARSE, partitions
from .averages import Averages
from .boxes import alone, least
from .count_tables import MAX_TABLE, WEIGHTS, CountTables
from .hops import layer_hops, least_hops, least_link_ps, n_router_links
from .proof_kernel import INFEASIBLE

_known: WeakKeyDictionary[Problem, "LowerBound"] = WeakKeyDictionary()


class StepBound(NamedTuple):
    """What each cause alone proves of one step of the fastest mappings, barrier included, in ps.

    A mapping may well beat it in one step if it pays for that in another.

    Attributes:
        cores_ps: From the work of cores and their ports (1, 2, 4 and 5 of the proof).
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
    """No mapping of the problem is faster than this.

    Attributes:
        latency_ps: The joint bound over all steps, on `mesh`.
        on_bound_ps: The same on `bound`, where messages take no time to be there.
        steps: What is proven of the steps of the fastest mappings on `mesh`, each alone.
    """

    latency_ps: int
    on_bound_ps: int
    steps: tuple[StepBound, ...]

    @property
    def term(self) -> Literal["cores", "links"]:
        """What bounds the steps, for most of the latency."""
        cores, links = (sum(part) for part in zip(*self.steps, strict=True))
        return "cores" if cores >= links else "links"

    def of(self, backend: str) -> int:
        """The joint bound on a backend of that name, in ps."""
        return self.latency_ps if backend == "mesh" else self.on_bound_ps

    def gap(self, latency_ps: int, backend: str = "mesh") -> float:
        """Part of a latency that is above the bound, 0 to 1: no mapping can take off more."""
        return 1.0 - self.of(backend) / latency_ps


def lower_bound(problem: Problem) -> LowerBound:
    """The lower bound of a problem; computed once and kept as long as the problem is.

    Raises:
        IllegalMappingError: if the network does not fit on the chip.
    """
    if problem not in _known:
        _known[problem] = _lower_bound(problem)
    return _known[problem]


def known_lower_bound(problem: Problem) -> LowerBound | None:
    """The lower bound of a problem if somebody has asked for it before, which costs nothing."""
    return _known.get(problem)


def _lower_bound(problem: Problem) -> LowerBound:
    barrier, steps = problem.chip.costs.barrier_ps, problem.activity.steps
    averages = Averages(problem)
    lowest, most = averages.steps_ps(), _feasible_sum(problem)
    most += most // 32  # for what messages take to be there
    while True:
        highest = most - int(lowest.sum()) + lowest
        fewest = _fewest(problem, averages.fewest(highest), highest)
        spare = problem.topology.n_cores - fewest.sum()
        counts = np.minimum(fewest + spare, problem.network.widths)
        if not _countable(problem, counts):
            sure = (lowest + barrier).tolist()
            return LowerBound(sum(sure), sum(sure), tuple(StepBound(ps, barrier) for ps in sure))
        tables = CountTables(problem, fewest, counts)
        if tables.suffices(highest, released=True):
            found = _joint(tables, lowest, highest, barrier)
            if found.latency_ps - steps * barrier <= most:
                return found
        most += most // 2 + 1


def _joint(
    tables: CountTables, lowest: Int64Array, highest: Int64Array, barrier: int
) -> LowerBound:
    """The lower bound of all mappings whose steps take from `lowest` to `highest`."""
    steps, suffices = range(len(lowest)), partial(tables.suffices, released=False)

    def by_cores(lowest: Int64Array, released: bool) -> Int64Array:
        enough = partial(tables.cores_suffice, released=released)
        return np.array([alone(enough, lowest, highest, step) for step in steps], np.int64)

    cores = by_cores(lowest, released=False)
    links = [alone(partial(tables.links_suffice, t), 0 * lowest, highest, t) for t in steps]
    start = np.maximum(cores, links)
    both = np.array([alone(suffices, start, highest, step) for step in steps], np.int64)
    on_bound = least(suffices, both, highest)
    cores = by_cores(cores, released=True)
    on_mesh = least(partial(tables.suffices, released=True), np.maximum(cores, both), highest)
    barriers = len(lowest) * barrier
    return LowerBound(
        latency_ps=max(on_bound, on_mesh) + barriers,
        on_bound_ps=on_bound + barriers,
        steps=tuple(
            StepBound(int(c) + barrier, k + barrier) for c, k in zip(cores, links, strict=True)
        ),
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
    n, ways = n_router_links(problem.topology), least_hops(problem)
    sums = []
    for counts in partitions(problem, COARSE).values():
        traffic = problem.traffic(counts)
        link_ps = least_link_ps(problem)
        hops = [
            sum(layer_hops(problem, layer, int(k), step, ways) for layer, k in enumerate(counts))
            for step in range(traffic.steps)
        ]
        carried = [-(-count * link_ps // max(n, 1)) for count in hops]
        sums.append(int(np.maximum(traffic.floor_ps, carried).sum()))
    return min(sums)


def _countable(problem: Problem, counts: Int64Array) -> bool:
    """Whether tables for all counts are small enough, and their weighted sums fit 64 bits."""
    senders = [int(np.count_nonzero(sent)) for sent in problem.activity.messages[:-1]]
    size, mesh = int((np.array(senders) * counts[1:]).sum()), problem.topology
    heaviest = WEIGHTS * mesh.n_cores * size * (mesh.width + mesh.height)
    return size <= MAX_TABLE and heaviest < int(INFEASIBLE)
