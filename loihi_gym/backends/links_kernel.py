"""Messages over every link under XY routing, from the messages between logical cores."""

from typing import NamedTuple

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import EAST, NORTH, SOUTH, WEST, ChipSpec, Topology
from ..compiled import inlined, kernel
from ..mapping import Traffic


class LinkLoads(NamedTuple):
    """What the links carry in each step, by link id, (T, n_links) each."""

    messages: Int64Array
    words: Int64Array  # 32 bits each


def link_loads(
    chip: ChipSpec, mesh: Topology, traffic: Traffic, placement: Int32Array
) -> LinkLoads:
    """What a placed partitioning makes every link carry."""
    messages, words = (np.zeros((traffic.steps, mesh.n_links), np.int64) for _ in range(2))
    between = _trees if chip.structure.multicast == "tree" else _paths
    for loads, part in zip((messages, words), between(mesh, traffic, placement), strict=True):
        loads[:, : 4 * mesh.n_routers] = part.T
    out, into = 4 * mesh.n_routers + placement, 4 * mesh.n_routers + mesh.n_cores + placement
    messages[:, out], messages[:, into] = traffic.messages_out, traffic.messages_in
    words[:, out] = traffic.messages_out * traffic.words_out
    words[:, into] = traffic.messages_in * traffic.words_in
    return LinkLoads(messages, words)


def _paths(
    mesh: Topology, traffic: Traffic, placement: Int32Array
) -> tuple[Int64Array, Int64Array]:
    """Messages and words between routers, (4 R, T) each, one message for each receiver."""
    found = []
    long = np.repeat(traffic.words_out, traffic.fan_out)[:, None]
    for pairs in (traffic.pair_messages, traffic.pair_messages * long.astype(np.int32)):
        between = np.empty((4 * mesh.n_routers, traffic.steps), np.int64)
        router_links(
            traffic.next_core,
            traffic.fan_out,
            traffic.pair_first,
            pairs,
            placement,
            mesh.core_x,
            mesh.core_y,
            mesh.width,
            between,
        )
        found.append(between)
    return found[0], found[1]


def _trees(
    mesh: Topology, traffic: Traffic, placement: Int32Array
) -> tuple[Int64Array, Int64Array]:
    """Messages and words between routers, (4 R, T) each, where routers copy messages."""
    messages, words = (np.zeros((4 * mesh.n_routers, traffic.steps), np.int64) for _ in range(2))
    router_trees(
        traffic.next_core,
        traffic.fan_out,
        traffic.neuron_first,
        traffic.row_first,
        traffic.row_receive_ps,
        traffic.words_out,
        placement,
        mesh.core_x,
        mesh.core_y,
        mesh.width,
        messages,
        words,
    )
    return messages, words


def link_loads_reference(
    chip: ChipSpec, mesh: Topology, traffic: Traffic, placement: Int32Array
) -> LinkLoads:
    """The slow, obvious twin of `link_loads`: walk every message's way to every receiver."""
    messages, words = (np.zeros((traffic.steps, mesh.n_links), np.int64) for _ in range(2))
    for step in range(traffic.steps):
        for source in range(traffic.n_logical_cores):
            start, count = int(traffic.next_core[source]), int(traffic.fan_out[source])
            first, last = traffic.neuron_first[step, source : source + 2]
            for neuron in range(first, last):
                row = traffic.row_receive_ps[traffic.row_first[neuron] :][:count]
                ways = [
                    mesh.route(int(placement[source]), int(placement[start + k]))
                    for k in np.flatnonzero(row)
                ]
                carried = [link for way in ways for link in way]
                # Routers copy a message where ways part: no link carries it twice.
                for link in set(carried) if chip.structure.multicast == "tree" else carried:
                    messages[step, link] += 1
                    words[step, link] += traffic.words_out[source]
    return LinkLoads(messages, words)


@inlined
def runs(x, y, to_x, to_y, width):  # type: ignore[no-untyped-def]
    """The links of a route between routers, X then Y: (first link, stride, links) of both runs."""
    along_x, along_y = (y * width + x) * 4 + EAST, (y * width + to_x) * 4 + NORTH
    stride_x, stride_y = 4, 4 * width
    if to_x < x:
        along_x, stride_x = along_x + WEST - EAST, -stride_x
    if to_y < y:
        along_y, stride_y = along_y + SOUTH - NORTH, -stride_y
    return (along_x, stride_x, abs(to_x - x)), (along_y, stride_y, abs(to_y - y))


