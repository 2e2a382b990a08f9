"""Pictures of a measured mapping: the mesh with layers as colours and link loads as heat.

Figures need the extra ``plot`` (matplotlib); `text` needs nothing.
"""

import io
import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..arrays import Float64Array, Int64Array
from ..backends import Measurement
from ..backends.assembly import link_service_ps, link_words
from ..chip import EAST, NORTH, SOUTH, WEST, Topology
from ..errors import LoihiGymError, one_line
from ..files import write_bytes
from ..mapping import Mapping, Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure


FREE = "#ececec"
MARK = "#1040c0"
HEAT = ("#dddddd", "#ffd27f", "#ff8c1a", "#e01f1f", "#7a0010")
"""Colours of links from idle to the busiest."""
ROUTER = 0.5
"""Side of a router's square, as part of the distance between routers."""
CHIP_GAP = 0.35
LINK_OFFSET = 0.1
"""The two directions of a link lie this far to either side of the line between the routers."""
LEAST_SHARE = 0.1
"""The heat scale ends at the busiest link's share of the latency, but not below this."""
MOST_NUMBERS = 400
"""Cores up to which each shows the number of its layer."""
LONGEST_SIDE = 16.0
"""Inches of a figure's longer side: a mesh too large for it is drawn smaller."""
LONGEST_NAME = 60
"""Characters of a problem's or a chip's name that are shown."""


def text(
    problem: Problem, mapping: Mapping, measurement: Measurement, reference: Measurement
) -> str:
    """The mesh as text: a cell per router with the layers on its cores, ``.`` for a free one."""
    mesh = problem.topology
    layers = core_layers(problem, mapping)
    names = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    per_router = problem.chip.cores_per_router
    grid = np.full((mesh.height, mesh.width, per_router), " ")
    for core, layer in enumerate(layers.tolist()):
        symbol = "." if layer < 0 else names[layer % len(names)]
        grid[mesh.core_y[core], mesh.core_x[core], mesh.core_port[core]] = symbol
    rows = [" ".join("[" + "".join(cell) + "]" for cell in row) for row in grid[::-1]]
    return "\n".join([*rows, *_caption(problem, measurement, reference)]) + "\n"


def core_layers(problem: Problem, mapping: Mapping) -> Int64Array:
    """Layer on each physical core, -1 where it is free, (n_cores,)."""
    layers = np.full(problem.topology.n_cores, -1)
    layers[mapping.placement] = np.repeat(np.arange(problem.n_layers), mapping.cores_per_layer)
    return layers


def link_busy_ps(problem: Problem, mapping: Mapping, measurement: Measurement) -> Int64Array:
    """Time that each link between routers is busy, over all steps, (4 * n_routers,)."""
    links = 4 * problem.topology.n_routers
    words = link_words(problem, mapping, measurement)
    busy: Int64Array = (words.sum(axis=0) * link_service_ps(problem.chip))[:links]
    return busy


def link_shares(problem: Problem, mapping: Mapping, measurement: Measurement) -> Float64Array:
    """Part of the latency that each link between routers is busy, (4 * n_routers,)."""
    busy_ps = link_busy_ps(problem, mapping, measurement)
    shares: Float64Array = busy_ps / measurement.latency_ps
    return shares


def picture(
    problem: Problem, mapping: Mapping, measurement: Measurement, reference: Measurement
) -> npt.NDArray[np.uint8]:
    """The mesh as an RGB picture, (height, width, 3)."""
    drawing = MeshDrawing(problem, reference)
    drawing.draw(mapping, measurement)
    return drawing.pixels()


