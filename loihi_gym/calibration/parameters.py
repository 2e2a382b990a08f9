"""The constants that are fitted, and the scale they are fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Float64Array
from ..chip import ChipSpec

GRID_PS = 20
"""Fitted times are multiples of this, so that the simulation's tick stays long."""
AMONG_CHIPS = ("costs.chip_link_ps", "costs.chip_hop_ps")


@dataclass(frozen=True)
class Parameter:
    """One constant on a logarithmic scale or, if its range begins at 0, on a linear one.

    What such constants add up to is then on a straight line, as for those of a message and of an
    axon entry, which no measurement tells apart where each message reads one entry.

    Attributes:
        name: Dotted name, such as ``costs.synop_ps``.
        low: Lowest plausible value.
        high: Highest plausible value.
        value: Value on the chip that calibration starts from.
        grid: Number that values are rounded to multiples of.
    """

    name: str
    low: int
    high: int
    value: int
    grid: int

    @property
    def bounds(self) -> tuple[float, float]:
        """Both ends of the range as x."""
        return self.to_x(self.low), self.to_x(self.high)

    @property
    def spread(self) -> float:
        """Standard deviation of x over the range: all that is known before anything is measured."""
        low, high = self.bounds
        return (high - low) / 12**0.5

    def to_x(self, value: float) -> float:
        """A value as x."""
        return float(np.log(value)) if self.low else value / self.high

    def exact(self, x: float) -> float:
        """The value of x before it is rounded."""
        return float(np.exp(x)) if self.low else x * self.high

    def to_value(self, x: float) -> int:
        """The value of x, rounded to the grid, within the range."""
        value = round(self.exact(x) / self.grid) * self.grid
        return min(max(value, self.low), self.high)


def parameters(chip: ChipSpec) -> list[Parameter]:
    """All constants of a chip that decide times and have a range to be fitted in."""
    found = []
    for name, constant in chip.constants.items():
        section = name.split(".")[0]
        low, high = constant.range or (0, 0)
        unused = name in AMONG_CHIPS and chip.n_chips == 1
        if low < high and section in ("costs", "network") and not unused:
            grid = GRID_PS if section == "costs" else 1
            found.append(Parameter(name, low, high, constant.value, grid))
    return found


def with_values(chip: ChipSpec, known: Sequence[Parameter], x: Float64Array) -> ChipSpec:
    """The chip with its fitted constants at `x`."""
    for parameter, position in zip(known, x, strict=True):
        chip = chip.with_constant(parameter.name, parameter.to_value(position))
    return chip
