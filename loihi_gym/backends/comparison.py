"""How alike two backends see the same mappings."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

from ..arrays import Int64Array
from ..mapping import Mapping, Problem, fitting, random_mapping
from ..mapping.heuristics import FIRST_RELEASE
from .measurement import Backend


class Agreement(NamedTuple):
    """One backend against another on the same mappings.

    Attributes:
        first: Name of one backend.
        second: Name of the other.
        spearman: Rank correlation of the latencies, over all mappings.
        spearman_random: The same over the random mappings alone.
        ratio_median: Median of first / second.
        ratio_low: 10th percentile of it.
        ratio_high: 90th percentile of it.
    """

    first: str
    second: str
    spearman: float
    spearman_random: float
    ratio_median: float
    ratio_low: float
    ratio_high: float


def sample_mappings(problem: Problem, count: int, seed: int) -> tuple[list[Mapping], int]:
    """Standard heuristics that fit, at most half, then random ones: (all, how many heuristics)."""
    chosen = list(fitting(problem, FIRST_RELEASE).values())[: count // 2]
    rng = np.random.default_rng(seed)
    drawn = [random_mapping(problem, rng) for _ in range(count - len(chosen))]
    return chosen + drawn, len(chosen)


def latencies(backend: Backend, mappings: Sequence[Mapping]) -> tuple[Int64Array, float]:
    """Latency of each mapping in ps, and the seconds that measuring one took.

    The first mapping is measured once more before, so that what is compiled then does not count.
    """
    backend.evaluate_batch(mappings[:1])
    start = time.perf_counter()
    measured = backend.evaluate_batch(mappings)
    seconds = (time.perf_counter() - start) / max(len(mappings), 1)
    return np.array([result.latency_ps for result in measured], np.int64), seconds


def agreement(
    names: tuple[str, str],
    first: Int64Array,
    second: Int64Array,
    n_heuristics: int,
) -> Agreement:
    """Compare the latencies two backends found for the same mappings."""
    ratio = first / second
    low, median, high = np.quantile(ratio, (0.1, 0.5, 0.9)).tolist()
    return Agreement(
        *names,
        spearman=float(spearmanr(first, second)[0]),
        spearman_random=float(spearmanr(first[n_heuristics:], second[n_heuristics:])[0]),
        ratio_median=median,
        ratio_low=low,
        ratio_high=high,
    )
