"""Biases of LIF neurons as Loihi stores them: a mantissa of 13 bits and an exponent of 3.

From the precisions that lava-nc 0.10.0 states for its LIF, ``lava/proc/lif/models.py``.
"""

import numpy as np

from ..arrays import BoolArray, Int32Array, Int64Array

BIAS_BITS = 13
LARGEST_BIAS_EXPONENT = 7


def bias_parts(bias: Int32Array | Int64Array) -> tuple[Int64Array, Int64Array]:
    """Mantissa and exponent nearest to each bias, (n,) each; the smallest exponent that will do.

    Mantissas of biases that are too large for any exponent take more bits than there are.
    """
    mantissa, exponent = bias.astype(np.int64), np.zeros(bias.shape, np.int64)
    for power in range(1, LARGEST_BIAS_EXPONENT + 1):
        over = too_large(mantissa)
        mantissa = np.where(over, np.rint(bias / 2.0**power).astype(np.int64), mantissa)
        exponent = np.where(over, power, exponent)
    return mantissa, exponent


def too_large(mantissa: Int64Array) -> BoolArray:
    """Which mantissas take more bits than there are."""
    limit = 1 << (BIAS_BITS - 1)
    return (mantissa < -limit) | (mantissa >= limit)