def save(
    path: str | Path,
    problem: Problem,
    mapping: Mapping,
    measurement: Measurement,
    reference: Measurement,
) -> None:
    """Write the picture to a file, whole or not at all; its ending decides the format.

    Raises:
        LoihiGymError: if the file cannot be written, has the ending of no format that matplotlib
            knows (png, svg and pdf are), or matplotlib is not installed.
    """
    drawing = MeshDrawing(problem, reference)
    drawing.draw(mapping, measurement)
    data = io.BytesIO()
    try:
        drawing.figure.savefig(data, format=Path(path).suffix[1:] or "without an ending")
        write_bytes(path, data.getvalue())
    except OSError as error:
        raise LoihiGymError(f"picture {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise LoihiGymError(f"picture {path}: {str(error).splitlines()[0]}") from error


class MeshDrawing:
    """The mesh as a matplotlib figure that can be drawn again for another mapping.

    Args:
        problem: What is mapped.
        reference: Measurement of the reference mapping.
        latencies_ps: If given, a curve beside the mesh: the latency after each evaluation.
        heat: Share of the latency at which the heat scale ends; None fits it to each drawing.
        figure: Where to draw; a new one by default.

    Raises:
        LoihiGymError: if matplotlib is not installed.
    """

    def __init__(
        self,
        problem: Problem,
        reference: Measurement,
        latencies_ps: Sequence[int] | None = None,
        heat: float | None = None,
        figure: "Figure | None" = None,
    ) -> None:
        _require_matplotlib()
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import LinearSegmentedColormap
        from matplotlib.figure import Figure
        from matplotlib.ticker import PercentFormatter

        self.problem, self.reference = problem, reference
        self._heat = heat
        mesh = problem.topology
        unit = min(1.05, LONGEST_SIDE / (mesh.width + 2), LONGEST_SIDE / (mesh.height + 2))
        width = max(6.4, unit * mesh.width + 2.4)
        height = max(3.8, unit * mesh.height + 2.1)
        curve_width = 0.0 if latencies_ps is None else 4.2
        self.figure = figure or Figure()
        self.figure.set_size_inches(width + curve_width, height)
        part = width / (width + curve_width)
        axes = self.figure.add_axes((0.02 * part, 1.0 / height, 0.83 * part, 1 - 1.75 / height))
        axes.set_aspect("equal")
        axes.axis("off")
        self._axes = axes
        self._ids, arrows = _arrows(mesh)
        colours = LinearSegmentedColormap.from_list("heat", HEAT)
        self._outlines = arrows
        self._links = PolyCollection([], cmap=colours, zorder=2)
        axes.add_collection(self._links, autolim=False)
        self._cells = [_cell(problem, core) for core in range(mesh.n_cores)]
        self._cores = PolyCollection(
            [_corners(*cell) for cell in self._cells], edgecolors="white", linewidths=0.8, zorder=3
        )
        axes.add_collection(self._cores)
        self._numbers = self._write_numbers()
        self._draw_routers()
        axes.autoscale_view()
        axes.margins(0.03)
        self._marks: list[Any] = []
        bar = self.figure.colorbar(
            self._links,
            format=PercentFormatter(1.0, 0),
            cax=self.figure.add_axes((0.87 * part, 1.2 / height, 0.018 * part, 1 - 2.2 / height)),
        )
        bar.set_label("part of the latency a link is busy", fontsize=8)
        bar.ax.tick_params(labelsize=8)
        # A name may hold what matplotlib would take for a formula.
        style: dict[str, Any] = {"fontsize": 10, "va": "top", "parse_math": False}
        self._title = self.figure.text(0.03 * part, 1 - 0.14 / height, "", **style)
        self._bottleneck = self.figure.text(
            0.03 * part, 1 - 0.38 / height, "", color=MARK, weight="bold", **style
        )
        self._curve: Any = None
        if latencies_ps is not None:
            self._draw_curve(
                latencies_ps, (part + 0.065, 1.0 / height, 0.9 - part, 1 - 2.0 / height)
            )
        self._legend: Any = None
        self._legend_at = (0.44 * part, 0.0)

    def draw(
        self, mapping: Mapping, measurement: Measurement, evaluation: int | None = None
    ) -> None:
        """Draw a measured mapping; `evaluation` (from 1 on) is where on the curve it is."""
        problem = self.problem
        shares = link_shares(problem, mapping, measurement)[self._ids]
        top = self._heat or max(float(shares.max(initial=0.0)), LEAST_SHARE)
        self._links.set_verts(
            [
                _arrow(*line, 0.012 + 0.05 * min(share / top, 1.0))
                for line, share in zip(self._outlines, shares.tolist(), strict=True)
            ]
        )
        self._links.set_array(shares)
        self._links.set_clim(0.0, top)
        layers = core_layers(problem, mapping).tolist()
        self._cores.set_facecolor(
            [FREE if layer < 0 else _colour(layer, problem.n_layers) for layer in layers]
        )
        for number, layer in zip(self._numbers, layers, strict=False):
            number.set_text("" if layer < 0 else str(layer))
        self._mark(measurement)
        title, bottleneck = _caption(problem, measurement, self.reference)
        self._title.set_text(title)
        self._bottleneck.set_text(bottleneck)
        self._write_legend(mapping)
        if self._curve is not None and evaluation is not None:
            self._curve.set_data([evaluation], [measurement.latency_ps * 1e-6])

    def pixels(self) -> npt.NDArray[np.uint8]:
        """What is drawn as an RGB picture, (height, width, 3)."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas: Any = FigureCanvasAgg(self.figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba(), np.uint8)[:, :, :3].copy()

    def _draw_routers(self) -> None:
        """A frame around the cores of each router; routers without cores stay white."""
        from matplotlib.collections import PolyCollection

        mesh = self.problem.topology
        frames = [
            _corners(_position(mesh, x, y) - ROUTER / 2, ROUTER, ROUTER)
            for y in range(mesh.height)
            for x in range(mesh.width)
        ]
        self._axes.add_collection(
            PolyCollection(frames, facecolors="white", edgecolors="#aaaaaa", zorder=2.5)
        )

    def _write_numbers(self) -> list[Any]:
        if len(self._cells) > MOST_NUMBERS:
            return []
        style: dict[str, Any] = {"fontsize": 6.5, "ha": "center", "va": "center", "zorder": 4}
        return [
            self._axes.text(left + width / 2, low + height / 2, "", **style)
            for (left, low), width, height in self._cells
        ]

    def _mark(self, measurement: Measurement) -> None:
        """A frame around the core or link that the slowest step waits for."""
        from matplotlib.patches import Ellipse, Rectangle

        for mark in self._marks:
            mark.remove()
        self._marks = []
        if measurement.bottleneck is None:
            return
        mesh, (term, index, *_) = self.problem.topology, measurement.bottleneck
        style: dict[str, Any] = {"fill": False, "edgecolor": MARK, "linewidth": 3.0, "zorder": 6}
        if term == "link" and index < 4 * mesh.n_routers:
            (ax, ay), (bx, by) = self._outlines[self._ids.index(index)]
            length = math.hypot(bx - ax, by - ay) + 0.14
            size = (length, 0.2) if ay == by else (0.2, length)
            patch: Any = Ellipse(((ax + bx) / 2, (ay + by) / 2), *size, **style)
        else:
            core = (index - 4 * mesh.n_routers) % mesh.n_cores if term == "link" else index
            (left, low), width, height = self._cells[core]
            patch = Rectangle((left - 0.03, low - 0.03), width + 0.06, height + 0.06, **style)
        self._marks = [self._axes.add_patch(patch)]

    def _write_legend(self, mapping: Mapping) -> None:
        from matplotlib.patches import Patch

        if self._legend is not None:
            self._legend.remove()
        problem = self.problem
        entries = [
            Patch(facecolor=_colour(layer, problem.n_layers), label=f"layer {layer}: {cores}")
            for layer, cores in enumerate(mapping.cores_per_layer.tolist())
        ]
        if free := problem.topology.n_cores - mapping.n_logical_cores:
            entries.append(Patch(facecolor=FREE, label=f"free: {free}"))
        self._legend = self.figure.legend(
            handles=entries,
            title="cores per layer",
            fontsize=7,
            title_fontsize=8,
            ncols=min(len(entries), 6),
            loc="lower center",
            bbox_to_anchor=self._legend_at,
            frameon=False,
        )

    def _draw_curve(
        self, latencies_ps: Sequence[int], where: tuple[float, float, float, float]
    ) -> None:
        """Latency of every evaluation as dots, the best so far as a line, the reference dashed."""
        axes = self.figure.add_axes(where)
        latencies = np.array(latencies_ps) * 1e-6
        numbers = np.arange(1, len(latencies) + 1)
        best = np.minimum.accumulate(latencies)
        axes.plot(numbers, latencies, ".", color="#bbbbbb", markersize=3, label="evaluated")
        axes.step(numbers, best, where="post", color="#333333", label="best so far")
        level = self.reference.latency_ps * 1e-6
        axes.axhline(level, color="#888888", linestyle="--", linewidth=1, label="reference")
        (self._curve,) = axes.plot([], [], "o", color=MARK, markersize=8, label="shown")
        # Bad tries may be very bad: the scale is for what a search is about.
        top = max(level, float(np.quantile(latencies, 0.9)))
        low = min(level, float(best[-1]))
        axes.set_ylim(low - 0.08 * (top - low), top + 0.15 * (top - low) + 1e-9)
        axes.set_xlabel("evaluations", fontsize=8)
        axes.set_ylabel("latency (us, simulated)", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=7, frameon=False, loc="upper right")


class Window:
    """A matplotlib window that shows one mapping after the other (``render_mode="human"``).

    Where there is no display, matplotlib draws into memory and nothing is seen.
    """

    def __init__(self) -> None:
        self._drawing: MeshDrawing | None = None

    def show(
        self, problem: Problem, mapping: Mapping, measurement: Measurement, reference: Measurement
    ) -> None:
        """Draw a mapping and let the window system catch up."""
        _require_matplotlib()
        from matplotlib import pyplot

        if self._drawing is None or self._drawing.problem is not problem:
            self.close()
            self._drawing = MeshDrawing(problem, reference, figure=pyplot.figure())
        self._drawing.draw(mapping, measurement)
        canvas: Any = self._drawing.figure.canvas
        canvas.draw()
        if getattr(canvas.manager, "show", None) and canvas.required_interactive_framework:
            self._drawing.figure.show()
            canvas.flush_events()

    def close(self) -> None:
        """Close the window."""
        if self._drawing is not None:
            from matplotlib import pyplot

            pyplot.close(self._drawing.figure)
            self._drawing = None


def _require_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise LoihiGymError('pictures need matplotlib: pip install "loihi-gym[plot]"')


def _caption(problem: Problem, measurement: Measurement, reference: Measurement) -> tuple[str, str]:
    change = measurement.latency_ps / reference.latency_ps - 1.0
    if change == 0.0:
        compared = "equal to the reference"
    else:
        compared = f"{abs(change):.1%} {'above' if change > 0 else 'below'} the reference"
    name, chip = (one_line(each, LONGEST_NAME) for each in (problem.name, problem.chip.name))
    return (
        f"{name} on {chip}: {measurement.latency_ps * 1e-6:.2f} us, simulated, {compared}",
        f"bottleneck: {measurement.bottleneck or 'not measured'}",
    )


def _position(mesh: Topology, x: int, y: int) -> Float64Array:
    """Where the centre of a router is drawn, (2,)."""
    gaps = np.array([x // mesh.chip_width, y // mesh.chip_height])
    return np.array([x, y]) + CHIP_GAP * gaps


def _arrows(mesh: Topology) -> tuple[list[int], list[tuple[Float64Array, Float64Array]]]:
    """Ids of the links that exist, and from where to where each is drawn, (2,) each."""
    ids, lines = [], []
    steps = {EAST: (1, 0), WEST: (-1, 0), NORTH: (0, 1), SOUTH: (0, -1)}
    for router in range(mesh.n_routers):
        y, x = divmod(router, mesh.width)
        for direction, (dx, dy) in steps.items():
            if 0 <= x + dx < mesh.width and 0 <= y + dy < mesh.height:
                # Keep to the right, and leave the squares of the routers free.
                aside = LINK_OFFSET * np.array([dy, -dx])
                cut = (ROUTER / 2 + 0.05) * np.array([dx, dy])
                start, end = _position(mesh, x, y), _position(mesh, x + dx, y + dy)
                ids.append(4 * router + direction)
                lines.append((start + aside + cut, end + aside - cut))
    return ids, lines


def _arrow(start: Float64Array, end: Float64Array, half_width: float) -> Float64Array:
    """Outline of an arrow, (7, 2)."""
    along = (end - start) / np.linalg.norm(end - start)
    aside = np.array([-along[1], along[0]])
    head = half_width + 0.045
    neck = end - along * 2 * head
    there = [start + aside * half_width, neck + aside * half_width, neck + aside * head]
    back = [neck - aside * head, neck - aside * half_width, start - aside * half_width]
    return np.array([*there, end, *back])


Point = tuple[float, float]


def _cell(problem: Problem, core: int) -> tuple[Point, float, float]:
    """Where a core is drawn: lower left corner, width, height; cores share a router's square."""
    mesh, cores = problem.topology, problem.chip.cores_per_router
    columns = math.ceil(math.sqrt(cores))
    rows = math.ceil(cores / columns)
    row, column = divmod(int(mesh.core_port[core]), columns)
    x, y = _position(mesh, mesh.core_x[core], mesh.core_y[core]).tolist()
    width, height = ROUTER / columns, ROUTER / rows
    corner = x - ROUTER / 2 + column * width, y + ROUTER / 2 - (row + 1) * height
    return corner, width, height


def _corners(corner: Point | Float64Array, width: float, height: float) -> Float64Array:
    left, low = corner
    right, high = left + width, low + height
    return np.array([(left, low), (right, low), (right, high), (left, high)])


def _colour(layer: int, n_layers: int) -> tuple[float, float, float]:
    """Neighbouring layers in neighbouring colours, blue to violet by green, pale beside heat."""
    from matplotlib.colors import hsv_to_rgb

    hue = (0.66 - 0.86 * layer / max(n_layers - 1, 1)) % 1.0
    red, green, blue = hsv_to_rgb((hue, 0.33, 0.97)).tolist()
    return red, green, blue
