"""Pictures of a measured mapping: the mesh with layers as colours and link loads as heat.

Figures need the extra ``plot`` (matplotlib); `text` needs nothing.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .backends import Measurement
from .backends.bound import link_service_ps
from .chip import EAST, NORTH, SOUTH, WEST, Topology
from .errors import LoihiGymError
from .mapping import Mapping, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FREE = "#e6e6e6"
MARK = "#1f5fbf"
ROUTER = 0.5
"""Side of a router's square, as part of the distance between routers."""
CHIP_GAP = 0.35
LINK_OFFSET = 0.09
"""The two directions of a link lie this far to either side of the line between the routers."""


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
    return "\n".join([*rows, _caption(problem, measurement, reference)]) + "\n"


def picture(
    problem: Problem, mapping: Mapping, measurement: Measurement, reference: Measurement
) -> npt.NDArray[np.uint8]:
    """The mesh as an RGB picture, (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure(problem, mapping, measurement, reference))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba(), np.uint8)[:, :, :3].copy()


def save(
    path: str | Path,
    problem: Problem,
    mapping: Mapping,
    measurement: Measurement,
    reference: Measurement,
) -> None:
    """Write the picture to a file; its ending decides the format (png, svg, pdf).

    Raises:
        LoihiGymError: if the file cannot be written or matplotlib is not installed.
    """
    drawn = figure(problem, mapping, measurement, reference)
    try:
        drawn.savefig(path)
    except OSError as error:
        raise LoihiGymError(f"picture {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise LoihiGymError(f"picture {path}: {str(error).splitlines()[0]}") from error


def figure(
    problem: Problem, mapping: Mapping, measurement: Measurement, reference: Measurement
) -> "Figure":
    """The mesh as a matplotlib figure.

    Raises:
        LoihiGymError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LoihiGymError(
            'pictures need matplotlib: pip install "loihi-gym[plot]"'
        ) from error
    mesh = problem.topology
    drawn = Figure(figsize=(max(6.4, 1.05 * mesh.width + 2.2), max(3.8, 1.05 * mesh.height + 1.9)))
    axes = drawn.add_axes((0.02, 0.13, 0.84, 0.76))
    axes.set_aspect("equal")
    axes.axis("off")
    _draw_links(drawn, axes, problem, measurement)
    _draw_cores(axes, problem, mapping)
    _mark_bottleneck(axes, problem, measurement)
    _legend(axes, problem, mapping)
    axes.autoscale_view()
    axes.set_title(_caption(problem, measurement, reference), fontsize=10, loc="left")
    return drawn


def core_layers(problem: Problem, mapping: Mapping) -> npt.NDArray[np.int64]:
    """Layer on each physical core, -1 where it is free, (n_cores,)."""
    layers = np.full(problem.topology.n_cores, -1)
    layers[mapping.placement] = np.repeat(np.arange(problem.n_layers), mapping.cores_per_layer)
    return layers


def _caption(problem: Problem, measurement: Measurement, reference: Measurement) -> str:
    reduction = 1.0 - measurement.latency_ps / reference.latency_ps
    return (
        f"{problem.name} on {problem.chip.name}: {measurement.latency_ps * 1e-6:.2f} us simulated, "
        f"{reduction:.1%} below the reference\nbottleneck: {measurement.bottleneck}"
    )


