"""Messages over every link under XY routing, from the flows between logical cores."""

import numpy as np
import numpy.typing as npt
from numba import njit

from ..chip import EAST, NORTH, SOUTH, WEST, Topology
from ..mapping import Traffic

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]


def link_messages(mesh: Topology, traffic: Traffic, placement: Int32Array) -> Int64Array:
    """Messages over each link id in each step, (T, n_links)."""
    loads = np.zeros((traffic.steps, mesh.n_links), np.int64)
    _router_links(
        traffic.flow_source,
        traffic.flow_target,
        traffic.flow_messages,
        placement,
        mesh.core_x,
        mesh.core_y,
        mesh.width,
        mesh.height,
        loads,
    )
    loads[:, 4 * mesh.n_routers + placement] = traffic.messages_out
    loads[:, 4 * mesh.n_routers + mesh.n_cores + placement] = traffic.messages_in
    return loads


def link_messages_reference(mesh: Topology, traffic: Traffic, placement: Int32Array) -> Int64Array:
    """The slow, obvious twin of `link_messages`: walk every flow's route."""
    loads = np.zeros((traffic.steps, mesh.n_links), np.int64)
    flows = zip(traffic.flow_source, traffic.flow_target, traffic.flow_messages, strict=True)
    for source, target, messages in flows:
        for link in mesh.route(int(placement[source]), int(placement[target])):
            loads[:, link] += messages
    return loads


@njit(cache=True, nogil=True)
def _router_links(source, target, messages, placement, core_x, core_y, width, height, loads):  # type: ignore[no-untyped-def]
    """Add each flow's messages to the router-to-router links of its route.

    A flow adds the same number to a run of links in one row and a run in one column. So only the
    ends of the runs are marked, and one sweep along rows and columns sums them up: the work per
    flow does not grow with its distance.
    """
    steps = messages.shape[1]
    marks = np.zeros((4, height + 1, width + 1, steps), np.int64)
    for flow in range(len(source)):
        a, b = placement[source[flow]], placement[target[flow]]
        x0, y0, x1, y1 = core_x[a], core_y[a], core_x[b], core_y[b]
        for step in range(steps):
            count = messages[flow, step]
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
    for step in range(steps):
        for y in range(height):
            for x in range(width):
                first = (y * width + x) * 4
                for direction in (EAST, WEST):
                    if x > 0:
                        marks[direction, y, x, step] += marks[direction, y, x - 1, step]
                    loads[step, first + direction] = marks[direction, y, x, step]
                for direction in (NORTH, SOUTH):
                    if y > 0:
                        marks[direction, y, x, step] += marks[direction, y - 1, x, step]
                    loads[step, first + direction] = marks[direction, y, x, step]
