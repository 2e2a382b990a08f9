"""Inner loops of `lower_bound`: tables over all core counts of a layer, and the search in them."""

import numpy as np

from ..compiled import kernel

INFEASIBLE = np.int64(1) << 62


@kernel
def fill_step(  # type: ignore[no-untyped-def]
    first, targets, neurons, cost, port_ps, least_hops, fewest, receive_ps, reached, hops
):
    """What the senders of one step make a layer of `neurons` receive, for every core count k.

    Args:
        first: Where each sender's targets begin, (A + 1,).
        targets: Post-synaptic neurons, ascending for each sender.
        neurons: Width of the receiving layer.
        cost: Synapse bits, axon words, ps per word, ps per synapse.
        port_ps: Time that a message takes a core's port.
        least_hops: Hops that a sender's messages to r cores need at least, (R,).
        fewest: The first count that is looked at.
        receive_ps: Filled with the longest that a piece receives, (K + 1,).
        reached: Filled with the pieces the first senders reach, added up, (K + 1, A + 1).
        hops: Filled with hops that the messages need at least, (K + 1,).
    """
    bits, axon_words, word_ps, synop_ps = cost
    piece_of = np.empty(neurons, np.int64)
    for k in range(fewest, len(receive_ps)):
        for piece in range(k):
            piece_of[piece * neurons // k : (piece + 1) * neurons // k] = piece
        busy, arriving = np.zeros(k, np.int64), np.zeros(k, np.int64)
        for sender in range(len(first) - 1):
            pieces, at = 0, first[sender]
            while at < first[sender + 1]:
                piece, start = piece_of[targets[at]], at
                while at < first[sender + 1] and piece_of[targets[at]] == piece:
                    at += 1
                words = axon_words + ((at - start) * bits + 63) // 64
                busy[piece] += words * word_ps + (at - start) * synop_ps
                arriving[piece] += 1
                pieces += 1
            reached[k, sender + 1] = reached[k, sender] + pieces
            hops[k] += least_hops[pieces]
        reached[k, len(first) :] = reached[k, len(first) - 1]  # other steps have more senders
        for piece in range(k):
            receive_ps[k] = max(receive_ps[k], busy[piece], arriving[piece] * port_ps)


@kernel
def cheapest(width, receive_ps, until, heard, reached, times, limits, own, following, order):  # type: ignore[no-untyped-def]
    """Least cost of a layer and all after it, for each of its core counts, within time limits.

    Args:
        width: Neurons of the layer.
        receive_ps: Longest that a piece receives for each count, (K + 1, T).
        until: Sending neurons before each neuron, (T, width + 1).
        heard: Those of them that have a target, (T, width + 1).
        reached: Messages of the first senders for each count of the next layer, (T, K' + 1, A + 1).
        times: Of an active neuron and an inactive one; (core, port) for each core that a neuron
            sends to, and for each neuron that sends to any.
        limits: Time allowed in each step, (T,).
        own: Cost of each count, (K + 1,).
        following: Least cost of the layers after it for each count of the next, (K' + 1,).
        order: Counts of the next layer by `following`, cheapest first, the feasible ones.

    Returns:
        The cost, `INFEASIBLE` where no count of the next layer will do, and the count of the next
        layer that it takes: (K + 1,) each.
    """
    steps, senders = until.shape[0], reached.shape[2] - 1
    entry_ps, neuron_ps = times[2][0], times[3][0]
    fewest = np.empty((len(order) + 1, steps), np.int64)  # messages, of this count or a later one
    fewest[len(order)] = INFEASIBLE
    for index in range(len(order) - 1, -1, -1):
        for step in range(steps):
            messages = np.int64(reached[step, order[index], senders])
            fewest[index, step] = min(fewest[index + 1, step], messages)
    costs, choices = np.full(len(own), INFEASIBLE, np.int64), np.zeros(len(own), np.int64)
    for k in range(1, len(own)):
        allowed = own[k] < INFEASIBLE
        for step in range(steps):
            allowed = allowed and receive_ps[k, step] <= limits[step]
        if not allowed:
            continue
        for index in range(len(order)):
            # All messages together must fit into the time of all k cores: cheap, and often enough.
            possible = True
            for step in range(steps):
                active = np.int64(until[step, width])
                update = active * times[0] + (width - active) * times[1]
                sending = np.int64(heard[step, width]) * neuron_ps
                least = update + sending + fewest[index, step] * entry_ps
                possible = possible and least <= k * limits[step]
            if not possible:
                break
            if _sends_in_time(width, k, until, heard, reached, order[index], times, limits):
                costs[k] = own[k] + following[order[index]]
                choices[k] = order[index]
                break
    return costs, choices


@kernel
def _sends_in_time(width, k, until, heard, reached, fan_out, times, limits):  # type: ignore[no-untyped-def]
    """Whether each of k pieces updates and sends to `fan_out` pieces within the limits."""
    for step in range(until.shape[0]):
        before, begin = np.int64(0), np.int64(0)
        for piece in range(k):
            end = (piece + 1) * width // k
            after = np.int64(until[step, end])
            active = after - before
            entries = np.int64(reached[step, fan_out, after]) - reached[step, fan_out, before]
            senders = np.int64(heard[step, end]) - heard[step, begin]
            update = active * times[0] + (end - begin - active) * times[1]
            core_ps = update + entries * times[2][0] + senders * times[3][0]
            port_ps = entries * times[2][1] + senders * times[3][1]
            if max(core_ps, port_ps) > limits[step]:
                return False
            before, begin = after, end
    return True
