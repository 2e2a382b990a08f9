"""Does a ranking of mappings survive when the chip's constants move over their plausible ranges?

Most constants of a chip file are substitutes. What counts for a search is not their values but
whether a mapping that wins under one of them wins under another.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Named
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from ..chip import ChipSpec
from ..errors import LoihiGymError
from ..mapping import Mapping, Problem
from . import make_backend

REFERENCE = "reference"


@dataclass(frozen=True)
class Shift:
    """All mappings under one constant moved to one end of its range.

    Attributes:
        constant: Dotted name.
        value: What it was moved to.
        default: What it is in the chip file.
        latencies_ps: Latency of each mapping, in the order given.
        spearman: Rank correlation of these with the latencies under the chip file as it is.
        fastest: Name of the fastest mapping.
    """

    constant: str
    value: int
    default: int
    latencies_ps: tuple[int, ...]
    spearman: float
    fastest: str

    def reduction(self, of: int, against: int) -> float:
        """Part of the latency of one mapping (by position) that another takes off."""
        return 1.0 - self.latencies_ps[of] / self.latencies_ps[against]


def moved_chips(chip: ChipSpec) -> Iterator[tuple[str, int, ChipSpec]]:
    """The chip with each ranged constant of time or queues at either end: (name, value, chip)."""
    for name, constant in chip.constants.items():
        if constant.range is None or not name.startswith(("costs.", "network.")):
            continue
        if chip.n_chips == 1 and name.startswith("costs.chip_"):
            continue  # no message crosses between chips
        for value in constant.range:
            if value != constant.value:
                yield name, value, chip.with_constant(name, value)


def sensitivity(problem: Problem, mappings: Named[str, Mapping]) -> list[Shift]:
    """Measure all mappings on `mesh` under every moved constant.

    Args:
        problem: Their problem.
        mappings: At least two, by name.

    Raises:
        LoihiGymError: if there are fewer than two mappings.
        IllegalMappingError: if one is illegal.
    """
    if len(mappings) < 2:
        raise LoihiGymError("sensitivity needs at least two mappings to rank")
    names, chosen = list(mappings), list(mappings.values())

    def latencies(chip: ChipSpec) -> list[int]:
        backend = make_backend("mesh", replace(problem, chip=chip))
        return [measured.latency_ps for measured in backend.evaluate_batch(chosen)]

    before = latencies(problem.chip)
    shifts = []
    for name, value, chip in moved_chips(problem.chip):
        after = latencies(chip)
        shifts.append(
            Shift(
                constant=name,
                value=value,
                default=problem.chip.constants[name].value,
                latencies_ps=tuple(after),
                spearman=float(spearmanr(before, after).statistic),
                fastest=names[int(np.argmin(after))],
            )
        )
    return shifts


def plot(path: str | Path, title: str, shifts: list[Shift], best: int, reference: int) -> None:
    """Draw, per constant, what the best mapping takes off the reference at either end.

    Raises:
        LoihiGymError: if the file cannot be written.
    """
    from matplotlib.figure import Figure

    constants = list(dict.fromkeys(shift.constant for shift in shifts))
    drawn = Figure(figsize=(7.5, 1.2 + 0.34 * len(constants)), layout="constrained")
    axes = drawn.add_subplot()
    for shift in shifts:
        y, upper = constants.index(shift.constant), shift.value > shift.default
        reduction = 100 * shift.reduction(best, reference)
        axes.plot(
            reduction, y, marker=">" if upper else "<", color="#d95f02" if upper else "#1f78b4"
        )
        axes.annotate(
            f"{shift.spearman:.2f}",
            (reduction, y),
            textcoords="offset points",
            xytext=(0, 6),
            ha="center",
            fontsize=7,
        )
    axes.set_yticks(range(len(constants)), constants)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("latency the best mapping takes off the reference (%), simulated")
    axes.set_title(
        f"{title}: each constant at the lower (<) and upper (>) end of its range;\n"
        "numbers: rank correlation with the ranking under the chip file as it is",
        fontsize=9,
        loc="left",
        parse_math=False,  # a name may hold what matplotlib would take for a formula
    )
    try:
        drawn.savefig(path, dpi=130)
    except (OSError, ValueError) as error:
        raise LoihiGymError(f"picture {path}: {str(error).splitlines()[0]}") from error
