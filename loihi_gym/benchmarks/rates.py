"""How much more or less often than the average of its layer a neuron sends: measured tables.

Measured on the two trained flagships over 1,000 held-out digits, pooled over their 14 hidden layers
(``python tools/rates.py``, docs/bounds-and-scale.md). Activity of generated networks is drawn from
these, in whole numbers, so that it is the same everywhere.
"""

import numpy as np

from ..arrays import Int64Array

FIRST_RATE = (
    *(0, 0, 12, 28, 51, 72, 96, 130, 164, 200, 241, 285, 339, 384, 437, 496, 553),
    *(610, 672, 741, 809, 887, 963, 1055, 1156, 1279, 1413, 1583, 1802, 2058, 2422, 3143, 15836),
)
"""What ``generator://mlp`` draws from: quantiles 0/32 … 32/32, in thousandths of the mean rate.

Linear between them, so the busiest 1/32 of neurons send 30 % of the messages: nearly twice what
they do in the sample. Kept for the problems of version 1.
"""
RATE = (
    *(0, 0, 14, 34, 60, 86, 114, 154, 195, 237, 286, 338, 403, 456, 519, 589, 656, 724, 798, 880),
    *(960, 1053, 1144, 1252, 1373, 1518, 1678, 1880, 2140, 2444, 2876, 3732),
)
"""Quantiles 0/32 … 31/32, in thousandths of the mean rate; the rest is `TAIL`."""
TAIL = (
    *(3732, 3782, 3843, 3867, 3908, 3938, 3977, 4042, 4110, 4172, 4269, 4337, 4400, 4444, 4536),
    *(4628, 4693, 4772, 4869, 4987, 5077, 5213, 5348, 5540, 5724, 5925, 6107, 6259, 6668, 7106),
    *(7699, 9132, 18805),
)
"""Quantiles of the busiest 1/32, in steps of 1/1024: they send 16 % of the messages."""
STEP_SCATTER = 318
"""Half the span, in thousandths, of a layer's active part about its mean: uniform, sd 18 %."""

_FIRST, _RATE, _TAIL = (np.array(table, np.int64) for table in (FIRST_RATE, (*RATE, TAIL[0]), TAIL))


def first_rates(ranks: Int64Array) -> Int64Array:
    """Rates of version 1, in thousandths of the mean, at ranks of 20 bits."""
    return _between(_FIRST, ranks, 15)


def rates(ranks: Int64Array) -> Int64Array:
    """Rates in thousandths of the mean, at ranks of 20 bits: 0 is the quietest neuron."""
    last = 31 << 15  # where the tail begins
    tail = _between(_TAIL, np.maximum(ranks - last, 0), 10)
    return np.where(ranks < last, _between(_RATE, np.minimum(ranks, last - 1), 15), tail)


def _between(table: Int64Array, ranks: Int64Array, bits: int) -> Int64Array:
    """The table, linear between its entries, which are 2^bits ranks apart."""
    at, within = ranks >> bits, ranks & ((1 << bits) - 1)
    between: Int64Array = table[at] + ((table[at + 1] - table[at]) * within >> bits)
    return between
