"""`Traffic`: what each logical core does and sends in each time step, wherever it is placed.

Within a step a core updates its neurons in order. A neuron that sends hands over one message per
core of the next layer that holds at least one of its synapses. A receiving core reads, for each
message, the neuron's row of synapses (SynMem) and adds them up (SynOps).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..chip import ChipSpec
from ..network import Activity
from .pieces import Pieces, bounds

Int64Array = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Traffic:
    """The load of one partitioning. T time steps, N logical cores, F flows, S sending neurons.

    Attributes:
        layer: Layer of each logical core, (N,).
        next_core: First logical core of the layer after each one's own, (N,).
        fan_out: Logical cores of that layer, 0 for the last layer, (N,).
        active: Neurons that send, (T, N).
        inactive: Neurons that stay silent, (T, N).
        messages_out: Messages sent, (T, N).
        messages_in: Messages received, (T, N).
        synops: Synaptic operations, (T, N).
        synmem_words: 64-bit words of synaptic memory read, (T, N).
        send_ps: Time to update all neurons and hand over all messages, (T, N).
        receive_ps: Time to take all messages, (T, N).
        flow_source: Sending logical core of each pair that communicates, (F,).
        flow_target: Receiving logical core of it, (F,).
        flow_messages: Messages of it in each step, (F, T).
        neuron_first: Where each core's sending neurons begin among the S, (T, N + 1).
        work_ps: Update time up to and including each sending neuron, before its messages, (S,).
        tail_ps: Update time after a core's last sending neuron, (T, N).
        row_first: Where each sending neuron's row of `row_receive_ps` begins, (S,).
        row_receive_ps: For each destination of a sending neuron, `fan_out` of them from
            `next_core` on, the time its receiver takes; 0 where no message goes.
        link_words: 32-bit words of a message: 1 or 2.
    """

    layer: Int32Array
    next_core: Int32Array
    fan_out: Int32Array
    active: Int64Array
    inactive: Int64Array
    messages_out: Int64Array
    messages_in: Int64Array
    synops: Int64Array
    synmem_words: Int64Array
    send_ps: Int64Array
    receive_ps: Int64Array
    flow_source: Int32Array
    flow_target: Int32Array
    flow_messages: Int32Array
    neuron_first: Int64Array
    work_ps: Int64Array
    tail_ps: Int64Array
    row_first: Int64Array
    row_receive_ps: Int64Array
    link_words: int

    @property
    def steps(self) -> int:
        """T, the number of recorded time steps."""
        return len(self.active)

    @property
    def n_logical_cores(self) -> int:
        """N."""
        return len(self.layer)


def message_cost(
    chip: ChipSpec, synapses: npt.NDArray[np.integer]
) -> tuple[Int64Array, Int64Array]:
    """What a message costs the core that has `synapses` for it: (words read, time in ps)."""
    count = synapses.astype(np.int64)
    words = chip.capacity.axon_words - (-count * chip.capacity.synapse_bits // 64)
    words = np.where(count > 0, words, 0)
    return words, words * chip.costs.synmem_word_ps + count * chip.costs.synop_ps


def traffic(pieces: Pieces, activity: Activity, chip: ChipSpec, counts: Int32Array) -> Traffic:
    """The load of the partitioning `counts` (cores per layer) under a recorded activity."""
    steps, n_layers = activity.steps, len(counts)
    first = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    totals = {name: np.zeros((steps, int(first[-1])), np.int64) for name in _TOTALS}
    parts: list[_LayerStep] = []
    between: list[list[Int64Array]] = [[] for _ in range(n_layers - 1)]
    for step in range(steps):
        for layer in range(n_layers):
            part = _layer_step(pieces, activity, chip, counts, layer, step)
            parts.append(part)
            own = (step, slice(first[layer], first[layer + 1]))
            for name in ("active", "inactive", "tail_ps", "send_ps"):
                totals[name][own] = getattr(part, name)
            if layer + 1 < n_layers:
                following = (step, slice(first[layer + 1], first[layer + 2]))
                for name in ("synops", "synmem_words", "receive_ps"):
                    totals[name][following] = getattr(part, name)
                totals["messages_out"][own] = part.between.sum(axis=1)
                totals["messages_in"][following] = part.between.sum(axis=0)
                between[layer].append(part.between)
    layers = np.repeat(np.arange(n_layers, dtype=np.int32), counts)
    ends = np.cumsum(totals["active"].reshape(-1)).reshape(steps, -1)
    lengths = np.concatenate([np.full(len(p.work_ps), p.between.shape[1]) for p in parts])
    return Traffic(
        layer=layers,
        next_core=first[1:][layers].astype(np.int32),
        fan_out=np.append(counts[1:], 0).astype(np.int32)[layers],
        **totals,
        **_flows(first, between),
        neuron_first=np.column_stack((np.append(0, ends[:-1, -1]), ends)),
        work_ps=np.concatenate([part.work_ps for part in parts]),
        row_first=np.cumsum(lengths, dtype=np.int64) - lengths,
        row_receive_ps=np.concatenate([part.rows_ps.reshape(-1) for part in parts]),
        link_words=activity.message_bits // 32,
    )


def layer_work_ps(
    pieces: Pieces, activity: Activity, chip: ChipSpec, counts: Int32Array, layer: int
) -> Int64Array:
    """Time that each core of a layer works over all steps, (T summed) -> (k,).

    Sending and receiving run side by side in a core, so a step takes it the longer of the two.
    """
    work = np.zeros(int(counts[layer]), np.int64)
    for step in range(activity.steps):
        busy = _layer_step(pieces, activity, chip, counts, layer, step).send_ps
        if layer > 0:
            before = _layer_step(pieces, activity, chip, counts, layer - 1, step)
            busy = np.maximum(busy, before.receive_ps)
        work += busy
    return work


_TOTALS = (
    "active",
    "inactive",
    "messages_out",
    "messages_in",
    "synops",
    "synmem_words",
    "send_ps",
    "receive_ps",
    "tail_ps",
)


class _LayerStep(NamedTuple):
    """One layer of k pieces in one step, A neurons sending to `fan_out` pieces."""

    active: Int64Array  # (k,)
    inactive: Int64Array  # (k,)
    work_ps: Int64Array  # (A,)
    tail_ps: Int64Array  # (k,)
    send_ps: Int64Array  # (k,)
    between: Int64Array  # messages, (k, fan_out)
    synops: Int64Array  # at the receivers, (fan_out,)
    synmem_words: Int64Array  # (fan_out,)
    receive_ps: Int64Array  # (fan_out,)
    rows_ps: Int64Array  # (A, fan_out)


def _layer_step(
    pieces: Pieces,
    activity: Activity,
    chip: ChipSpec,
    counts: Int32Array,
    layer: int,
    step: int,
) -> _LayerStep:
    costs = chip.costs
    cut = bounds(pieces.widths[layer], int(counts[layer]))
    neurons = np.flatnonzero(activity.messages[layer][step])
    if layer + 1 < len(counts):
        synapses = pieces.synapse_counts(layer + 1, int(counts[layer + 1]))[neurons]
    else:
        synapses = np.zeros((len(neurons), 0), np.int32)
    words, rows_ps = message_cost(chip, synapses)
    of_piece = np.searchsorted(neurons, cut)  # first sending neuron of each piece
    sent = np.zeros((len(neurons) + 1, synapses.shape[1]), np.int64)
    np.cumsum(synapses > 0, axis=0, out=sent[1:])
    between = np.diff(sent[of_piece], axis=0)
    active = np.diff(of_piece)
    inactive = np.diff(cut) - active
    return _LayerStep(
        active=active,
        inactive=inactive,
        **_update_times(neurons, cut, costs.neuron_active_ps, costs.neuron_inactive_ps),
        send_ps=active * costs.neuron_active_ps
        + inactive * costs.neuron_inactive_ps
        + between.sum(axis=1) * costs.spike_ps,
        between=between,
        synops=synapses.sum(axis=0, dtype=np.int64),
        synmem_words=words.sum(axis=0),
        receive_ps=rows_ps.sum(axis=0),
        rows_ps=rows_ps,
    )


def _update_times(
    neurons: Int64Array, cut: Int64Array, active_ps: int, inactive_ps: int
) -> dict[str, Int64Array]:
    """Update time up to each sending neuron since the one before, and after a piece's last."""
    before = np.append(-1, neurons)  # before[i]: the sending neuron ahead of neurons[i]
    piece_start = cut[np.searchsorted(cut, neurons, side="right") - 1]
    silent = neurons - np.maximum(before[:-1] + 1, piece_start)
    last = before[np.searchsorted(neurons, cut[1:])]  # last sending neuron up to a piece's end
    return {
        "work_ps": silent * inactive_ps + active_ps,
        "tail_ps": (cut[1:] - np.maximum(last + 1, cut[:-1])) * inactive_ps,
    }


def _flows(first: Int64Array, between: list[list[Int64Array]]) -> dict[str, Int32Array]:
    """Pairs of logical cores that exchange a message in any step, and how many in each."""
    sources, targets, messages = [], [], []
    for layer, steps in enumerate(between):
        stacked = np.stack(steps)
        source, target = np.nonzero(stacked.any(axis=0))
        sources.append(source + first[layer])
        targets.append(target + first[layer + 1])
        messages.append(stacked[:, source, target])
    return {
        "flow_source": np.concatenate(sources).astype(np.int32),
        "flow_target": np.concatenate(targets).astype(np.int32),
        "flow_messages": np.ascontiguousarray(np.concatenate(messages, axis=1).T, np.int32),
    }
