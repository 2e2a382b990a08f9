"""What layers take for all core counts, and whether step times may suffice for any mapping."""

from itertools import product
from typing import NamedTuple

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..backends.mesh.packing import shortest_flight_ps
from ..chip import ChipSpec
from ..mapping import Problem
from ..threads import pool
from .hops import least_hops, least_link_ps, length, n_router_links
from .proof_kernel import INFEASIBLE, cheapest, fill_step

MAX_TABLE = 1 << 28
"""Entries of the tables by core count; for larger systems only averages over cores are used."""
MAX_PAIRS = 1 << 26
"""Entries of the tables by two layers' core counts; beyond, no message takes time to be there."""
NEARBY = 64
"""Core counts that are tried first, beyond the least of each layer: often enough."""
WEIGHTS = 4
"""Cores and hops are weighed against each other in so many parts."""


class LayerTables(NamedTuple):
    """Tables of one layer for all its counts up to K and the next layer's up to K'.

    In step t, A neurons send; their targets are those of `Targets`, one step after the other.
    """

    width: int
    receive_ps: Int64Array  # longest that a piece receives, (K + 1, T)
    until: Int32Array  # sending neurons before each neuron, (T, width + 1)
    heard: Int32Array  # those of them that have a target, (T, width + 1)
    reached: Int32Array  # messages of the first senders, (T, K' + 1, A + 1)
    hops: Int64Array  # hops that messages to this layer need at least, (K + 1, T)
    senders: Int64Array  # sending neurons, (sum of A,)
    step_first: Int64Array  # where those of each step begin, (T + 1,)
    first: Int64Array  # where each one's targets begin, (sum of A + 1,)
    targets: Int32Array  # post-synaptic neurons
    finish_ps: Int64Array  # until the next has received, plus 1, if known, (K + 1, K' + 1, T)


class Sending(NamedTuple):
    """What a core and its port take to send, and what its messages take to arrive, in ps."""

    active_ps: int  # update of a neuron that sends
    inactive_ps: int
    message_ps: int  # work for each message
    entry_ps: int  # work for each entry, before the first message of a neuron
    port_ps: int  # time of the port for each message
    update_first: bool  # whether all neurons are updated before anything is sent
    copied: bool  # whether a neuron sends one message, which routers copy
    flight_ps: int  # from a core's hand to a receiver, at least


def sending(chip: ChipSpec, words: int) -> Sending:
    """What a core takes to send messages of so many words."""
    costs, copied = chip.costs, chip.structure.multicast == "tree"
    return Sending(
        active_ps=costs.neuron_active_ps,
        inactive_ps=costs.neuron_inactive_ps,
        message_ps=costs.spike_ps if copied else costs.spike_ps + costs.axon_ps,
        entry_ps=costs.axon_ps if copied else 0,
        port_ps=costs.link_ps * words,
        update_first=chip.structure.phases == "update-first",
        copied=copied,
        flight_ps=shortest_flight_ps(chip),
    )


