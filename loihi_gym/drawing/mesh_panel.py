"""The mesh on a pair of axes, drawn again for each mapping: what every figure is made of."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..arrays import Float64Array, Int64Array
from ..backends import Measurement
from ..mapping import Mapping, Problem
from .captions import bottleneck_core
from .heat import core_layers, heat
from .mesh_layout import Box, MeshLayout, arrow, corners
from .palette import FREE, HEAT, HEAT_AT, MARK, layer_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF_WIDTHS = 0.012, 0.062
"""Half the width of an arrow, idle and at the end of the heat scale."""
BAR = 0.2
"""Height of a core's heat bar, as a part of the core's."""
LEAST_POINTS = 5.0
"""Layers' numbers smaller than this cannot be read and are left out."""
CORE_NUMBER_INCHES = 0.8
"""Routers at least this far apart have room for the number of their first core."""


class MeshPanel:
    """The mesh with a mapping on it: layers as colours and numbers, heat on links and cores.

    Args:
        axes: Where to draw.
        problem: What is mapped.
        inches: Distance of neighbouring routers on paper.
        scale_us: Where the heat scale ends, in microseconds a step.
    """

    def __init__(self, axes: "Axes", problem: Problem, inches: float, scale_us: float) -> None:
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import LinearSegmentedColormap

        self.problem, self.scale_us = problem, scale_us
        self.layout = MeshLayout(problem)
        self.axes = axes
        axes.set_aspect("equal")
        axes.axis("off")
        colours = LinearSegmentedColormap.from_list("heat", list(zip(HEAT_AT, HEAT, strict=True)))
        self._draw_frames(inches)
        self.links = PolyCollection([], cmap=colours, zorder=2)
        self.cores = PolyCollection(
            list(map(corners, self.layout.cells)), edgecolors="white", linewidths=0.8, zorder=3
        )
        self.bars = PolyCollection([], cmap=colours, zorder=3.5)
        for made in (self.links, self.cores, self.bars):
            axes.add_collection(made, autolim=False)
        for shown in (self.links, self.bars):
            shown.set_clim(0.0, scale_us)
        self.numbers = self._write_numbers(inches)
        self.marks: list[Any] = []
        self._changed: Any = None

    def draw(
        self, mapping: Mapping, measurement: Measurement, before: Int64Array | None = None
    ) -> None:
        """Draw a measured mapping.

        Args:
            mapping: A legal one.
            measurement: Of it.
            before: Layer of each core in a mapping that this one is compared with, as
                `core_layers` gives it: a black corner marks each core that has another layer now.
        """
        found = heat(self.problem, mapping, measurement)
        self._draw_links(found.link_us[self.layout.ids])
        layers = core_layers(self.problem, mapping)
        self._draw_cores(layers.tolist(), found.core_us)
        for mark in self.marks:
            mark.remove()
        self.marks = self._mark(measurement)
        if before is not None:
            self._mark_changed((layers != before).nonzero()[0].tolist())

    def _draw_links(self, busy_us: Float64Array) -> None:
        idle, hot = HALF_WIDTHS
        parts = (busy_us / self.scale_us).clip(0.0, 1.0).tolist()
        lines = zip(self.layout.lines, parts, strict=True)
        self.links.set_verts([arrow(*line, idle + (hot - idle) * part) for line, part in lines])
        self.links.set_array(busy_us)

    def _draw_cores(self, layers: Sequence[int], busy_us: Float64Array) -> None:
        n_layers = self.problem.n_layers
        self.cores.set_facecolor(
            [FREE if layer < 0 else layer_colour(layer, n_layers) for layer in layers]
        )
        for number, layer in zip(self.numbers, layers, strict=False):
            number.set_text("" if layer < 0 else str(layer))
        parts = (busy_us / self.scale_us).clip(0.0, 1.0).tolist()
        bars = [
            ((left, low), width * part, height * BAR)
            for ((left, low), width, height), part in zip(self.layout.cells, parts, strict=True)
        ]
        self.bars.set_verts(list(map(corners, bars)))
        self.bars.set_array(busy_us)

    def _mark(self, measurement: Measurement) -> list[Any]:
        """A frame around the core or link that the slowest step waits for."""
        from matplotlib.patches import Ellipse, Rectangle

        if measurement.bottleneck is None:
            return []
        core = bottleneck_core(self.problem, measurement)
        patch: Any
        if core is None:
            (ax, ay), (bx, by) = self.layout.lines[
                self.layout.ids.index(measurement.bottleneck.index)
            ]
            length = math.hypot(bx - ax, by - ay) + 0.14
            size = (length, 0.22) if ay == by else (0.22, length)
            patch = Ellipse(((ax + bx) / 2, (ay + by) / 2), *size, **_frame())
        else:
            (left, low), width, height = self.layout.cells[core]
            patch = Rectangle((left - 0.02, low - 0.02), width + 0.04, height + 0.04, **_frame())
        return [self.axes.add_patch(patch)]

    def _mark_changed(self, cores: Sequence[int]) -> None:
        from matplotlib.collections import PolyCollection

        if self._changed is not None:
            self._changed.remove()
        triangles = []
        for (left, low), width, height in (self.layout.cells[core] for core in cores):
            right, high, side = left + width, low + height, 0.32 * min(width, height)
            triangles.append([(right, high), (right - side, high), (right, high - side)])
        made = PolyCollection(triangles, facecolors=MARK, zorder=4)
        self._changed = self.axes.add_collection(made, autolim=False)

    def _draw_frames(self, inches: float) -> None:
        """Frames of chips and routers, coordinates, and the number of each router's first core."""
        from matplotlib.collections import PolyCollection

        layout = self.layout
        style: dict[str, Any] = {"facecolors": "white", "edgecolors": "#555555"}
        frames = list(map(corners, layout.chips))
        self.axes.add_collection(PolyCollection(frames, linewidths=1.2, zorder=1, **style))
        squares = list(map(corners, layout.routers))
        style["edgecolors"] = "#aaaaaa"
        self.axes.add_collection(PolyCollection(squares, linewidths=0.8, zorder=2.5, **style))
        self._write_coordinates()
        if inches >= CORE_NUMBER_INCHES:
            self._write_first_cores()

    def _write_coordinates(self) -> None:
        layout, mesh = self.layout, self.layout.mesh
        (left, low), *_ = layout.chips[0]
        style: dict[str, Any] = {"fontsize": 7, "color": "#555555", "zorder": 1}
        for x in range(mesh.width):
            at = layout.router(x, 0)[0], low - 0.06
            self.axes.text(*at, f"x={x}" if x == 0 else str(x), ha="center", va="top", **style)
        for y in range(mesh.height):
            at = left - 0.06, layout.router(0, y)[1]
            self.axes.text(*at, f"y={y}" if y == 0 else str(y), ha="right", va="center", **style)
        if len(layout.chips) > 1:
            for number, ((chip_left, chip_low), _, height) in enumerate(layout.chips):
                at = chip_left + 0.04, chip_low + height + 0.02
                self.axes.text(*at, f"chip {number}", va="bottom", **style)
        width, height = layout.size.tolist()
        self.axes.set_xlim(left - 0.4, left + width + 0.05)
        self.axes.set_ylim(low - 0.3, low + height + 0.25)

    def _write_first_cores(self) -> None:
        mesh = self.layout.mesh
        style: dict[str, Any] = {"fontsize": 5, "color": "#666666"}
        first: dict[int, int] = {}
        for core, router in enumerate(mesh.core_router.tolist()):
            first.setdefault(router, core)
        for router, core in first.items():
            (left, low), _, height = self.layout.routers[router]
            self.axes.text(left, low + height + 0.01, str(core), va="bottom", zorder=2.6, **style)

    def _write_numbers(self, inches: float) -> list[Any]:
        """A text for each core's layer, if there is room for it."""
        (_, width, height), points = self.layout.cells[0], 72 * inches
        size = min(7.0, 0.55 * points * height, 0.45 * points * width)
        if size < LEAST_POINTS:
            return []
        style: dict[str, Any] = {"fontsize": size, "ha": "center", "va": "center", "zorder": 4}
        return [self.axes.text(*_middle(box), "", **style) for box in self.layout.cells]


def _middle(box: Box) -> tuple[float, float]:
    """Where a core's number stands: in the middle of what its bar leaves."""
    (left, low), width, height = box
    return left + width / 2, low + height * (1 + 0.5 * BAR) / 2


def _frame() -> dict[str, Any]:
    """A frame that is seen on any colour: black, with white around it."""
    from matplotlib.patheffects import Normal, Stroke

    around = [Stroke(linewidth=4.5, foreground="white"), Normal()]
    return {
        "fill": False,
        "edgecolor": MARK,
        "linewidth": 2.4,
        "zorder": 6,
        "path_effects": around,
    }
