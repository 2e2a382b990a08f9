"""Does a mapping stay good if the chip is another one that is just as plausible?

A mapping's *regret* on a chip is how much slower it is than the best mapping known there, as a part
of that one's latency.
"""

from collections.abc import Mapping as Named
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..chip.hypotheses import Hypotheses
from ..errors import LoihiGymError
from ..mapping import Mapping, Problem, fitting
from ..mapping.heuristics import COARSE
from . import make_backend


@dataclass(frozen=True, eq=False)
class Regrets:
    """Mappings on every chip of a set. M mappings, H chips.

    Attributes:
        hypotheses: Names of the chips.
        mappings: Names of the mappings.
        latencies_ps: Latency of each mapping on each chip, (M, H); 0 where the chip cannot hold it.
        best_ps: Latency of the best mapping known on each chip, (H,).
    """

    hypotheses: tuple[str, ...]
    mappings: tuple[str, ...]
    latencies_ps: Int64Array
    best_ps: Int64Array

    @property
    def values(self) -> Float64Array:
        """Regrets, (M, H); not a number where a chip cannot hold a mapping."""
        known = np.where(self.latencies_ps > 0, self.latencies_ps, np.nan)
        regrets: Float64Array = known / self.best_ps - 1.0
        return regrets


def regrets(
    problem: Problem, hypotheses: Hypotheses, mappings: Named[str, Mapping], backend: str = "mesh"
) -> Regrets:
    """Measure mappings on every chip of a set; the best known are they or a standard heuristic.

    Args:
        problem: Their problem.
        hypotheses: The chips, laid over the problem's.
        mappings: At least one, by name.
        backend: What measures on each chip.

    Raises:
        LoihiGymError: if there is no mapping.
        IllegalMappingError: if a mapping is illegal on every chip, or a chip cannot hold the
            network at all.
    """
    if not mappings:
        raise LoihiGymError("regrets need a mapping")
    latencies = np.zeros((len(mappings), len(hypotheses.members)), np.int64)
    best = np.zeros(len(hypotheses.members), np.int64)
    for column, chip in enumerate(hypotheses.chips):
        own = replace(problem, chip=chip, alternatives=())
        legal = {name: one for name, one in mappings.items() if not own.check(one)}
        measured = _latencies(own, list(legal.values()), backend)
        latencies[[list(mappings).index(name) for name in legal], column] = measured
        best[column] = min(
            [*measured, *_latencies(own, list(fitting(own, COARSE).values()), backend)]
        )
    for row, mapping in enumerate(mappings.values()):
        if not latencies[row].any():
            replace(problem, chip=hypotheses.chips[0], alternatives=()).require(mapping)
    return Regrets(hypotheses.names, tuple(mappings), latencies, best)


def _latencies(problem: Problem, mappings: list[Mapping], backend: str) -> list[int]:
    measured = make_backend(backend, problem).evaluate_batch(mappings)
    return [one.latency_ps for one in measured]


def plot(path: str | Path, title: str, found: Regrets) -> None:
    """Draw regrets as a table of colours, mapping by chip, with the numbers in it.

    Raises:
        LoihiGymError: if the file cannot be written.
    """
    from matplotlib.figure import Figure

    percent = 100 * found.values
    rows, columns = percent.shape
    drawn = Figure(figsize=(3.5 + 0.62 * columns, 1.9 + 0.32 * rows), layout="constrained")
    axes = drawn.add_subplot()
    most = 50.0
    image = axes.imshow(percent, cmap="cividis_r", vmin=0, vmax=most, aspect="auto")
    for (row, column), value in np.ndenumerate(percent):
        text = "-" if np.isnan(value) else f"{value:.0f}"
        colour = "white" if value > 0.6 * most else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(
        range(columns), found.hypotheses, rotation=40, ha="right", fontsize=8, parse_math=False
    )
    axes.set_yticks(range(rows), found.mappings, fontsize=8, parse_math=False)
    axes.set_xlabel("hypothesis: if the chip is this one ...")
    bar = drawn.colorbar(image, extend="max", fraction=0.03, pad=0.01)
    bar.set_label("regret (%)", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    axes.set_title(
        f"{title}: how much slower than the best mapping known there (%), simulated",
        fontsize=9,
        loc="left",
        parse_math=False,
    )
    try:
        drawn.savefig(path, dpi=130)
    except (OSError, ValueError) as error:
        raise LoihiGymError(f"picture {path}: {str(error).splitlines()[0]}") from error
