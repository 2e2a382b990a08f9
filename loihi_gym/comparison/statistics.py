"""Statistics of few runs on several problems, after Agarwal et al. (NeurIPS 2021).

Scores come as one array per problem, one number per seed; problems are the strata.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Float64Array

Scores = Sequence[Float64Array]

RESAMPLES = 2000
LEVEL = 0.95


class Interval(NamedTuple):
    """A statistic and its confidence interval."""

    value: float
    low: float
    high: float


def iqm(scores: Scores) -> float:
    """Interquartile mean: the mean of the middle half of all runs."""
    ordered = np.sort(np.concatenate(scores))
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def median(scores: Scores) -> float:
    """Median of all runs."""
    return float(np.median(np.concatenate(scores)))


def improvement(scores: Scores, others: Scores) -> float:
    """Chance that a run of the first is better (larger) than one of the second, ties half.

    Mean over problems of the Mann-Whitney statistic.
    """
    chances = [
        np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b))
        for a, b in zip(scores, others, strict=True)
    ]
    return float(np.mean(chances))


def wins(columns: Sequence[Scores]) -> list[int]:
    """Problems on which the median of each column's runs is the best; ties count for each.

    Args:
        columns: Scores of each solver on the same problems; an empty array where it has no runs.
    """
    medians = np.array(
        [[np.median(one) if len(one) else -np.inf for one in scores] for scores in columns]
    )
    best = (medians == medians.max(axis=0)) & np.isfinite(medians)
    return [int(count) for count in best.sum(axis=1)]


def interval(statistic: Callable[..., float], *scores: Scores, seed: int = 0) -> Interval:
    """A statistic with its stratified bootstrap interval: seeds are resampled within problems.

    Args:
        statistic: Function of as many scores as are given.
        scores: Scores of one solver, or of each of two.
        seed: Seeds the resampling.
    """
    rng = np.random.default_rng(seed)

    def resampled(each: Scores) -> Scores:
        return [one[rng.integers(len(one), size=len(one))] for one in each]

    values = [statistic(*map(resampled, scores)) for _ in range(RESAMPLES)]
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(statistic(*scores), float(low), float(high))


def profile(ratios: Float64Array, limits: Float64Array) -> Float64Array:
    """Part of the runs whose ratio to the best known is within each limit, (limits,)."""
    within: Float64Array = (ratios[:, None] <= limits).mean(axis=0)
    return within
