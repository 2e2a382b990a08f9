"""Scores, in whole numbers only, so that every machine computes the same; see RULES.md.

A part or a ratio is given in millionths (ppm), rounded down. Runs come as (reference latency,
latency) pairs in ps.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import prod

MILLION = 10**6
RESAMPLES = 2000
OUTSIDE = RESAMPLES // 40
"""Resamples on either side of a 95 % interval."""
MASK = (1 << 64) - 1

Pair = tuple[int, int]


def score_ppm(pairs: Iterable[Pair]) -> int:
    """Geometric mean over runs of reference latency / latency, in ppm."""
    runs = list(pairs)
    ratio = prod(reference for reference, _ in runs) * MILLION ** len(runs)
    return root(ratio // prod(latency for _, latency in runs), len(runs))


def interval_ppm(problems: Sequence[Sequence[Pair]]) -> tuple[int, int]:
    """95 % bootstrap interval of `score_ppm`; runs are resampled within their problem.

    The draws are the same for all: of splitmix64, from 0 on.
    """
    draws = splitmix64(0)
    samples = sorted(
        score_ppm(runs[next(draws) * len(runs) >> 64] for runs in problems for _ in runs)
        for _ in range(RESAMPLES)
    )
    return samples[OUTSIDE - 1], samples[-OUTSIDE]


def area_ppm(curve: Sequence[Pair], reference: int, budget: int) -> int:
    """Mean over all evaluations of reference latency / best latency so far, in ppm.

    Args:
        curve: (evaluation, latency) of every improvement; the first is evaluation 1.
        reference: Latency of the reference mapping.
        budget: Evaluations of the run.
    """
    ends = [*curve, (budget + 1, 0)]
    area = sum(
        (end - start) * (MILLION * reference // latency)
        for (start, latency), (end, _) in pairwise(ends)
    )
    return area // budget


def below_ppm(latency: int, other: int) -> int:
    """Part of a latency that another one is below it; negative if it is above."""
    return MILLION * (latency - other) // latency


def lower_median(runs: Sequence[Pair]) -> Pair:
    """The middle of (latency, energy) pairs; of two, the lower."""
    return sorted(runs)[(len(runs) - 1) // 2]


def root(value: int, degree: int) -> int:
    """The largest whole number whose power of that degree is not above `value`."""
    if degree == 1 or value < 2:
        return value
    guess = 1 << -(-value.bit_length() // degree)  # above the root: Newton's steps go down
    while True:
        step = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if step >= guess:
            return guess
        guess = step


def splitmix64(state: int) -> Iterator[int]:
    """Steele, Lea and Flood's generator of 64-bit numbers (OOPSLA 2014)."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        yield mixed ^ (mixed >> 31)
