"""When messages can be there at the earliest, and what then keeps their receivers from the end."""

import numpy as np

from ..compiled import kernel


@kernel
def finish_ps(senders, first, targets, widths, counts, cost, sending):  # type: ignore[no-untyped-def]
    """Least time until the messages of one step from a layer to the next have been received.

    Each message is taken to find the network empty and to be the first of its neuron's.

    Args:
        senders: Sending neurons, ascending, (A,).
        first: Where each one's targets begin, (A + 1,).
        targets: Post-synaptic neurons, ascending for each sender.
        widths: Neurons of both layers.
        counts: Core counts of both.
        cost: Of a message to its receiver: synapse bits, axon words, ps per word, ps per synapse.
        sending: What the first one's cores take, `Sending`.
    """
    active_ps, inactive_ps = sending.active_ps, sending.inactive_ps
    message_ps, hold_ps, flight_ps = sending.message_ps, sending.port_ps, sending.flight_ps
    bits, axon_words, word_ps, synop_ps = cost
    piece_of = np.empty(widths[1], np.int64)
    for piece in range(counts[1]):
        piece_of[piece * widths[1] // counts[1] : (piece + 1) * widths[1] // counts[1]] = piece
    n = len(senders)
    most = first[-1] - first[0]
    taken_by, takes_ps = np.empty(most, np.int64), np.empty(most, np.int64)
    begin, there_ps = np.zeros(n + 1, np.int64), np.zeros(n, np.int64)
    end, made, a = np.int64(0), 0, 0
    for piece in range(counts[0]):
        start, stop = piece * widths[0] // counts[0], (piece + 1) * widths[0] // counts[0]
        last = a
        while last < n and senders[last] < stop:
            last += 1
        now, idle = np.int64(0), True
        if sending.update_first:
            now = (last - a) * active_ps + (stop - start - last + a) * inactive_ps
        work, before, shortest = np.int64(0), start - 1, np.int64(-1)
        while a < last:
            if not sending.update_first:
                work += (senders[a] - before - 1) * inactive_ps + active_ps
            before = senders[a]
            at, messages, least = first[a], 0, np.int64(-1)
            while at < first[a + 1]:
                receiver, from_ = piece_of[targets[at]], at
                while at < first[a + 1] and piece_of[targets[at]] == receiver:
                    at += 1
                words = axon_words + ((at - from_) * bits + 63) // 64
                takes = words * word_ps + (at - from_) * synop_ps
                if takes > 0:
                    taken_by[made], takes_ps[made] = receiver, takes
                    least = takes if messages == 0 else min(least, takes)
                    made, messages = made + 1, messages + 1
            if messages > 0:
                ready = work + message_ps + messages * sending.entry_ps
                now += ready if idle else max(ready, hold_ps)
                there_ps[a] = now + flight_ps
                if not sending.copied:
                    now += (messages - 1) * max(message_ps, hold_ps)
                work, idle, shortest = np.int64(0), False, least
            a += 1
            begin[a] = made
        if shortest >= 0:  # the last message of all arrives and is received
            end = max(end, now + flight_ps + shortest)
    free = np.zeros(counts[1], np.int64)
    for a in np.argsort(there_ps, kind="mergesort"):
        for message in range(begin[a], begin[a + 1]):
            piece = taken_by[message]
            free[piece] = max(free[piece], there_ps[a]) + takes_ps[message]
            end = max(end, free[piece])
    return end
