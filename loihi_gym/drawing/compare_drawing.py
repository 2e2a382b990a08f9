"""Two mappings side by side: one heat scale, what moved, and where the time went."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import Int64Array
from ..backends import Measurement
from ..errors import one_line
from ..mapping import Mapping, Problem
from ..wording import against
from . import captions
from .heat import core_layers, heat, link_busy_ps, step_us
from .mesh_drawing import (
    BAR_WIDTH,
    LONGEST_SIDE,
    heat_scale,
    legend,
    legend_inches,
    mesh_inches,
    require_matplotlib,
    save_figure,
)
from .mesh_panel import MeshPanel
from .mesh_text import text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES = "#9a9a9a", "#2b2b2b"
"""Bars of A and of B."""
HEAD, PANEL_HEAD, GAP = 0.5, 0.5, 0.55
"""Inches: above all, above each mesh, and between parts."""
BARS_LEAST, LAYER_ROW = 1.5, 0.22
"""Inches: height of the charts, and what a layer takes of it."""
MOST_LAYERS = 40
"""Layers that the charts have rows for: those that changed most."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One of the two.

    Attributes:
        name: What to call it: a heuristic, or a file.
        mapping: A legal mapping.
        measurement: Of it.
    """

    name: str
    mapping: Mapping
    measurement: Measurement


def save_comparison(path: str | Path, problem: Problem, a: Shown, b: Shown) -> None:
    """Write the picture of two mappings to a file, as `save` does that of one.

    Raises:
        LoihiGymError: as `save`.
    """
    save_figure(path, comparison(problem, a, b))


def comparison_text(problem: Problem, a: Shown, b: Shown) -> str:
    """The same as text: both meshes, and a line for each layer."""
    meshes = [f"{_label(problem, s, one)}\n{_mesh(problem, one)}" for s, one in _sides(a, b)]
    counts = zip(
        a.mapping.cores_per_layer.tolist(), b.mapping.cores_per_layer.tolist(), strict=True
    )
    moved = captions.moved(problem, a.mapping, b.mapping)
    lines = [
        f"layer {layer}: {before} -> {after} cores, {new} of them on new places"
        for layer, ((before, after), new) in enumerate(zip(counts, moved, strict=True))
    ]
    times = [
        f"{name}: {before:.3f} -> {after:.3f} us a step"
        for name, (before, after) in _places(problem, a, b).items()
    ]
    return "\n".join([_title(problem, a, b), "", *meshes, *lines, *times]) + "\n"


def comparison(problem: Problem, a: Shown, b: Shown) -> "Figure":
    """Both meshes on the scale of the hotter one, and charts of layers and of where time went.

    Raises:
        LoihiGymError: if matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    abreast = problem.topology.width <= 2 * problem.topology.height or problem.topology.width <= 8
    inches, wide, high = mesh_inches(problem, LONGEST_SIDE / (2 if abreast else 1))
    across, up = (2, 1) if abreast else (1, 2)
    rows = min(problem.n_layers, MOST_LAYERS)
    charts = max(BARS_LEAST, LAYER_ROW * rows)
    foot = legend_inches(problem)
    width = max(9.0, across * wide + BAR_WIDTH)
    height = HEAD + up * (high + PANEL_HEAD) + GAP + charts + GAP + foot
    figure = Figure(figsize=(width, height))
    style: dict[str, Any] = {"va": "top", "parse_math": False}
    figure.text(
        0.2 / width, 1 - 0.12 / height, _title(problem, a, b), fontsize=12, weight="bold", **style
    )
    scale_us = max(heat(problem, one.mapping, one.measurement).hottest_us for one in (a, b))
    cell = (width - BAR_WIDTH) / across
    for number, (side, one) in enumerate(_sides(a, b)):
        left = number * cell if abreast else 0.0
        top = height - HEAD - (0 if abreast else number) * (high + PANEL_HEAD)
        figure.text(
            (left + 0.2) / width, top / height, _label(problem, side, one), fontsize=9, **style
        )
        low = (top - PANEL_HEAD - high) / height
        axes = figure.add_axes((left / width, low, cell / width, high / height))
        panel = MeshPanel(axes, problem, inches, scale_us)
        before = core_layers(problem, a.mapping) if one is b else None
        panel.draw(one.mapping, one.measurement, before)
    bar = figure.add_axes(
        (1 - (BAR_WIDTH - 0.15) / width, low + 0.05 * high / height, 0.02, 0.9 * high / height)
    )
    heat_scale(figure, bar, panel, "the scale ends at the busiest place of both: {} us", False)
    bottom = (foot + GAP) / height
    _draw_charts(figure, problem, a, b, bottom, charts / height)
    counts = [
        f"{old} \N{RIGHTWARDS ARROW} {new}"
        for old, new in zip(a.mapping.cores_per_layer, b.mapping.cores_per_layer, strict=True)
    ]
    free = [problem.topology.n_cores - one.mapping.n_logical_cores for one in (a, b)]
    legend(figure, panel, counts, f"{free[0]} \N{RIGHTWARDS ARROW} {free[1]}", (0.5, 0.0))
    return figure


