"""Candidate swaps, drawn and described in one compiled loop.

What describes a swap is known without simulating: `congestion_kernel.FEATURES` of the mapping that
it leads to, and what is known of the two pieces. The slow twin is in ``tests/envs/test_refine.py``.
"""

from typing import Any

import numpy as np

from ..backends.congestion_kernel import (
    LEAST_US,
    N_FEATURES,
    exchange,
    features,
    other_core,
    place,
    swap,
)
from ..compiled import inlined, kernel

CHANGE = 10.0
"""What a difference of logarithms is multiplied by."""
MOST = 5.0
"""Features lie between this and its negative."""
PIECE = ("layer", "send", "receive")
"""What is said of each of two pieces."""
N_MOVE = 2 * N_FEATURES + 2 * len(PIECE) + 1
"""Features of a candidate."""


@kernel
def offer(
    flow: Any,
    placed: Any,
    pieces: Any,
    placement: Any,
    base: Any,
    draws: Any,
    here: Any,
    cores: Any,
    found: Any,
) -> None:
    """Draw swaps of a placement's cores and describe them.

    Args:
        flow: What the partitioning sends.
        placed: Room for its pieces; left with the placement.
        pieces: What is said of each piece, (N, 3).
        placement: Physical core of each logical core, (N,).
        base: Logarithms of the features that differences are told from, too, (8,); where the first
            is NaN they are set to those of this placement.
        draws: Uniform numbers in [0, 1): for each candidate several pairs, of which the first that
            is worth describing is taken, (K, tries, 2).
        here: Set to the logarithms of the placement's features, (8,).
        cores: Set to the two cores of each candidate, -1 where no draw was worth it, (K, 2).
        found: Set to the features of each candidate, (K, 23).
    """
    values = np.empty(N_FEATURES)
    place(flow, placed, placement)
    features(placed, values)
    here[:] = np.log(values + LEAST_US)
    if np.isnan(base[0]):
        base[:] = here
    load, layers = placed.load_us.copy(), placed.layer_us.copy()
    cores[:] = -1
    found[:] = 0.0
    for k in range(len(draws)):
        for t in range(draws.shape[1]):
            a = placed.placement[int(draws[k, t, 0] * len(placement))]
            b = other_core(flow, a, draws[k, t, 1])
            on_a, on_b = placed.occupant[a], placed.occupant[b]
            if on_a == on_b or (on_b >= 0 and flow.layer[on_a] == flow.layer[on_b]):
                continue
            swap(flow, placed, a, b)
            features(placed, values)
            placed.load_us[:] = load  # from a copy, sooner and without rounding
            placed.layer_us[:] = layers
            exchange(placed, a, b)
            cores[k, 0], cores[k, 1] = a, b
            for i in range(N_FEATURES):
                value = np.log(values[i] + LEAST_US)
                found[k, i] = clipped(CHANGE * (value - here[i]))
                found[k, N_FEATURES + i] = clipped(CHANGE * (value - base[i]))
            for i in range(3):
                found[k, 2 * N_FEATURES + i] = pieces[on_a, i]
                found[k, 2 * N_FEATURES + 3 + i] = pieces[on_b, i] if on_b >= 0 else 0.0
            apart = abs(flow.core_x[a] - flow.core_x[b]) + abs(flow.core_y[a] - flow.core_y[b])
            found[k, N_MOVE - 1] = apart / (apart + 4.0)
            break


@inlined
def clipped(value):  # type: ignore[no-untyped-def]
    """A number within the bounds of features."""
    return min(max(value, -MOST), MOST)
