"""Swaps of cores that a surrogate of latency likes, as one compiled loop.

The surrogate is a weighted sum of the logarithms of `congestion_kernel.FEATURES`. The slow twin is
in ``tests/baselines/test_surrogate.py``.
"""

from typing import Any

import numpy as np

from loihi_gym.backends.congestion_kernel import (
    LEAST_US,
    N_FEATURES,
    exchange,
    features,
    other_core,
    swap,
)
from loihi_gym.compiled import kernel


@kernel
def descend(flow: Any, placed: Any, weights: Any, draws: Any) -> None:
    """Take several steps from what is placed, each the swap of some that the model likes best.

    It is taken even where the model expects none of them to help: it is often wrong about that.

    Args:
        flow: The partitioning.
        placed: The start; left with the end.
        weights: Weights of the logarithms of the features, (8,).
        draws: Uniform numbers in [0, 1), (steps, swaps tried, 2).
    """
    values = np.empty(N_FEATURES)
    load, layers = placed.load_us.copy(), placed.layer_us.copy()
    cores = len(placed.placement)
    for step in range(len(draws)):
        best, best_a, best_b = np.inf, -1, -1
        for k in range(draws.shape[1]):
            a = placed.placement[int(draws[step, k, 0] * cores)]
            b = other_core(flow, a, draws[step, k, 1])
            on_a, on_b = placed.occupant[a], placed.occupant[b]
            if on_a == on_b or (on_b >= 0 and flow.layer[on_a] == flow.layer[on_b]):
                continue
            swap(flow, placed, a, b)
            features(placed, values)
            cost = (np.log(values + LEAST_US) * weights).sum()
            if cost < best:
                best, best_a, best_b = cost, a, b
            placed.load_us[:] = load
            placed.layer_us[:] = layers
            exchange(placed, a, b)
        if best_a >= 0:
            swap(flow, placed, best_a, best_b)
            load[:] = placed.load_us
            layers[:] = placed.layer_us
