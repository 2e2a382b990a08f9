"""How long the barrier takes that closes a time step, by number of chips."""

import math

ONE_CHIP_NS = 1_300
HALA_POINT_CHIPS, HALA_POINT_NS = 1_152, 2_000
"""Both ends are derived, see the chip files; the way between them is assumed."""


def barrier_ps(chips: int) -> int:
    """Barrier of a system, for chip files that do not state one.

    Returns:
        Its time in ps, in whole 10 ns: a power law from one chip to Hala Point, and on beyond it.
    """
    exponent = math.log(HALA_POINT_NS / ONE_CHIP_NS) / math.log(HALA_POINT_CHIPS)
    return 10_000 * round(ONE_CHIP_NS * math.pow(chips, exponent) / 10)