def _sides(a: Shown, b: Shown) -> list[tuple[str, Shown]]:
    return [("A", a), ("B", b)]


def _title(problem: Problem, a: Shown, b: Shown) -> str:
    compared = against(b.measurement.latency_ps, a.measurement.latency_ps)
    if compared.endswith("times"):
        compared = f"{compared} as long as"
    latencies = " to ".join(f"{one.measurement.latency_ps * 1e-6:.2f}" for one in (a, b))
    return f"{captions.title(problem)}: from {latencies} us, simulated; B is {compared} A"


def _label(problem: Problem, side: str, one: Shown) -> str:
    latency = f"{one.measurement.latency_ps * 1e-6:.2f} us"
    name = one_line(one.name, captions.LONGEST_NAME)
    corner = "" if side == "A" else "   (black corner: another layer than in A)"
    return f"{side}: {name}, {latency}{corner}\n{captions.bottleneck(problem, one.measurement)}"


def _mesh(problem: Problem, one: Shown) -> str:
    drawn = text(problem, one.mapping, one.measurement, one.measurement).splitlines()
    return "\n".join(drawn[:-2]) + "\n"  # its captions are said otherwise here


def _places(problem: Problem, a: Shown, b: Shown) -> dict[str, tuple[float, float]]:
    """What takes how long in A and in B, in microseconds a step."""
    sides = [_times_us(problem, one) for one in (a, b)]
    return {name: (sides[0][name], sides[1][name]) for name in sides[0]}


def _times_us(problem: Problem, one: Shown) -> dict[str, float]:
    traffic = problem.traffic(one.mapping.cores_per_layer)
    busiest: dict[str, Int64Array] = {
        "busiest link": link_busy_ps(problem, one.mapping, one.measurement),
        "busiest core, receiving": traffic.receive_ps.sum(axis=0),
        "busiest core, updating": traffic.send_ps.sum(axis=0),
    }
    unit = 1e-6 / problem.activity.steps
    found = {name: float(times.max(initial=0)) * unit for name, times in busiest.items()}
    return {"a whole step": step_us(problem, one.measurement), **found}


def _draw_charts(
    figure: "Figure", problem: Problem, a: Shown, b: Shown, low: float, height: float
) -> None:
    """Where the time went, cores of each layer, and the busiest core of each layer."""
    where = [figure.add_axes((left, low, 0.2, height)) for left in (0.15, 0.46, 0.75)]
    places = _places(problem, a, b)
    _bars(where[0], list(places), list(places.values()), "{:.2f}")
    where[0].set_title("where the time went (us a step)", fontsize=8, loc="left")
    moved = captions.moved(problem, a.mapping, b.mapping)
    layers = _most_changed(moved)
    names = [f"layer {layer}: {moved[layer]} moved" for layer in layers]
    cores = [(one.mapping.cores_per_layer[layers]).tolist() for one in (a, b)]
    _bars(where[1], names, list(zip(*cores, strict=True)), "{:.0f}")
    where[1].set_title("cores of each layer", fontsize=8, loc="left")
    busy = [_busiest_of_layers(problem, one)[layers].tolist() for one in (a, b)]
    _bars(where[2], [f"layer {layer}" for layer in layers], list(zip(*busy, strict=True)), "{:.2f}")
    where[2].set_title("busiest core of each layer (us a step)", fontsize=8, loc="left")
    from matplotlib.patches import Patch

    keys = [Patch(color=colour, label=side) for colour, side in zip(SIDES, "AB", strict=True)]
    where[0].legend(handles=keys, fontsize=7, frameon=False, loc="lower right")


def _most_changed(moved: Sequence[int]) -> list[int]:
    order = sorted(range(len(moved)), key=lambda layer: -moved[layer])
    return sorted(order[:MOST_LAYERS])


def _busiest_of_layers(problem: Problem, one: Shown) -> Any:
    """Busy time of the busiest core of each layer, in microseconds a step, (n_layers,)."""
    found = heat(problem, one.mapping, one.measurement).core_us
    layers, busiest = core_layers(problem, one.mapping), np.zeros(problem.n_layers)
    np.maximum.at(busiest, layers[layers >= 0], found[layers >= 0])
    return busiest


def _bars(axes: Any, names: Sequence[str], pairs: Sequence[Sequence[float]], shown: str) -> None:
    """Two bars a row, A above B, each with its number."""
    rows = np.arange(len(names))
    for side, colour in enumerate(SIDES):
        values = [pair[side] for pair in pairs]
        drawn = axes.barh(rows + 0.4 * side, values, 0.36, color=colour)
        axes.bar_label(drawn, [shown.format(value) for value in values], fontsize=6, padding=2)
    axes.set_yticks(rows + 0.2, names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.margins(x=0.15)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