class CountTables:
    """Decides whether step times may suffice for any mapping; see the proof."""

    def __init__(self, problem: Problem, fewest: Int64Array, counts: Int64Array) -> None:
        self._problem = problem
        self._fewest, self._counts = fewest, counts
        self._sending = [sending(problem.chip, words) for words in problem.loads.words]
        self._link_ps = least_link_ps(problem)
        self._links = n_router_links(problem.topology)
        by_pairs = n_pairs(problem, counts) <= MAX_PAIRS
        self._layers = _fill(problem, fewest, counts, by_pairs)
        self._costs = [problem.loads.cost(layer) for layer in range(problem.n_layers)]
        self._releases = by_pairs
        self._all_hops = sum(layer.hops.max(axis=0) for layer in self._layers)
        # From this time on, the links can carry all of them.
        self._enough_ps = -(-self._all_hops * self._link_ps // max(self._links, 1))

    def suffices(self, limits: Int64Array, released: bool) -> bool:
        """Whether no part of the proof is against these step times.

        Args:
            limits: Time of each step in ps, barrier left out, (T,).
            released: Whether the time counts that messages take to be there, as `mesh` does.
        """
        most, cores = self._most_hops(limits), self._problem.topology.n_cores
        least, counts = self._fewest_cores(limits, released)
        if least > cores:
            return False
        if (self._hops(counts) <= most).all():
            return True
        for step in range(len(limits)):
            for weight in range(WEIGHTS):
                hops, limit = (WEIGHTS - weight) * cores, WEIGHTS * cores * int(most[step])
                per_core = weight * int(most[step])
                if self._cheapest(limits, released, per_core, hops, step)[0] > limit:
                    return False
        return True

    def cores_suffice(self, limits: Int64Array, released: bool) -> bool:
        """Whether there may be enough cores."""
        return self._fewest_cores(limits, released)[0] <= self._problem.topology.n_cores

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

    def _fewest_cores(self, limits: Int64Array, released: bool) -> tuple[int, list[int]]:
        """Cores that are needed, and core counts; not always the fewest if there are enough."""
        near = self._cheapest(limits, released, nearby=NEARBY)
        if near[0] <= self._problem.topology.n_cores or self._receiving(limits)[1] <= NEARBY:
            return near
        return self._cheapest(limits, released)

    def _receiving(self, limits: Int64Array) -> tuple[list[int], int]:
        """Least cores of each layer by what it receives, and how many are left; -1: too few."""
        least = []
        for layer, fewest in zip(self._layers, self._fewest.tolist(), strict=True):
            enough = (layer.receive_ps[fewest:] <= limits).all(axis=1)
            if not enough.any():
                return [], -1
            least.append(fewest + int(enough.argmax()))
        return least, max(self._problem.topology.n_cores - sum(least), -1)

    def _cheapest(
        self,
        limits: Int64Array,
        released: bool,
        per_core: int = 1,
        per_hop: int = 0,
        step: int = 0,
        nearby: int = MAX_TABLE,
    ) -> tuple[int, list[int]]:
        """Least cost of all layers within time limits, and core counts that have it.

        Of each layer, only so many counts are tried beyond the first that receives in time.
        """
        receiving, spare = self._receiving(limits)
        if spare < 0:
            return int(INFEASIBLE), []
        following, order = np.zeros(1, np.int64), np.zeros(1, np.int64)
        choices = []
        for index in reversed(range(len(self._layers))):
            layer, k = self._layers[index], np.arange(int(self._counts[index]) + 1)
            beyond = k - receiving[index]
            possible = (beyond >= 0) & (beyond <= min(spare, nearby))
            own = np.where(possible, k * per_core + per_hop * layer.hops[:, step], INFEASIBLE)
            after = min(index + 1, len(self._layers) - 1)
            following, choice = cheapest(
                layer,
                self._sending[index],
                limits,
                own,
                following,
                order,
                self._layers[after].width,
                self._costs[after],
                released and self._releases and index < after,
            )
            choices.append(choice)
            order = np.argsort(following, kind="stable")
            order = order[following[order] < INFEASIBLE]
            if not len(order):
                return int(INFEASIBLE), []
        counts = [int(following.argmin())]
        for choice in reversed(choices):
            counts.append(int(choice[counts[-1]]))
        return int(following.min()), counts[:-1]


def n_pairs(problem: Problem, counts: Int64Array) -> int:
    """Pairs of core counts of two consecutive layers up to `counts`, times steps."""
    return int((counts[:-1] * counts[1:]).sum()) * problem.activity.steps


def _fill(
    problem: Problem, fewest: Int64Array, counts: Int64Array, by_pairs: bool
) -> list[LayerTables]:
    """The tables of all layers."""
    loads, widths, steps = problem.loads, problem.network.widths, problem.activity.steps
    least, chip = least_hops(problem), problem.chip
    arriving_ps = chip.costs.link_ps // max(chip.network.fabrics, 1)
    layers = [_empty(problem, layer, counts, by_pairs) for layer in range(len(widths))]

    def fill(layer: int, step: int) -> None:
        targets, after = loads.targets(layer, step), layers[layer + 1]
        fill_step(
            targets.first,
            targets.neurons,
            widths[layer + 1],
            loads.cost(layer + 1),
            arriving_ps * loads.words[layer],
            least * length(problem, layer),
            int(fewest[layer + 1]),
            after.receive_ps[:, step],
            layers[layer].reached[step],
            after.hops[:, step],
        )

    list(pool().map(fill, *zip(*product(range(len(widths) - 1), range(steps)), strict=True)))
    return layers


def _empty(problem: Problem, layer: int, counts: Int64Array, by_pairs: bool) -> LayerTables:
    """A layer's tables before anything is received."""
    steps, last = problem.activity.steps, layer + 1 == problem.n_layers
    sends = np.stack([sent != 0 for sent in problem.activity.messages[layer]])
    until = np.zeros((steps, sends.shape[1] + 1), np.int32)
    np.cumsum(sends, axis=1, out=until[:, 1:])
    heard = np.zeros_like(until)
    targets = [] if last else [problem.loads.targets(layer, step) for step in range(steps)]
    for step, sent in enumerate(targets):
        heard[step, sent.senders[np.diff(sent.first) > 0] + 1] = 1
    np.cumsum(heard, axis=1, out=heard)
    own, following = int(counts[layer]), 0 if last else int(counts[layer + 1])
    pairs = (own + 1, following + 1) if by_pairs else (0, 0)
    first = np.concatenate([np.zeros(1, np.int64), *(np.diff(sent.first) for sent in targets)])
    return LayerTables(
        width=problem.network.widths[layer],
        receive_ps=np.zeros((own + 1, steps), np.int64),
        until=until,
        heard=heard,
        reached=np.zeros((steps, following + 1, int(until[:, -1].max()) + 1), np.int32),
        hops=np.zeros((own + 1, steps), np.int64),
        senders=np.concatenate([np.zeros(0, np.int64), *(sent.senders for sent in targets)]),
        step_first=np.cumsum([0, *(len(sent.senders) for sent in targets)], dtype=np.int64),
        first=np.cumsum(first),
        targets=np.concatenate([np.zeros(0, np.int32), *(sent.neurons for sent in targets)]),
        finish_ps=np.zeros((*pairs, steps), np.int64),
    )
