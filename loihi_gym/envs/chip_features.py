"""`chip_features`: a chip's constants as numbers from 0 to 1, for policies that adapt to a chip.

Each constant of `costs` and `network` with a range in the chip file of Loihi 2 is one feature, and
each way of building a chip that decides times and is not the first of its options. The ranges of
that file are the scale for all chips, so that shapes and meanings never change.
"""

from dataclasses import fields
from math import log
from operator import attrgetter

import numpy as np

from ..arrays import Float32Array
from ..chip import ChipSpec, load_chip
from ..chip.spec import OPTIONS, Costs, Queues

TIMED = ("multicast", "rows", "phases", "message_size")
"""Fields of `Structure` that decide times."""
FABRICS = {"network.fabrics": (1, 2)}
"""It has no range in the file; without it, two fabrics would look like one with slow links."""


def _ranges() -> dict[str, tuple[int, int]]:
    """Lowest and highest value of each constant that is a feature, by dotted name."""
    constants = load_chip("loihi2").constants
    names = [f"costs.{one.name}" for one in fields(Costs)]
    names += [f"network.{one.name}" for one in fields(Queues)]
    ranges = {name: constants[name].range for name in names} | FABRICS
    return {name: bounds for name, bounds in ranges.items() if bounds is not None}


RANGES = _ranges()
BUILT = tuple((field, option) for field in TIMED for option in OPTIONS[field][1:])
"""Field of `Structure` and option of each feature that is 0 or 1."""
CHIP_FEATURES = (*RANGES, *(f"structure.{field}={option}" for field, option in BUILT))
"""What each number of `chip_features` is, in order."""


def chip_features(chip: ChipSpec) -> Float32Array:
    """A chip's constants and how it is built, (K,), in the order of `CHIP_FEATURES`."""
    numbers = [_scaled(attrgetter(name)(chip), *bounds) for name, bounds in RANGES.items()]
    ways = [getattr(chip.structure, field) == option for field, option in BUILT]
    return np.array([*numbers, *ways], np.float32)


def _scaled(value: int, lowest: int, highest: int) -> float:
    """Where a value is in its range: by its logarithm, or in proportion if the range begins at 0.

    A value outside the range counts as its nearer end.
    """
    value = min(max(value, lowest), highest)
    return log(value / lowest) / log(highest / lowest) if lowest else value / highest
