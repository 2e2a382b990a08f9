"""`Loads`: what single layers do when cut into k pieces, kept for every partitioning that asks.

A partitioning's load is put together from three kinds of parts: how the pieces of a layer update
(its own k), how they receive (its own k), and how many messages run between the pieces of two
layers (both k). So where a search changes one layer's count, all but a few parts are known already.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import Int32Array, Int64Array
from ..chip import ChipSpec
from ..network import Activity, SparseMLP
from .loads_kernel import count_messages, receive, receive_rows
from .longest import longest_ps
from .pieces import bounds, synapse_bits
from .recent import Recent
from .target_lists import TargetLists, chosen_targets, target_lists

KEPT_PER_LAYER = 32
KEPT = 4096
"""Parts of each kind that are kept for each layer of the network, and in all; they can be large."""


class Senders(NamedTuple):
    """How the k pieces of a layer update in T steps; A sending neurons in a step."""

    active: Int64Array  # neurons that send, (T, k)
    inactive: Int64Array  # (T, k)
    tail_ps: Int64Array  # update time after the last sending neuron, (T, k)
    work_ps: tuple[Int64Array, ...]  # before each sending neuron, T x (A,)


class Receivers(NamedTuple):
    """How the k pieces of a layer receive in T steps; A sending neurons of the layer before it."""

    messages: Int64Array  # (T, k)
    synops: Int64Array  # (T, k)
    synmem_words: Int64Array  # (T, k)
    receive_ps: Int64Array  # (T, k)
    synapses: tuple[npt.NDArray[np.unsignedinteger], ...]  # of each sender, T x (A, k)


class Targets(NamedTuple):
    """Post-synaptic neurons of the neurons that send in one step."""

    senders: Int64Array  # sending neurons, ascending, (A,)
    first: Int64Array  # where each one's targets begin, (A + 1,)
    neurons: Int32Array  # targets, ascending for each sender


def layer_words(activity: Activity, chip: ChipSpec) -> tuple[int, ...]:
    """32-bit words of a message of each layer, (L,)."""
    words, size = activity.layer_words, chip.structure.message_size
    if size == "layer":
        return words
    return (1 if size == "short" else max(words),) * len(words)


class Loads:
    """Loads of single layers of a problem, cached; threads may share it.

    Raises:
        BackendError: if 64 bits might not hold all times; see `longest_ps`.
    """

    def __init__(self, network: SparseMLP, activity: Activity, chip: ChipSpec) -> None:
        longest_ps(network, activity, chip)
        self.widths = network.widths
        self.activity = activity
        self.chip = chip
        self.words = layer_words(activity, chip)
        self._network = network
        self._dense = chip.structure.rows == "dense"
        kept = min(KEPT_PER_LAYER * len(self.widths), KEPT)
        self._targets: dict[tuple[int, int], Targets] = {}
        self._senders: Recent[tuple[int, int], Senders] = Recent(kept)
        self._receivers: Recent[tuple[int, int], Receivers] = Recent(kept)
        self._between: Recent[tuple[int, int, int], Int32Array] = Recent(kept)

    @cached_property
    def lists(self) -> TargetLists:
        """Where the messages of all layers go."""
        return target_lists(self._network, self.activity, self._dense)

    def cost(self, layer: int) -> tuple[int, int, int, int]:
        """What a message costs that `layer` receives: bits and axon words, ps per word and synapse.

        The bits are those of a synapse.
        """
        capacity, costs = self.chip.capacity, self.chip.costs
        bits = synapse_bits(self._network, capacity, self._dense, layer)
        return bits, capacity.axon_words, costs.synmem_word_ps, costs.synop_ps

    def targets(self, layer: int, step: int) -> Targets:
        """Where the messages of `layer` go in a step; it must not be the last layer."""
        if (layer, step) not in self._targets:
            self._targets[layer, step] = self._list_targets(layer, step)
        return self._targets[layer, step]

    def senders(self, layer: int, k: int) -> Senders:
        """How `k` pieces of a layer update."""
        return self._senders.get((layer, k), lambda: self._update(layer, k))

    def receivers(self, layer: int, k: int) -> Receivers:
        """How `k` pieces of a layer, not the first one, receive."""
        return self._receivers.get((layer, k), lambda: self._receive(layer, k))

    def between(self, layer: int, k: int, fan_out: int) -> Int32Array:
        """Messages from each of `k` pieces of a layer to each of the next, (k, fan_out, T)."""
        return self._between.get(
            (layer, k, fan_out), lambda: self._count_messages(layer, k, fan_out)
        )

    def rows_ps(self, layer: int, step: int, fan_out: int) -> Int64Array:
        """Time the receivers take for each sender's message, 0 for none, (A, fan_out)."""
        synapses = self.receivers(layer + 1, fan_out).synapses[step]
        rows = np.empty(synapses.shape, np.int64)
        receive_rows(synapses, self.cost(layer + 1), rows)
        return rows

    def work_ps(self, layer: int, counts: Int32Array) -> Int64Array:
        """Time that each core of a layer works over all steps, (T summed) -> (k,).

        Sending and receiving run side by side in a core, so a step takes it the longer of the two.
        """
        k = int(counts[layer])
        busy = self.send_ps(layer, counts)
        if layer > 0:
            busy = np.maximum(busy, self.receivers(layer, k).receive_ps)
        total: Int64Array = busy.sum(axis=0)
        return total

    def send_ps(self, layer: int, counts: Int32Array) -> Int64Array:
        """Time that each core of a layer takes to update and send, (T, k)."""
        costs, k = self.chip.costs, int(counts[layer])
        own = self.senders(layer, k)
        busy = own.active * costs.neuron_active_ps + own.inactive * costs.neuron_inactive_ps
        if layer + 1 < len(counts):
            entries, messages = self.sent(layer, k, int(counts[layer + 1]))
            busy = busy + messages * costs.spike_ps + entries * costs.axon_ps
        return busy

    def sent(self, layer: int, k: int, fan_out: int) -> tuple[Int64Array, Int64Array]:
        """What `k` pieces of a layer send to `fan_out` of the next, (T, k) each.

        Returns:
            Entries of the output axon map, one per sending neuron and destination core, and
            messages: as many or, where routers copy them, one per neuron that has a destination.
        """
        entries: Int64Array = self.between(layer, k, fan_out).sum(axis=1, dtype=np.int64).T
        if self.chip.structure.multicast == "none":
            return entries, entries
        cut = bounds(self.widths[layer], k)
        messages = []
        for step in range(self.activity.steps):
            targets = self.targets(layer, step)
            heard = targets.senders[np.diff(targets.first) > 0]
            messages.append(np.diff(np.searchsorted(heard, cut)))
        return entries, np.stack(messages)

    def _list_targets(self, layer: int, step: int) -> Targets:
        lists = self.lists
        own = np.arange(lists.layer_first[layer], lists.layer_first[layer + 1])
        own = own[lists.sends[own, step]]
        return Targets(lists.senders[own].astype(np.int64), *chosen_targets(lists, own))

    def _update(self, layer: int, k: int) -> Senders:
        cut = bounds(self.widths[layer], k)
        steps = [self._update_step(layer, step, cut) for step in range(self.activity.steps)]
        active = np.stack([part[0] for part in steps])
        return Senders(
            active=active,
            inactive=np.diff(cut) - active,
            tail_ps=np.stack([part[1] for part in steps]),
            work_ps=tuple(part[2] for part in steps),
        )

    def _update_step(
        self, layer: int, step: int, cut: Int64Array
    ) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Sending neurons and tail of each piece, and the update time up to each of them."""
        costs = self.chip.costs
        neurons = np.flatnonzero(self.activity.messages[layer][step])
        until = np.searchsorted(neurons, cut)  # sending neurons before each piece
        before = np.append(-1, neurons)  # before[i]: the sending neuron ahead of neurons[i]
        piece_start = cut[np.searchsorted(cut, neurons, side="right") - 1]
        silent = neurons - np.maximum(before[:-1] + 1, piece_start)
        last = before[until[1:]]  # last sending neuron up to a piece's end
        tail = cut[1:] - np.maximum(last + 1, cut[:-1])
        return (
            np.diff(until),
            tail * costs.neuron_inactive_ps,
            silent * costs.neuron_inactive_ps + costs.neuron_active_ps,
        )

    def _receive(self, layer: int, k: int) -> Receivers:
        totals = np.empty((4, self.activity.steps, k), np.int64)
        synapses, most = [], np.min_scalar_type(self.widths[layer])
        for step in range(self.activity.steps):
            targets = self.targets(layer - 1, step)
            table = np.empty((len(targets.senders), k), most)
            one = np.empty((4, k), np.int64)
            width = self.widths[layer]
            receive(targets.first, targets.neurons, width, k, self.cost(layer), table, one)
            totals[:, step] = one
            synapses.append(table)
        messages, synops, words, receive_ps = totals
        return Receivers(messages, synops, words, receive_ps, tuple(synapses))

    def _count_messages(self, layer: int, k: int, fan_out: int) -> Int32Array:
        between = np.zeros((self.activity.steps, k, fan_out), np.int32)
        synapses = self.receivers(layer + 1, fan_out).synapses
        for step in range(self.activity.steps):
            senders = self.targets(layer, step).senders
            count_messages(senders, self.widths[layer], synapses[step], between[step])
        return np.ascontiguousarray(between.transpose(1, 2, 0))
