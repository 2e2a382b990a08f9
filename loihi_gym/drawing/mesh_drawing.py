"""Figures of a measured mapping: the mesh with layers as colours and heat on links and cores.

Figures need the extra ``plot`` (matplotlib).
"""

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..backends import Measurement
from ..errors import LoihiGymError
from ..files import write_bytes
from ..mapping import Mapping, Problem
from . import captions
from .heat import step_us
from .mesh_panel import MeshPanel
from .palette import FREE, MARK, layer_colour

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST_SIDE = 20.0
"""Inches of a figure's longer side: a mesh too large for it is drawn smaller."""
MOST_INCHES = 1.05
"""Distance of neighbouring routers on paper."""
HEAD, BAR_WIDTH = 0.62, 1.25
"""Inches above the mesh for captions, and beside it for the heat scale."""
LEGEND_ROW = 0.17
REFERENCE_STEP = "a step of the reference takes {} us"
MOST_ENTRIES = 40
"""Layers in the legend; of more, every second, third, ... one."""


def picture(
    problem: Problem, mapping: Mapping, measurement: Measurement, reference: Measurement
) -> npt.NDArray[np.uint8]:
    """The mesh as an RGB picture, (height, width, 3)."""
    drawing = MeshDrawing(problem, reference)
    drawing.draw(mapping, measurement)
    return pixels(drawing.figure)


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
    save_figure(path, drawing.figure)


