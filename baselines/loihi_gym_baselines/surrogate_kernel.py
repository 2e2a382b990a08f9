"""Swaps of cores that a surrogate of latency likes, as one compiled loop.

The surrogate is a weighted sum of the logarithms of `congestion_kernel.FEATURES`. The slow twin is
in ``tests/baselines/test_surrogate.py``.
"""

from typing import Any

import numpy as np

from loihi_gym.backends.congestion_kernel import (
    CORE,
    LEAST_US,
    N_FEATURES,
    exchange,
    features,
    other_core,
    swap,
)
from loihi_gym.backends.links_kernel import runs
from loihi_gym.compiled import kernel

POWER = 7
"""Of a link's time in `heat`: one less than that of the norm."""


@kernel
def descend(flow: Any, placed: Any, weights: Any, draws: Any, chances: Any) -> None:
    """Take several steps from what is placed, each the swap of some that the model likes best.

    It is taken even where the model expects none of them to help: it is often wrong about that.

    Args:
        flow: The partitioning.
        placed: The start; left with the end.
        weights: Weights of the logarithms of the features, (8,).
        draws: Uniform numbers in [0, 1), (steps, swaps tried, 2).
        chances: Chance of each logical core to be swapped, added up; the last is 1, (N,).
    """
    values = np.empty(N_FEATURES)
    load, layers = placed.load_us.copy(), placed.layer_us.copy()
    for step in range(len(draws)):
        best, best_a, best_b = np.inf, -1, -1
        for k in range(draws.shape[1]):
            a = placed.placement[np.searchsorted(chances, draws[step, k, 0], side="right")]
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


@kernel
def heat(flow: Any, placed: Any, result: Any) -> None:
    """How much each logical core adds to what is busy: a gradient of the links' 8-norm.

    Args:
        flow: The partitioning.
        placed: Where its pieces are.
        result: Set to the sums over messages from and to each of the links' times, relative to the
            busiest, to the power of seven, (N,).
    """
    core_x, core_y = flow.core_x, flow.core_y
    link = placed.load_us[:, :, :CORE].sum(axis=1)
    link = (link / max(link.max(), LEAST_US)) ** POWER
    result[:] = 0.0
    for source in range(len(placed.placement)):
        layer = flow.layer[source]
        for target in range(flow.first[layer + 1], flow.first[layer + 2]):
            words = flow.words[flow.pair_first[source] + target - flow.first[layer + 1]]
            if words == 0.0:
                continue
            here, there = placed.placement[source], placed.placement[target]
            x, y, to_x, to_y = core_x[here], core_y[here], core_x[there], core_y[there]
            total = 0.0
            for first, stride, links in runs(x, y, to_x, to_y, flow.width):
                for k in range(links):
                    at = first + k * stride
                    total += link[at >> 2, at & 3] * flow.link_us[at >> 2, at & 3]
            result[source] += words * total
            result[target] += words * total