def _position(mesh: Topology, x: int, y: int) -> tuple[float, float]:
    return x + CHIP_GAP * (x // mesh.chip_width), y + CHIP_GAP * (y // mesh.chip_height)


def _segments(mesh: Topology) -> tuple[list[int], list[list[tuple[float, float]]]]:
    """Ids of the links that exist, and the line each is drawn as."""
    ids, lines = [], []
    steps = {EAST: (1, 0), WEST: (-1, 0), NORTH: (0, 1), SOUTH: (0, -1)}
    for router in range(mesh.n_routers):
        y, x = divmod(router, mesh.width)
        for direction, (dx, dy) in steps.items():
            if not (0 <= x + dx < mesh.width and 0 <= y + dy < mesh.height):
                continue
            (ax, ay), (bx, by) = _position(mesh, x, y), _position(mesh, x + dx, y + dy)
            # Keep to the right, and leave the squares of the routers free.
            ox, oy = LINK_OFFSET * dy, -LINK_OFFSET * dx
            cut = ROUTER / 2 + 0.04
            ids.append(4 * router + direction)
            lines.append(
                [
                    (ax + ox + cut * dx, ay + oy + cut * dy),
                    (bx + ox - cut * dx, by + oy - cut * dy),
                ]
            )
    return ids, lines


def _draw_links(drawn: "Figure", axes: "Axes", problem: Problem, measurement: Measurement) -> None:
    """Each directed link as an arrow, coloured by the part of the latency it is busy."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    mesh = problem.topology
    ids, lines = _segments(mesh)
    service = link_service_ps(problem.chip, problem.activity.message_bits // 32)
    busy = (measurement.link_messages.sum(axis=0) * service)[ids] / measurement.latency_ps
    heat = ScalarMappable(Normalize(0.0, 1.0), "YlOrRd")
    for share, (start, end) in zip(busy.tolist(), lines, strict=True):
        axes.annotate(
            "",
            xy=end,
            xytext=start,
            arrowprops={
                "arrowstyle": "-|>,head_length=0.35,head_width=0.2",
                "color": heat.to_rgba(share) if share else "#eeeeee",
                "linewidth": 1.5 + 4.0 * share,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
    bar = drawn.colorbar(heat, cax=drawn.add_axes((0.88, 0.18, 0.018, 0.66)))
    bar.set_label("part of the latency a link is busy", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _cell(problem: Problem, core: int) -> tuple[tuple[float, float], float, float]:
    """Where a core is drawn: lower left corner, width, height; a router's cores share its square."""
    mesh, cores = problem.topology, problem.chip.cores_per_router
    columns = math.ceil(math.sqrt(cores))
    rows = math.ceil(cores / columns)
    row, column = divmod(int(mesh.core_port[core]), columns)
    x, y = _position(mesh, int(mesh.core_x[core]), int(mesh.core_y[core]))
    width, height = ROUTER / columns, ROUTER / rows
    return (
        (x - ROUTER / 2 + column * width, y + ROUTER / 2 - (row + 1) * height),
        width,
        height,
    )


def _draw_cores(axes: "Axes", problem: Problem, mapping: Mapping) -> None:
    """Every router as a square that its cores share, coloured by layer."""
    from matplotlib.patches import Rectangle

    mesh = problem.topology
    for router in range(mesh.n_routers):
        y, x = divmod(router, mesh.width)
        left, low = (value - ROUTER / 2 for value in _position(mesh, x, y))
        axes.add_patch(
            Rectangle((left, low), ROUTER, ROUTER, facecolor="white", edgecolor="#999999")
        )
    for core, layer in enumerate(core_layers(problem, mapping).tolist()):
        corner, width, height = _cell(problem, core)
        colour = FREE if layer < 0 else _colour(layer, problem.n_layers)
        axes.add_patch(
            Rectangle(corner, width, height, facecolor=colour, edgecolor="white", linewidth=0.8)
        )
        if layer >= 0:
            x, y = corner[0] + width / 2, corner[1] + height / 2
            axes.text(x, y, str(layer), fontsize=6.5, ha="center", va="center")


def _mark_bottleneck(axes: "Axes", problem: Problem, measurement: Measurement) -> None:
    """A blue frame around the core, or ring around the middle of the link, that is busiest."""
    from matplotlib.patches import Circle, Rectangle

    mesh, (term, index, *_) = problem.topology, measurement.bottleneck
    style = {"fill": False, "edgecolor": MARK, "linewidth": 2.5, "zorder": 5}
    ids, lines = _segments(mesh)
    if term == "link" and index in ids:
        (ax, ay), (bx, by) = lines[ids.index(index)]
        axes.add_patch(Circle(((ax + bx) / 2, (ay + by) / 2), 0.17, **style))
    else:
        core = (index - 4 * mesh.n_routers) % mesh.n_cores if term == "link" else index
        axes.add_patch(Rectangle(*_cell(problem, core), **style))


def _legend(axes: "Axes", problem: Problem, mapping: Mapping) -> None:
    from matplotlib.patches import Patch

    entries = [
        Patch(facecolor=_colour(layer, problem.n_layers), label=f"layer {layer}: {cores}")
        for layer, cores in enumerate(mapping.cores_per_layer.tolist())
    ]
    if free := problem.topology.n_cores - mapping.n_logical_cores:
        entries.append(Patch(facecolor=FREE, label=f"free: {free}"))
    axes.figure.legend(
        handles=entries,
        title="cores",
        fontsize=7,
        title_fontsize=8,
        ncols=min(len(entries), 6),
        loc="lower center",
        bbox_to_anchor=(0.44, 0.0),
        frameon=False,
    )


def _colour(layer: int, n_layers: int) -> tuple[float, float, float, float]:
    """Neighbouring layers in neighbouring colours, from blue to red, pale enough for numbers."""
    from matplotlib import colormaps

    red, green, blue, alpha = colormaps["turbo"](0.08 + 0.84 * layer / max(n_layers - 1, 1))
    return 0.35 + 0.65 * red, 0.35 + 0.65 * green, 0.35 + 0.65 * blue, alpha
