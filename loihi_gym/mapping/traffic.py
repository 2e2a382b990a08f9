"""`Traffic`: what each logical core does and sends in each time step, wherever it is placed.

Within a step a core updates its neurons in order. A neuron that sends hands over one message per
core of the next layer that holds at least one of its synapses. A receiving core reads, for each
message, the neuron's row of synapses (SynMem) and adds them up (SynOps).
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..arrays import Int32Array, Int64Array
from .loads import Loads, Receivers


@dataclass(frozen=True, eq=False)
class Traffic:
    """The load of one partitioning. T time steps, N logical cores, S sending neurons.

    P counts the pairs of a logical core and one of the next layer, whether they exchange messages
    or not: there are `fan_out` of them for each core, in a row that starts at its `pair_first`.

    Attributes:
        counts: Cores per layer, (n_layers,).
        layer: Layer of each logical core, (N,).
        next_core: First logical core of the layer after each one's own, (N,).
        fan_out: Logical cores of that layer, 0 for the last layer, (N,).
        active: Neurons that send, (T, N).
        inactive: Neurons that stay silent, (T, N).
        entries_out: Entries of the output axon map that sending neurons read, (T, N).
        messages_out: Messages sent, (T, N): one per entry or, with multicast, one per neuron.
        messages_in: Messages received, (T, N).
        synops: Synaptic operations, (T, N).
        synmem_words: 64-bit words of synaptic memory read, (T, N).
        send_ps: Time to update all neurons and hand over all messages, (T, N).
        receive_ps: Time to take all messages, (T, N).
        tail_ps: Update time after a core's last sending neuron, (T, N).
        pair_first: Where each core's row of `pair_messages` begins, (N,).
        pair_messages: Messages from a core to each of its next layer in each step, (P, T).
        words_out: 32-bit words of a message that each logical core sends, 1 or 2, (N,).
        words_in: The same of those that it receives, (N,).
    """

    counts: Int32Array
    layer: Int32Array
    next_core: Int32Array
    fan_out: Int32Array
    active: Int64Array
    inactive: Int64Array
    entries_out: Int64Array
    messages_out: Int64Array
    messages_in: Int64Array
    synops: Int64Array
    synmem_words: Int64Array
    send_ps: Int64Array
    receive_ps: Int64Array
    tail_ps: Int64Array
    pair_first: Int64Array
    pair_messages: Int32Array
    words_out: Int64Array
    words_in: Int64Array
    _loads: Loads = field(repr=False)

    @property
    def steps(self) -> int:
        """T, the number of recorded time steps."""
        return len(self.active)

    @property
    def n_logical_cores(self) -> int:
        """N."""
        return len(self.layer)

    @cached_property
    def dendops(self) -> Int64Array:
        """Neuron updates, (T, N)."""
        return self.active + self.inactive

    @cached_property
    def floor_ps(self) -> Int64Array:
        """What the busiest core or port takes in each step, wherever cores are placed, (T,)."""
        costs, fabrics = self._loads.chip.costs, max(self._loads.chip.network.fabrics, 1)
        sent = self.messages_out * self.words_out * costs.link_ps
        arriving_ps = costs.link_ps // fabrics  # they come in side by side
        ports = np.maximum(sent, self.messages_in * self.words_in * arriving_ps)
        busiest = np.maximum(self.send_ps, self.receive_ps)
        floor: Int64Array = np.maximum(busiest, ports).max(axis=1)
        return floor

    @cached_property
    def totals(self) -> dict[str, int]:
        """Sums over all cores and steps, by name of the field."""
        names = ("active", "inactive", "synops", "messages_out")
        return {name: int(getattr(self, name).sum()) for name in names}

    @cached_property
    def flows(self) -> tuple[Int32Array, Int32Array]:
        """Logical cores that exchange any message, as (source, target) of each pair, (F,) each."""
        source = np.repeat(np.arange(self.n_logical_cores, dtype=np.int32), self.fan_out)
        target = np.arange(len(source)) - (self.pair_first - self.next_core)[source]
        busy = self.pair_messages.any(axis=1)
        return source[busy], target[busy].astype(np.int32)

    @cached_property
    def neuron_first(self) -> Int64Array:
        """Where each core's sending neurons begin among the S, (T, N + 1)."""
        ends = np.cumsum(self.active.reshape(-1)).reshape(self.active.shape)
        return np.column_stack((np.append(0, ends[:-1, -1]), ends))

    @cached_property
    def work_ps(self) -> Int64Array:
        """Update time up to and including each sending neuron, before its messages, (S,)."""
        counts = enumerate(self.counts.tolist())
        of_layer = [self._loads.senders(layer, k).work_ps for layer, k in counts]
        return np.concatenate([work[step] for step in range(self.steps) for work in of_layer])

    @cached_property
    def row_first(self) -> Int64Array:
        """Where each sending neuron's row of `row_receive_ps` begins, (S,)."""
        lengths: Int64Array = np.repeat(np.tile(self.fan_out, self.steps), self.active.reshape(-1))
        return np.cumsum(lengths, dtype=np.int64) - lengths

    @cached_property
    def row_receive_ps(self) -> Int64Array:
        """For each destination of each sending neuron, the time its receiver takes; 0: no message.

        A row has `fan_out` entries, from `next_core` on; the last layer's neurons have none.
        """
        rows = [
            self._loads.rows_ps(layer, step, k).reshape(-1)
            for step in range(self.steps)
            for layer, k in enumerate(self.counts[1:].tolist())
        ]
        return np.concatenate(rows) if rows else np.zeros(0, np.int64)

    @cached_property
    def row_entries(self) -> Int64Array:
        """Destinations of each sending neuron, (S,)."""
        ends = np.append(0, np.cumsum(self.row_receive_ps > 0))
        lengths = np.repeat(np.tile(self.fan_out, self.steps), self.active.reshape(-1))
        return np.asarray(ends[self.row_first + lengths] - ends[self.row_first], np.int64)


