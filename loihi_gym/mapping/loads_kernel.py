"""Counting synapses and messages piece by piece: the inner loops of `Pieces` and `Loads`.

Their slow twin, neuron by neuron and synapse by synapse, is in ``tests/mapping/test_traffic.py``.
"""

import numpy as np

from ..compiled import kernel


@kernel
def count_axons(indptr, indices, into, reached):  # type: ignore[no-untyped-def]
    """Count the (presynaptic neuron, piece) pairs with a synapse, by piece and by neuron.

    Args:
        indptr: CSR rows are post-synaptic, and cut into the pieces.
        indices: Presynaptic neuron of each synapse.
        into: Pairs of each piece are added to it, (k,).
        reached: Pairs of each presynaptic neuron are added to it, (n_pre,).
    """
    neurons, k = len(indptr) - 1, len(into)
    seen = np.full(len(reached), -1, np.int32)  # last piece in which a neuron was met
    for piece in range(k):
        for at in range(indptr[piece * neurons // k], indptr[(piece + 1) * neurons // k]):
            neuron = indices[at]
            if seen[neuron] != piece:
                seen[neuron] = piece
                reached[neuron] += 1
                into[piece] += 1


@kernel
def has_room(indptr, indices, n_pre, k, cost, most_words, most_axons):  # type: ignore[no-untyped-def]
    """Whether each of k pieces holds its synapses and input axons.

    Axons are counted no further than it takes to tell.

    Args:
        indptr: CSR rows are post-synaptic, and cut into the pieces.
        indices: Presynaptic neuron of each synapse.
        n_pre: Presynaptic neurons.
        k: Pieces.
        cost: Bits of a synapse, words of an axon.
        most_words: 64-bit words of synaptic memory of a core.
        most_axons: Input axons of a core.
    """
    neurons = len(indptr) - 1
    bits, axon_words = cost
    seen = np.full(n_pre, -1, np.int32)  # last piece in which a neuron was met
    for piece in range(k):
        first, end = indptr[piece * neurons // k], indptr[(piece + 1) * neurons // k]
        words = most_words - (np.int64(end - first) * bits + 63) // 64
        if words < 0:
            return False
        room = most_axons
        if axon_words > 0:
            room = min(room, words // axon_words)
        if min(n_pre, end - first) <= room:
            continue
        for at in range(first, end):
            neuron = indices[at]
            if seen[neuron] != piece:
                seen[neuron] = piece
                room -= 1
                if room < 0:
                    return False
    return True


@kernel
def receive(first, targets, neurons, k, cost, counts, totals):  # type: ignore[no-untyped-def]
    """What the k pieces of a layer of `neurons` neurons receive from its senders in one step.

    Args:
        first: Where each sender's targets begin, (A + 1,).
        targets: Post-synaptic neurons, ascending for each sender.
        neurons: Width of the layer.
        k: Pieces.
        cost: Synapse bits, axon words, ps per word, ps per synapse.
        counts: Filled with the synapses of each sender in each piece, (A, k).
        totals: Filled with messages, synapses, words and ps of each piece, (4, k).
    """
    bits, axon_words, word_ps, synop_ps = cost
    counts[:] = 0
    totals[:] = 0
    for sender in range(len(first) - 1):
        piece = 0
        end = neurons // k
        for at in range(first[sender], first[sender + 1]):
            while targets[at] >= end:
                piece += 1
                end = (piece + 1) * neurons // k
            counts[sender, piece] += 1
        for piece in range(k):
            synapses = np.int64(counts[sender, piece])
            if synapses > 0:
                words = axon_words + (synapses * bits + 63) // 64
                totals[0, piece] += 1
                totals[1, piece] += synapses
                totals[2, piece] += words
                totals[3, piece] += words * word_ps + synapses * synop_ps


@kernel
def receive_rows(counts, cost, rows):  # type: ignore[no-untyped-def]
    """Time each receiver takes for each sender's message, 0 for none: (A, k)."""
    bits, axon_words, word_ps, synop_ps = cost
    for sender in range(counts.shape[0]):
        for piece in range(counts.shape[1]):
            synapses = np.int64(counts[sender, piece])
            words = axon_words + (synapses * bits + 63) // 64 if synapses > 0 else 0
            rows[sender, piece] = words * word_ps + synapses * synop_ps


@kernel
def count_messages(senders, width, counts, between):  # type: ignore[no-untyped-def]
    """Add the messages from each piece of the senders' layer to each receiver, (k, fan_out).

    Args:
        senders: Neurons that send, ascending, (A,).
        width: Neurons of their layer.
        counts: Synapses of each in each receiver, (A, fan_out).
        between: Messages are added to it, (k, fan_out).
    """
    k = between.shape[0]
    piece, end = 0, width // k
    for sender in range(len(senders)):
        while senders[sender] >= end:
            piece += 1
            end = (piece + 1) * width // k
        for receiver in range(counts.shape[1]):
            between[piece, receiver] += counts[sender, receiver] > 0
