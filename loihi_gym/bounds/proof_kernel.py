"""Inner loops of `lower_bound`: tables over all core counts of a layer, and the search in them."""

import numpy as np

from ..compiled import inlined, kernel
from .release_kernel import finish_ps

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
def cheapest(layer, sending, limits, own, following, order, next_width, next_cost, released):  # type: ignore[no-untyped-def]
    """Least cost of a layer and all after it, for each of its core counts, within time limits.

    Args:
        layer: Its tables, `LayerTables`.
        sending: What its cores take to send, `Sending`.
        limits: Time allowed in each step, (T,).
        own: Cost of each count, (K + 1,).
        following: Least cost of the layers after it for each count of the next, (K' + 1,).
        order: Counts of the next layer by `following`, cheapest first, the feasible ones.
        next_width: Neurons of the next layer.
        next_cost: What a message takes it, as in `finish_ps`.
        released: Whether messages take time to be there.

    Returns:
        The cost, `INFEASIBLE` where no count of the next layer will do, and the count of the next
        layer that it takes: (K + 1,) each.
    """
    steps, senders, width = len(limits), layer.reached.shape[2] - 1, layer.width
    entry_ps = sending.entry_ps if sending.copied else sending.message_ps
    neuron_ps = sending.message_ps if sending.copied else 0
    fewest = np.empty((len(order) + 1, steps), np.int64)  # messages, of this count or a later one
    fewest[len(order)] = INFEASIBLE
    for index in range(len(order) - 1, -1, -1):
        for step in range(steps):
            messages = np.int64(layer.reached[step, order[index], senders])
            fewest[index, step] = min(fewest[index + 1, step], messages)
    costs, choices = np.full(len(own), INFEASIBLE, np.int64), np.zeros(len(own), np.int64)
    for k in range(1, len(own)):
        allowed = own[k] < INFEASIBLE
        for step in range(steps):
            allowed = allowed and layer.receive_ps[k, step] <= limits[step]
        if not allowed:
            continue
        for index in range(len(order)):
            # All messages together must fit into the time of all k cores: cheap, and often enough.
            possible = True
            for step in range(steps):
                active = np.int64(layer.until[step, width])
                update = active * sending.active_ps + (width - active) * sending.inactive_ps
                handed = np.int64(layer.heard[step, width]) * neuron_ps
                least = update + handed + fewest[index, step] * entry_ps
                possible = possible and least <= k * limits[step]
            if not possible:
                break
            if _sends_in_time(layer, sending, k, order[index], limits) and (
                not released
                or _received_in_time(layer, sending, k, order[index], limits, next_width, next_cost)
            ):
                costs[k] = own[k] + following[order[index]]
                choices[k] = order[index]
                break
    return costs, choices


@kernel
def _sends_in_time(layer, sending, k, fan_out, limits):  # type: ignore[no-untyped-def]
    """Whether each of k pieces updates and sends to `fan_out` pieces within the limits."""
    until, heard, reached = layer.until, layer.heard, layer.reached
    for step in range(len(limits)):
        before, begin = np.int64(0), np.int64(0)
        for piece in range(k):
            end = (piece + 1) * layer.width // k
            after = np.int64(until[step, end])
            active = after - before
            entries = np.int64(reached[step, fan_out, after]) - reached[step, fan_out, before]
            senders = np.int64(heard[step, end]) - heard[step, begin]
            messages = senders if sending.copied else entries
            core_ps = active * sending.active_ps + (end - begin - active) * sending.inactive_ps
            core_ps += entries * sending.entry_ps + messages * sending.message_ps
            if max(core_ps, messages * sending.port_ps) > limits[step]:
                return False
            before, begin = after, end
    return True


@inlined
def _received_in_time(layer, sending, k, fan_out, limits, next_width, next_cost):  # type: ignore[no-untyped-def]
    """Whether `fan_out` pieces can have received what k pieces send within the limits."""
    in_time = True
    for step in range(len(limits)):
        if layer.finish_ps[k, fan_out, step] == 0:  # not known yet
            begin, end = layer.step_first[step], layer.step_first[step + 1]
            layer.finish_ps[k, fan_out, step] = 1 + finish_ps(
                layer.senders[begin:end],
                layer.first[begin : end + 1],
                layer.targets,
                (layer.width, next_width),
                (k, fan_out),
                next_cost,
                sending,
            )
        in_time = in_time and layer.finish_ps[k, fan_out, step] - 1 <= limits[step]
    return in_time
