"""The least sum of step times that may suffice, enclosed by boxes of step times."""

import heapq
import itertools
from collections.abc import Callable

import numpy as np

from ..arrays import Int64Array

MAX_DECISIONS = 400
"""Boxes that are tried, at most, for the joint bound over all steps."""
TOLERANCE = 2000
"""One part in so many of the latency: boxes narrower than that are not cut further."""


def alone(
    suffices: Callable[[Int64Array], bool], lowest: Int64Array, highest: Int64Array, step: int
) -> int:
    """Least time of one step that may suffice if the other steps take as long as they like."""
    limits = highest.copy()
    low, high = int(lowest[step]) - 1, int(highest[step])  # low does not suffice, high does
    near = 1024  # often the first is only a little too low
    while high - low > 1:
        limits[step] = low + max((high - low) // max(near, 2), 1)
        near //= 8
        if suffices(limits):
            high = int(limits[step])
        else:
            low = int(limits[step])
    return high


def least(suffices: Callable[[Int64Array], bool], lowest: Int64Array, highest: Int64Array) -> int:
    """A lower bound on the sum of step times between `lowest` and `highest` that may suffice."""
    tie = itertools.count()  # boxes do not compare
    boxes = [(int(lowest.sum()), next(tie), lowest, np.maximum(highest, lowest))]
    for _ in range(MAX_DECISIONS):
        total, _, low, high = boxes[0]
        step = int((high - low).argmax())
        if (high - low).sum() <= total // TOLERANCE:
            break
        heapq.heappop(boxes)
        middle = int(low[step] + high[step]) // 2
        for start, end in ((int(low[step]), middle), (middle + 1, int(high[step]))):
            lower, upper = low.copy(), high.copy()
            lower[step], upper[step] = start, end
            if start <= end and suffices(upper):
                heapq.heappush(boxes, (int(lower.sum()), next(tie), lower, upper))
    return boxes[0][0]
