"""How long the barrier takes that closes a time step, by number of chips."""

import math

POINTS = ((1, 200), (8, 1_000), (256, 14_300))
"""(chips, ns): Loihi 2 brief (vendor); assumed; measured on Loihi 1 (Frady et al. 2020)."""


def barrier_ps(chips: int) -> int:
    """Barrier of a system, for chip files that do not state one.

    Assumed: a power law between neighbouring `POINTS`, and on beyond the last, in whole 10 ns.
    """
    (x0, y0), (x1, y1) = POINTS[:2] if chips <= POINTS[1][0] else POINTS[1:]
    exponent = math.log(y1 / y0) / math.log(x1 / x0)
    ns = y0 * math.pow(chips / x0, exponent)
    return 10_000 * round(ns / 10)