def traffic(loads: Loads, counts: Int32Array) -> Traffic:
    """The load of the partitioning `counts` (cores per layer)."""
    numbers = counts.tolist()
    first = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    layer = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    fan_out = np.append(counts[1:], 0).astype(np.int32)[layer]
    senders = [loads.senders(index, k) for index, k in enumerate(numbers)]
    receivers = [loads.receivers(index, k) for index, k in enumerate(numbers[1:], 1)]
    between = [
        loads.between(index, k, following) for index, (k, following) in enumerate(pairwise(numbers))
    ]
    silent = np.zeros((loads.activity.steps, numbers[-1]), np.int64)
    sent = [
        loads.sent(index, k, following) for index, (k, following) in enumerate(pairwise(numbers))
    ]
    entries_out = _joined([entries for entries, _ in sent] + [silent])
    messages_out = _joined([messages for _, messages in sent] + [silent])
    words = np.array(loads.words, np.int64)
    active = _joined([part.active for part in senders])
    inactive = _joined([part.inactive for part in senders])
    costs = loads.chip.costs
    return Traffic(
        counts=np.array(counts, np.int32),
        layer=layer,
        next_core=first[1:][layer].astype(np.int32),
        fan_out=fan_out,
        active=active,
        inactive=inactive,
        entries_out=entries_out,
        messages_out=messages_out,
        messages_in=_received(receivers, "messages", numbers[0]),
        synops=_received(receivers, "synops", numbers[0]),
        synmem_words=_received(receivers, "synmem_words", numbers[0]),
        receive_ps=_received(receivers, "receive_ps", numbers[0]),
        send_ps=active * costs.neuron_active_ps
        + inactive * costs.neuron_inactive_ps
        + messages_out * costs.spike_ps
        + entries_out * costs.axon_ps,
        tail_ps=_joined([part.tail_ps for part in senders]),
        pair_first=np.cumsum(fan_out, dtype=np.int64) - fan_out,
        pair_messages=np.concatenate([b.reshape(-1, b.shape[2]) for b in between]),
        words_out=words[layer],
        words_in=words[np.maximum(layer - 1, 0)],
        _loads=loads,
    )


def _joined(parts: list[Int64Array]) -> Int64Array:
    joined: Int64Array = np.concatenate(parts, axis=1)
    return joined


def _received(receivers: list[Receivers], name: str, inputs: int) -> Int64Array:
    """What all logical cores receive, (T, N); the `inputs` cores of layer 0 receive nothing."""
    parts: list[Int64Array] = [getattr(part, name) for part in receivers]
    return _joined([np.zeros((len(parts[0]), inputs), np.int64), *parts])
