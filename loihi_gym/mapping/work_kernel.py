"""How long cores work under any counts, totals only: the inner loops of `Work`.

`Loads` keeps what each message costs, for backends; to choose counts the sums over a core's
messages do, at a small part of the time and memory. The slow twin is `Loads.work_ps`, compared in
``tests/mapping/test_work.py``.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import Int64Array
from ..compiled import kernel
from .target_lists import TargetLists


class WorkTables(NamedTuple):
    """What a problem's work follows from, for L layers."""

    widths: Int64Array  # (L,)
    lists: TargetLists
    receive_cost: Int64Array  # bits of a synapse, axon words, ps per word and per synapse, (L, 4)
    send_cost: Int64Array  # ps per active and inactive neuron, message, entry of the axon map, (4,)
    copied: bool  # whether routers copy messages, so that a neuron sends one at most


@kernel
def receive(tables, layer, k, receive_ps, entries):  # type: ignore[no-untyped-def]
    """What the `k` pieces of a layer, not the first one, receive.

    Args:
        tables: The problem's.
        layer: The layer that receives.
        k: Its pieces.
        receive_ps: Filled with the time each takes in each step, (T, k).
        entries: Filled with the pieces that each sender reaches, (S,); only the layer before.
    """
    lists, width, steps = tables.lists, tables.widths[layer], receive_ps.shape[0]
    bits, axon_words = tables.receive_cost[layer, 0], tables.receive_cost[layer, 1]
    word_ps, synop_ps = tables.receive_cost[layer, 2], tables.receive_cost[layer, 3]
    piece_of = np.empty(width, np.uint64)
    for piece in range(k):
        for neuron in range(piece * width // k, (piece + 1) * width // k):
            piece_of[neuron] = piece
    counts = np.zeros(k, np.int64)
    words = np.empty(k, np.int64)
    receive_ps[:] = 0
    for sender in range(lists.layer_first[layer - 1], lists.layer_first[layer]):
        for at in range(lists.first[sender], lists.first[sender + 1]):
            counts[piece_of[np.uint64(lists.neurons[at])]] += 1
        reached = 0
        for piece in range(k):
            synapses = counts[piece]
            row = (axon_words + ((synapses * bits + 63) >> 6)) * word_ps + synapses * synop_ps
            words[piece] = row if synapses > 0 else 0
            reached += synapses > 0
            counts[piece] = 0
        entries[sender] = reached
        for step in range(steps):
            if lists.sends[sender, step]:
                for piece in range(k):
                    receive_ps[step, piece] += words[piece]


@kernel
def longest(tables, layer, k, receive_ps, entries, step_ps):  # type: ignore[no-untyped-def]
    """Time that the busiest of the `k` pieces of a layer works over all steps, in ps.

    Args:
        tables: The problem's.
        layer: The layer.
        k: Its pieces.
        receive_ps: What `receive` found of it, (T, k); zeros for the first layer.
        entries: What `receive` found of the layer after it, (S,).
        step_ps: Filled with the time of the busiest piece in each step, (T,).
    """
    lists, width, steps = tables.lists, tables.widths[layer], len(step_ps)
    has_next = layer + 1 < len(tables.widths)
    active_ps, inactive_ps, spike_ps, axon_ps = tables.send_cost
    active, sent, mapped = np.empty(steps, np.int64), np.empty(steps, np.int64), 0
    read = np.empty(steps, np.int64)
    sender, stop = lists.layer_first[layer], lists.layer_first[layer + 1]
    most = 0
    step_ps[:] = 0
    for piece in range(k):
        begin, end = piece * width // k, (piece + 1) * width // k
        active[:] = 0
        sent[:] = 0
        read[:] = 0
        while sender < stop and lists.senders[sender] < end:
            mapped = entries[sender] if has_next else 0
            for step in range(steps):
                if lists.sends[sender, step]:
                    active[step] += 1
                    read[step] += mapped
                    sent[step] += min(mapped, 1) if tables.copied else mapped
            sender += 1
        total = 0
        for step in range(steps):
            busy = active[step] * active_ps + (end - begin - active[step]) * inactive_ps
            busy += sent[step] * spike_ps + read[step] * axon_ps
            busy = max(busy, receive_ps[step, piece])
            total += busy
            step_ps[step] = max(step_ps[step], busy)
        most = max(most, total)
    return most


@kernel
def survey(tables, counts, work_ps, step_ps):  # type: ignore[no-untyped-def]
    """`longest` of all layers: fill `work_ps`, (L,), and `step_ps`, (L, T).

    Returns the pieces of the next layer that each sender reaches, (S,).
    """
    n_layers, steps = len(counts), step_ps.shape[1]
    entries = np.zeros(len(tables.lists.senders), np.int64)
    receive_ps = np.zeros((steps, counts[0]), np.int64)
    for layer in range(n_layers):
        after = receive_ps
        if layer + 1 < n_layers:
            after = np.empty((steps, counts[layer + 1]), np.int64)
            receive(tables, layer + 1, counts[layer + 1], after, entries)
        k = counts[layer]
        work_ps[layer] = longest(tables, layer, k, receive_ps, entries, step_ps[layer])
        receive_ps = after
    return entries


@kernel
def give(tables, counts, given):  # type: ignore[no-untyped-def]
    """Give cores one by one, each to the layer whose busiest core works longest.

    Args:
        tables: The problem's.
        counts: Cores of each layer to begin with, (L,); changed.
        given: Filled with the layer that each core goes to, as many as are to be given.

    Returns:
        Cores given: fewer where no layer can be cut further.
    """
    n_layers, steps = len(counts), tables.lists.sends.shape[1]
    begin = np.zeros(n_layers + 1, np.int64)  # room for the times of as many pieces as may come
    for layer in range(n_layers):
        most = min(tables.widths[layer], counts[layer] + len(given))
        begin[layer + 1] = begin[layer] + most * steps
    received = np.zeros(begin[n_layers], np.int64)
    entries = np.empty(len(tables.lists.senders), np.int64)
    step_ps, work = np.empty(steps, np.int64), np.empty(n_layers, np.int64)
    for layer in range(1, n_layers):
        part = received[begin[layer] : begin[layer] + steps * counts[layer]]
        receive(tables, layer, counts[layer], part.reshape(steps, counts[layer]), entries)
    for layer in range(n_layers):
        part = received[begin[layer] : begin[layer] + steps * counts[layer]]
        times = part.reshape(steps, counts[layer])
        work[layer] = longest(tables, layer, counts[layer], times, entries, step_ps)
    for index in range(len(given)):
        busiest = -1
        for layer in range(n_layers):
            grows = counts[layer] < tables.widths[layer]
            if grows and (busiest < 0 or work[layer] > work[busiest]):
                busiest = layer
        if busiest < 0:
            return index
        given[index] = busiest
        counts[busiest] += 1
        # A cut of one layer is more messages for the one before.
        for layer in range(max(busiest - 1, 0), busiest + 1):
            k = counts[layer]
            times = received[begin[layer] : begin[layer] + steps * k].reshape(steps, k)
            if layer == busiest and layer > 0:
                receive(tables, layer, k, times, entries)
        for layer in range(max(busiest - 1, 0), busiest + 1):
            k = counts[layer]
            times = received[begin[layer] : begin[layer] + steps * k].reshape(steps, k)
            work[layer] = longest(tables, layer, k, times, entries, step_ps)
    return len(given)


@kernel
def fewest_within(tables, fewest, most, limit_ps, counts):  # type: ignore[no-untyped-def]
    """Find the fewest cores of each layer with which none works longer than a limit.

    From the last layer to the first, since what a layer sends depends on the one after it. Each
    count is found by bisection, as if more cores never worked longer.

    Args:
        tables: The problem's.
        fewest: Least cores of each layer, (L,).
        most: Most cores of each layer, (L,).
        limit_ps: The limit.
        counts: Filled with the cores of each layer, (L,).

    Returns:
        Whether there are such counts.
    """
    n_layers, steps = len(counts), tables.lists.sends.shape[1]
    entries, kept = np.zeros((2, len(tables.lists.senders)), np.int64)
    step_ps = np.empty(steps, np.int64)
    for layer in range(n_layers - 1, -1, -1):
        low, high, found = fewest[layer], most[layer], False
        while low <= high:
            # The most first: if that does not do, none does.
            k = (low + high) // 2 if found else high
            receive_ps = np.zeros((steps, k), np.int64)
            if layer > 0:
                receive(tables, layer, k, receive_ps, entries)
            if longest(tables, layer, k, receive_ps, entries, step_ps) <= limit_ps:
                counts[layer], high, found = k, k - 1, True
                kept[:] = entries
            elif not found:
                return False
            else:
                low = k + 1
        entries[:] = kept
    return True