def save_figure(path: str | Path, figure: "Figure") -> None:
    """Write a figure to a file; see `save`."""
    data = io.BytesIO()
    try:
        figure.savefig(data, format=Path(path).suffix[1:] or "without an ending")
        write_bytes(path, data.getvalue())
    except OSError as error:
        raise LoihiGymError(f"picture {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise LoihiGymError(f"picture {path}: {str(error).splitlines()[0]}") from error


def pixels(figure: "Figure") -> npt.NDArray[np.uint8]:
    """A figure as an RGB picture, (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba(), np.uint8)[:, :, :3].copy()


class MeshDrawing:
    """The mesh as a matplotlib figure that can be drawn again for another mapping.

    Args:
        problem: What is mapped.
        reference: Measurement of the reference mapping; the heat scale ends at its mean step time.
        latencies_ps: If given, a curve beside the mesh: the latency after each evaluation.
        figure: Where to draw; a new one by default.

    Raises:
        LoihiGymError: if matplotlib is not installed.
    """

    def __init__(
        self,
        problem: Problem,
        reference: Measurement,
        latencies_ps: Sequence[int] | None = None,
        figure: "Figure | None" = None,
    ) -> None:
        require_matplotlib()
        from matplotlib.figure import Figure

        self.problem, self.reference = problem, reference
        inches, mesh_width, mesh_height = mesh_inches(problem)
        foot = legend_inches(problem)
        width = max(6.4, mesh_width + BAR_WIDTH)
        height = max(3.2, mesh_height + HEAD + foot)
        curve_width = 0.0 if latencies_ps is None else 4.2
        self.figure = figure or Figure()
        self.figure.set_size_inches(width + curve_width, height)
        part = width / (width + curve_width)
        mesh_part = part * (width - BAR_WIDTH) / width
        low, tall = foot / height, 1 - (HEAD + foot) / height
        axes = self.figure.add_axes((0.0, low, mesh_part, tall))
        self.panel = MeshPanel(axes, problem, inches, step_us(problem, reference))
        bar = self.figure.add_axes((mesh_part + 0.02, low + 0.07 * tall, 0.02 * part, 0.86 * tall))
        heat_scale(self.figure, bar, self.panel, REFERENCE_STEP)
        # A name may hold what matplotlib would take for a formula.
        style: dict[str, Any] = {"fontsize": 10, "va": "top", "parse_math": False}
        left = 0.2 / (width + curve_width)
        self._title = self.figure.text(left, 1 - 0.12 / height, "", **style)
        self._bottleneck = self.figure.text(left, 1 - 0.35 / height, "", weight="bold", **style)
        self._curve: Any = None
        if latencies_ps is not None:
            self._draw_curve(
                latencies_ps, (part + 0.065, 0.6 / height, 0.9 - part, 1 - 1.3 / height)
            )
        self._legend: Any = None
        self._legend_at = (part / 2, 0.0)

    def draw(
        self, mapping: Mapping, measurement: Measurement, evaluation: int | None = None
    ) -> None:
        """Draw a measured mapping; `evaluation` (from 1 on) is where on the curve it is."""
        self.panel.draw(mapping, measurement)
        self._title.set_text(captions.result(self.problem, measurement, self.reference))
        self._bottleneck.set_text(captions.bottleneck(self.problem, measurement))
        if self._legend is not None:
            self._legend.remove()
        counts = [str(cores) for cores in mapping.cores_per_layer.tolist()]
        free = str(self.problem.topology.n_cores - mapping.n_logical_cores)
        self._legend = legend(self.figure, self.panel, counts, free, self._legend_at)
        if self._curve is not None and evaluation is not None:
            self._curve.set_data([evaluation], [measurement.latency_ps * 1e-6])

    def pixels(self) -> npt.NDArray[np.uint8]:
        """What is drawn as an RGB picture, (height, width, 3)."""
        return pixels(self.figure)

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
        require_matplotlib()
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


def require_matplotlib() -> None:
    """Raise unless figures can be drawn."""
    if find_spec("matplotlib") is None:
        raise LoihiGymError('pictures need matplotlib: pip install "loihi-gym[plot]"')


def mesh_inches(problem: Problem, longest: float = LONGEST_SIDE) -> tuple[float, float, float]:
    """Distance of neighbouring routers, and width and height of the mesh with coordinates."""
    mesh = problem.topology
    across = mesh.width + 0.4 * (mesh.width // mesh.chip_width) + 0.4
    up = mesh.height + 0.4 * (mesh.height // mesh.chip_height) + 0.5
    inches = min(MOST_INCHES, longest / across, longest / up)
    return inches, inches * across, inches * up


def legend_inches(problem: Problem) -> float:
    """Height that the legend takes below the mesh."""
    entries = min(problem.n_layers, MOST_ENTRIES) + 3
    return 0.42 + LEGEND_ROW * -(-entries // _columns(entries))


def _columns(entries: int) -> int:
    return min(entries, 5)


def heat_scale(
    figure: "Figure", axes: Any, panel: MeshPanel, note: str, beyond: bool = True
) -> None:
    """The scale of heat; what is `beyond` its end, if that can be, has the colour of the end."""
    extend = "max" if beyond else "neither"
    bar = figure.colorbar(panel.links, cax=axes, extend=extend, extendfrac=0.04)
    bar.set_label(
        "us a step that a link (arrow) or a core (bar) is busy\n"
        + note.format(f"{panel.scale_us:.3g}"),
        fontsize=7,
    )
    bar.ax.tick_params(labelsize=7)


def legend(
    figure: "Figure", panel: MeshPanel, counts: Sequence[str], free: str, at: tuple[float, float]
) -> Any:
    """Everything that a mesh shows, with the cores of each layer, at the foot of a figure."""
    from matplotlib.patches import Patch

    n_layers, mesh = len(counts), panel.problem.topology
    entries = [
        Patch(facecolor=layer_colour(layer, n_layers), label=f"layer {layer}: {counts[layer]}")
        for layer in range(0, n_layers, -(-n_layers // MOST_ENTRIES))
    ]
    entries.append(Patch(facecolor=FREE, edgecolor="#aaaaaa", label=f"free: {free}"))
    if len(set(mesh.core_router.tolist())) < mesh.n_routers:
        entries.append(Patch(facecolor="white", edgecolor="#aaaaaa", label="router without cores"))
    frame = Patch(facecolor="none", edgecolor=MARK, linewidth=2, label="bottleneck")
    entries.append(frame)
    return figure.legend(
        handles=entries,
        title="cores of each layer; the small number at a router is that of its first core",
        fontsize=7,
        title_fontsize=7,
        ncols=_columns(len(entries)),
        loc="lower center",
        bbox_to_anchor=at,
        frameon=False,
    )
