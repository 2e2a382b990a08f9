"""Messages over every link under XY routing, from the messages between logical cores."""

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import EAST, NORTH, SOUTH, WEST, Topology
from ..compiled import inlined, kernel
from ..mapping import Traffic


def link_messages(mesh: Topology, traffic: Traffic, placement: Int32Array) -> Int64Array:
    """Messages over each link id in each step, (T, n_links)."""
    between_routers = np.empty((4 * mesh.n_routers, traffic.steps), np.int64)
    router_links(
        traffic.next_core,
        traffic.fan_out,
        traffic.pair_first,
        traffic.pair_messages,
        placement,
        mesh.core_x,
        mesh.core_y,
        mesh.width,
        between_routers,
    )
    loads = np.zeros((traffic.steps, mesh.n_links), np.int64)
    loads[:, : 4 * mesh.n_routers] = between_routers.T
    loads[:, 4 * mesh.n_routers + placement] = traffic.messages_out
    loads[:, 4 * mesh.n_routers + mesh.n_cores + placement] = traffic.messages_in
    return loads


def link_messages_reference(mesh: Topology, traffic: Traffic, placement: Int32Array) -> Int64Array:
    """The slow, obvious twin of `link_messages`: walk every pair's route."""
    loads = np.zeros((traffic.steps, mesh.n_links), np.int64)
    for source in range(traffic.n_logical_cores):
        for way in range(int(traffic.fan_out[source])):
            target = int(traffic.next_core[source]) + way
            messages = traffic.pair_messages[int(traffic.pair_first[source]) + way]
            for link in mesh.route(int(placement[source]), int(placement[target])):
                loads[:, link] += messages
    return loads


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
