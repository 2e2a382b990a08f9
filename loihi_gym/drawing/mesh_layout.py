"""Where each router, core, link and chip of a mesh is drawn; neighbouring routers are 1 apart."""

import math
from functools import cached_property

import numpy as np

from ..arrays import Float64Array
from ..chip import EAST, NORTH, SOUTH, WEST, Topology
from ..mapping import Problem

ROUTER = 0.54
"""Side of a router's square."""
CHIP_GAP = 0.4
CHIP_MARGIN = 0.46
"""From the centre of a chip's outermost router to the chip's frame."""
LINK_OFFSET = 0.1
"""The two directions of a link lie this far to either side of the line between the routers."""
STEPS = {EAST: (1, 0), WEST: (-1, 0), NORTH: (0, 1), SOUTH: (0, -1)}

Point = tuple[float, float]
Box = tuple[Point, float, float]
"""Lower left corner, width, height."""


class MeshLayout:
    """Places of a problem's mesh.

    Attributes:
        ids: Id of each link that exists.
        lines: From where to where each of them is drawn.
        cells: Box of each physical core; those of a router share its square, in rows from the top.
    """

    def __init__(self, problem: Problem) -> None:
        self.mesh: Topology = problem.topology
        self.ids: list[int] = []
        self.lines: list[tuple[Float64Array, Float64Array]] = []
        for router in range(self.mesh.n_routers):
            self._add_links(router)
        per_router = problem.chip.cores_per_router
        self.cells = [self._cell(core, per_router) for core in range(self.mesh.n_cores)]

    def router(self, x: int, y: int) -> Float64Array:
        """Centre of a router, (2,)."""
        gaps = np.array([x // self.mesh.chip_width, y // self.mesh.chip_height])
        return np.array([x, y]) + CHIP_GAP * gaps

    @cached_property
    def routers(self) -> list[Box]:
        """The square of each router."""
        grid = np.ndindex(self.mesh.height, self.mesh.width)
        corners = [(self.router(x, y) - ROUTER / 2).tolist() for y, x in grid]
        return [((left, low), ROUTER, ROUTER) for left, low in corners]

    @cached_property
    def chips(self) -> list[Box]:
        """The frame of each chip, by its number."""
        mesh = self.mesh
        size = np.array([mesh.chip_width, mesh.chip_height]) - 1 + 2 * CHIP_MARGIN
        frames = []
        for y in range(0, mesh.height, mesh.chip_height):
            for x in range(0, mesh.width, mesh.chip_width):
                left, low = (self.router(x, y) - CHIP_MARGIN).tolist()
                frames.append(((left, low), *size.tolist()))
        return frames

    @cached_property
    def size(self) -> Float64Array:
        """From the outer frame's lower left corner to its upper right one, (2,)."""
        return self.router(self.mesh.width - 1, self.mesh.height - 1) + 2 * CHIP_MARGIN

    def _add_links(self, router: int) -> None:
        y, x = divmod(router, self.mesh.width)
        for direction, (dx, dy) in STEPS.items():
            if 0 <= x + dx < self.mesh.width and 0 <= y + dy < self.mesh.height:
                # Keep to the right, and leave the squares of the routers free.
                aside = LINK_OFFSET * np.array([dy, -dx])
                cut = (ROUTER / 2 + 0.04) * np.array([dx, dy])
                start, end = self.router(x, y), self.router(x + dx, y + dy)
                self.ids.append(4 * router + direction)
                self.lines.append((start + aside + cut, end + aside - cut))

    def _cell(self, core: int, per_router: int) -> Box:
        columns = math.ceil(math.sqrt(per_router))
        rows = math.ceil(per_router / columns)
        row, column = divmod(int(self.mesh.core_port[core]), columns)
        x, y = self.router(int(self.mesh.core_x[core]), int(self.mesh.core_y[core])).tolist()
        width, height = ROUTER / columns, ROUTER / rows
        corner = x - ROUTER / 2 + column * width, y + ROUTER / 2 - (row + 1) * height
        return corner, width, height


def corners(box: Box) -> Float64Array:
    """Outline of a box, (4, 2)."""
    (left, low), width, height = box
    right, high = left + width, low + height
    return np.array([(left, low), (right, low), (right, high), (left, high)])


def arrow(start: Float64Array, end: Float64Array, half_width: float) -> Float64Array:
    """Outline of an arrow, (7, 2)."""
    along = (end - start) / np.linalg.norm(end - start)
    aside = np.array([-along[1], along[0]])
    head = half_width + 0.045
    neck = end - along * 2 * head
    there = [start + aside * half_width, neck + aside * half_width, neck + aside * head]
    back = [neck - aside * head, neck - aside * half_width, start - aside * half_width]
    return np.array([*there, end, *back])