@kernel
def router_links(next_core, fan_out, pair_first, messages, placement, core_x, core_y, width, loads):  # type: ignore[no-untyped-def]
    """Count messages over all links between routers into `loads`, (4 * n_routers, T).

    A pair adds the same number to a run of links in one row and a run in one column. So only the
    ends of the runs are marked, and one sweep along rows and columns sums them up: the work per
    pair does not grow with its distance.
    """
    steps, height = messages.shape[1], loads.shape[0] // (4 * width)
    marks = np.zeros((4, height + 1, width + 1, steps), np.int64)
    for source in range(len(fan_out)):
        x0, y0 = core_x[placement[source]], core_y[placement[source]]
        for way in range(fan_out[source]):
            core, pair = placement[next_core[source] + way], pair_first[source] + way
            x1, y1 = core_x[core], core_y[core]
            for step in range(steps):
                count = messages[pair, step]
                if x1 > x0:  # leaves x0 … x1 - 1
                    marks[EAST, y0, x0, step] += count
                    marks[EAST, y0, x1, step] -= count
                elif x1 < x0:  # leaves x1 + 1 … x0
                    marks[WEST, y0, x1 + 1, step] += count
                    marks[WEST, y0, x0 + 1, step] -= count
                if y1 > y0:
                    marks[NORTH, y0, x1, step] += count
                    marks[NORTH, y1, x1, step] -= count
                elif y1 < y0:
                    marks[SOUTH, y1 + 1, x1, step] += count
                    marks[SOUTH, y0 + 1, x1, step] -= count
    for y in range(height):
        for x in range(width):
            first = (y * width + x) * 4
            for step in range(steps):
                for direction in (EAST, WEST):
                    if x > 0:
                        marks[direction, y, x, step] += marks[direction, y, x - 1, step]
                    loads[first + direction, step] = marks[direction, y, x, step]
                for direction in (NORTH, SOUTH):
                    if y > 0:
                        marks[direction, y, x, step] += marks[direction, y - 1, x, step]
                    loads[first + direction, step] = marks[direction, y, x, step]


@kernel
def router_trees(  # type: ignore[no-untyped-def]
    next_core, fan_out, neuron_first, row_first, receive_ps, long, placement, core_x, core_y, width,
    messages, words,
):  # fmt: skip
    """Count the messages of all sending neurons over links between routers, and their words.

    A message runs along its row as far as any receiver's column, either way, and in each such
    column as far as any receiver's row: each link once. Both counts are (4 * n_routers, T) of
    zeros; the other arguments are as in `Traffic`.
    """
    top, low = np.zeros(width, np.int64), np.zeros(width, np.int64)
    for step in range(neuron_first.shape[0]):
        for source in range(len(fan_out)):
            x0, y0 = core_x[placement[source]], core_y[placement[source]]
            for neuron in range(neuron_first[step, source], neuron_first[step, source + 1]):
                east, west = x0, x0
                top[:], low[:] = y0, y0
                for k in range(fan_out[source]):
                    if receive_ps[row_first[neuron] + k] > 0:
                        core = placement[next_core[source] + k]
                        x, y = core_x[core], core_y[core]
                        east, west = max(east, x), min(west, x)
                        top[x], low[x] = max(top[x], y), min(low[x], y)
                for x in range(x0, east):
                    messages[(y0 * width + x) * 4 + EAST, step] += 1
                    words[(y0 * width + x) * 4 + EAST, step] += long[source]
                for x in range(west + 1, x0 + 1):
                    messages[(y0 * width + x) * 4 + WEST, step] += 1
                    words[(y0 * width + x) * 4 + WEST, step] += long[source]
                for x in range(west, east + 1):
                    for y in range(y0, top[x]):
                        messages[(y * width + x) * 4 + NORTH, step] += 1
                        words[(y * width + x) * 4 + NORTH, step] += long[source]
                    for y in range(low[x] + 1, y0 + 1):
                        messages[(y * width + x) * 4 + SOUTH, step] += 1
                        words[(y * width + x) * 4 + SOUTH, step] += long[source]
