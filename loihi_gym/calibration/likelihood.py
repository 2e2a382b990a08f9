"""What measurements say about the constants near a fit: information, noise, likely ranges."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..arrays import Float64Array
from .fit import NOISE, Fit, jacobian
from .parameters import with_values

ASSUMED = 10.0
"""Measurements that the noise assumed before measuring counts for."""

WORSE = 1.92
"""How much less likely, as a logarithm, a constant is at the ends of a 95 % interval."""
STRIDES = (0.7, 1.4, 2.1, 2.8, 4.0, 6.0, 9.0, 14.0, 1e6)
"""Places of a walk along a profile, in standard deviations from the fit."""
MOVES, MARGIN = 4, 0.2
"""How often a fit is moved to a better one at most, and by how much that must be better."""
FOLLOW = 3
"""Places that the others are tried at for each of them, at most."""


def steps_each(fit: Fit) -> float:
    """Steps that a measurement has: they share its noise."""
    return len(fit.residuals) / len(fit.measured)


def squares(residuals: Float64Array, noise: float, steps: float) -> float:
    """Half the sum of squared residuals in units of the noise, less than squared for outliers."""
    scaled = (residuals / noise) ** 2
    return float(np.sum(np.sqrt(1 + scaled) - 1)) / steps


def told(fit: Fit, noise: float) -> Float64Array:
    """What the measurements alone tell of x, (P, P), outliers less than others."""
    weights = 1 / np.sqrt(1 + (fit.residuals / noise) ** 2) / noise**2 / steps_each(fit)
    return np.asarray((fit.jacobian.T * weights) @ fit.jacobian, np.float64)


def information(fit: Fit, noise: float) -> Float64Array:
    """What is known of x, (P, P), from the measurements and the ranges: its inverse covariance."""
    ranges = np.diag([1 / one.spread**2 for one in fit.known])
    return np.asarray(told(fit, noise) + ranges, np.float64)


def noise_of(fit: Fit) -> float:
    """Scatter of the measurements about the truth.

    It is larger than that about a fit that follows them, by as many measurements as the constants
    could follow. What is assumed before measuring, `NOISE`, counts as `ASSUMED` measurements.
    """
    alone, near = told(fit, NOISE), np.clip(np.abs(fit.residuals), 0.0, 4 * fit.noise)
    ranges = np.diag([1 / one.spread**2 for one in fit.known])
    followed = float(np.trace(np.linalg.solve(alone + ranges, alone)))
    free = max(len(fit.measured) - followed, 0.0)
    squares = float((near**2).sum()) / steps_each(fit)
    return float(np.sqrt((ASSUMED * NOISE**2 + squares) / (ASSUMED + free)))


@dataclass(frozen=True)
class Profile:
    """A fit that no constant can be moved away from to a better one, and what is as likely.

    Attributes:
        fit: The fit.
        ranges: 95 % intervals of x, one (low, high) for each constant.
    """

    fit: Fit
    ranges: list[tuple[float, float]]


def profile(fit: Fit) -> Profile:
    """The likelihood's profile along each constant.

    A constant is moved away from its fit, to either side, and the others follow so that the
    measurements are explained as well as can be. Where that is worse than at the fit by `WORSE`,
    the interval ends; it never leaves the range. So a constant that only has to be large enough
    keeps the whole upper part of its range. If a better fit is met on the way, all begins anew
    from there.
    """
    for _ in range(MOVES):
        walks = Walks(fit)
        ranges = [walks.ends(k) for k in range(len(fit.known))]
        if walks.least > walks.cost - MARGIN:
            break
        fit = moved_to(fit, walks.best)
    return Profile(fit, ranges)


def moved_to(fit: Fit, x: Float64Array) -> Fit:
    """The fit with its constants elsewhere."""
    return replace(
        fit,
        chip=with_values(fit.chip, fit.known, x),
        x=x,
        jacobian=jacobian(fit.residuals_at, fit.known, x),
        residuals=fit.residuals_at(x),
    )


class Walks:
    """Walks away from a fit along each constant, the others following.

    Attributes:
        cost: Of the fit.
        least: The least cost that was met.
        best: Where.
    """

    def __init__(self, fit: Fit) -> None:
        self._fit, self._noise = fit, noise_of(fit)
        self._low, self._high = np.array([one.bounds for one in fit.known]).T
        self._precision = information(fit, self._noise)
        self._spread = np.sqrt(np.diag(np.linalg.inv(self._precision)))
        self.cost = self.least = squares(fit.residuals, self._noise, steps_each(fit))
        self.best = fit.x

    def ends(self, k: int) -> tuple[float, float]:
        """Where a constant's walks get `WORSE`, below and above."""
        limit = self.cost + WORSE
        return _crossing(self._walk(k, -1), limit), _crossing(self._walk(k, 1), limit)

    def _walk(self, k: int, side: int) -> list[tuple[float, float]]:
        """(x of the constant, cost) from the fit on, to a cost far too high or the range's end."""
        x = self._fit.x.copy()
        end = self._high[k] if side > 0 else self._low[k]
        walk = [(float(x[k]), self.cost)]
        for part in STRIDES:
            to = float(
                np.clip(self._fit.x[k] + side * part * self._spread[k], *sorted((x[k], end)))
            )
            x, cost = self._follow(x, k, to)
            if cost < self.least:
                self.least, self.best = cost, x
            walk.append((to, cost))
            if to == end or cost > self.cost + 2 * WORSE:
                break
        return walk

    def _follow(self, x: Float64Array, k: int, to: float) -> tuple[Float64Array, float]:
        """The others moved to where they fit best once constant `k` is at `to`, and the cost."""
        others = np.arange(len(x)) != k
        inner = self._precision[np.ix_(others, others)]
        moved = x.copy()
        moved[k] = to
        moved[others] -= np.linalg.solve(inner, self._precision[others, k]) * (to - x[k])
        best, least = moved, np.inf
        for _ in range(FOLLOW):
            moved = np.clip(moved, self._low, self._high)
            residuals = self._fit.residuals_at(moved)
            cost = squares(residuals, self._noise, steps_each(self._fit))
            if cost >= least:
                break
            best, least = moved.copy(), cost
            weights = 1 / np.sqrt(1 + (residuals / self._noise) ** 2)
            weights /= self._noise**2 * steps_each(self._fit)
            pull = self._fit.jacobian[:, others].T @ (weights * residuals)
            moved[others] -= np.linalg.solve(inner, pull)
        return best, float(least)


def _crossing(walk: list[tuple[float, float]], limit: float) -> float:
    """Where a walk first gets above a cost; its last place if it does not."""
    for (x, cost), (further, more) in pairwise(walk):
        if more > limit:
            below = np.sqrt(max(limit - min(cost, limit), 0.0))
            return x + (further - x) * float(below / (below + np.sqrt(more - limit)))
    return walk[-1][0]
