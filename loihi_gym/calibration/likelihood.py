"""What measurements say about the constants near a fit: information, noise, draws."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from ..arrays import Float64Array
from .fit import NOISE, SEED, STEP, Fit

ASSUMED = 10.0
"""Measurements that the noise assumed before measuring counts for."""

CHAINS, SWEEPS = 256, 120
"""Of `draws`: so many at once, each from so many rounds over the constants, the first third not
counted."""
PLACES = 5
"""Places between the ends of a range at which what a constant changes is simulated."""
SPIKE, AXON = "costs.spike_ps", "costs.axon_ps"
TINY = 1e-9
"""Curvature of a constant that the measurements say nothing about."""


def steps_each(fit: Fit) -> float:
    """Steps that a measurement has: they share its noise."""
    return len(fit.residuals) / len(fit.measured)


def squares(residuals: Float64Array, noise: float, steps: float) -> float:
    """Half the sum of squared residuals in units of the noise, less than squared for outliers."""
    scaled = (residuals / noise) ** 2
    return float(np.sum(np.sqrt(1 + scaled) - 1)) / steps


def told(fit: Fit, noise: float) -> Float64Array:
    """What the measurements alone tell of x, (P, P), outliers less than others."""
    return np.asarray((fit.jacobian.T * _weights(fit, noise)) @ fit.jacobian, np.float64)


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
    scatter = float((near**2).sum()) / steps_each(fit)
    return float(np.sqrt((ASSUMED * NOISE**2 + scatter) / (ASSUMED + free)))


def draws(fit: Fit) -> Float64Array:
    """Values of x that the measurements leave possible, (draws, P).

    Within its range, any value of a constant is as likely before the measurements. What a constant
    changes is simulated at a few places over its range (`Line`) and added up over the constants: so
    a queue that only has to be large enough keeps the upper part of its range. Drawn by Gibbs'
    method: one constant after the other from what the others leave it.
    """
    rng, weights = np.random.default_rng(SEED), _weights(fit, noise_of(fit))
    both = together(fit)
    lines = {k: line(fit, k, weights) for k in range(len(fit.x))}
    x = _scattered(fit, rng)
    if both is not None:  # their sum stands for the first, nothing for the second
        lines[both.first] = _sum_line(fit, both, weights)
        del lines[both.second]
        x[:, both.first] = both.sum_of(fit.x)
    changes = {k: one.change(x[:, k]) for k, one in lines.items()}
    residuals = fit.residuals + sum(changes.values())
    kept = []
    for sweep in range(SWEEPS):
        for k, one in lines.items():
            residuals -= changes[k]
            x[:, k] = one.drawn(rng, residuals)
            changes[k] = one.change(x[:, k])
            residuals += changes[k]
        if sweep >= SWEEPS // 3 and sweep % 4 == 0:
            kept.append(x.copy())
    found = np.concatenate(kept)
    return found if both is None else both.split(found, rng)


@dataclass(frozen=True)
class Together:
    """Two constants, of linear scales from 0, of which only the sum decides anything.

    Attributes:
        first: Position of one.
        second: Position of the other.
        part: What the whole range of the second is of that of the first.
    """

    first: int
    second: int
    part: float

    def sum_of(self, x: Float64Array) -> float:
        """Their sum on the scale of the first."""
        return float(x[self.first] + self.part * x[self.second])

    def at(self, x: Float64Array, total: float) -> Float64Array:
        """The same x with another sum."""
        moved = x.copy()
        moved[self.first] = min(total, 1.0)
        moved[self.second] = (total - moved[self.first]) / self.part
        return moved

    def split(self, x: Float64Array, rng: np.random.Generator) -> Float64Array:
        """Sums in the place of the first split in any way that both ranges allow, (draws, P)."""
        low = np.maximum(x[:, self.first] - self.part, 0.0)
        high = np.minimum(x[:, self.first], 1.0)
        drawn = x.copy()
        drawn[:, self.first] = low + rng.random(len(x)) * (high - low)
        drawn[:, self.second] = (x[:, self.first] - drawn[:, self.first]) / self.part
        return drawn


def together(fit: Fit) -> Together | None:
    """Where each message reads one axon entry, only what both take together."""
    names = [one.name for one in fit.known]
    if fit.chip.structure.multicast != "none" or not {SPIKE, AXON} <= set(names):
        return None
    first, second = names.index(SPIKE), names.index(AXON)
    if fit.known[first].low or fit.known[second].low:
        return None
    return Together(first, second, fit.known[second].high / fit.known[first].high)


def _scattered(fit: Fit, rng: np.random.Generator) -> Float64Array:
    """Where the chains begin: scattered as the fit's slopes have it, (CHAINS, P).

    Constants that are only told together lie along a narrow ridge, along which Gibbs' method would
    take very long.
    """
    spread = np.linalg.inv(information(fit, noise_of(fit)))
    low, high = np.array([one.bounds for one in fit.known]).T
    drawn = rng.multivariate_normal(fit.x, spread, CHAINS, method="eigh")
    return np.asarray(np.clip(drawn, low, high), np.float64)


def _weights(fit: Fit, noise: float) -> Float64Array:
    """Of each squared residual, outliers less than others."""
    heavy = noise**2 * steps_each(fit)
    return np.asarray(1 / np.sqrt(1 + (fit.residuals / noise) ** 2) / heavy)


def line(fit: Fit, k: int, weights: Float64Array) -> "Line":
    """What constant `k` changes, from places near its fit and all over its range."""

    def at(place: float) -> Float64Array:
        x = fit.x.copy()
        x[k] = place
        return x

    return _line(fit, k, at, float(fit.x[k]), fit.known[k].bounds, weights)


def _sum_line(fit: Fit, both: Together, weights: Float64Array) -> "Line":
    """What the sum of two constants changes."""
    ends = (0.0, 1.0 + both.part)
    return _line(fit, both.first, partial(both.at, fit.x), both.sum_of(fit.x), ends, weights)


def _line(
    fit: Fit,
    k: int,
    at: Callable[[float], Float64Array],
    middle: float,
    ends: tuple[float, float],
    weights: Float64Array,
) -> "Line":
    low, high = ends
    near = 1 / np.sqrt(max(float(information(fit, noise_of(fit))[k, k]), TINY))
    near = max(near, STEP * (high - low))
    places = middle + near * np.array([-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0])
    places = np.concatenate([[low, high], np.linspace(low, high, PLACES + 2)[1:-1], places])
    knots = np.unique(np.clip(places, low, high))
    knots = knots[np.append(True, np.diff(knots) > 0.2 * near)]
    changed = np.stack([fit.residuals_at(at(place)) - fit.residuals for place in knots.tolist()])
    return Line(knots, changed, np.diff(changed, axis=0) / np.diff(knots)[:, None], weights)


@dataclass(frozen=True, eq=False)
class Line:
    """What one constant changes, linear between knots.

    Attributes:
        knots: Values of x, ascending, (K,).
        changed: Change of each residual there, (K, M).
        slopes: Between them, (K - 1, M).
        weights: Of each squared residual, (M,).
    """

    knots: Float64Array
    changed: Float64Array
    slopes: Float64Array
    weights: Float64Array

    def change(self, x: Float64Array) -> Float64Array:
        """Change of residuals at some values, (C,) -> (C, M)."""
        part = np.clip(np.searchsorted(self.knots, x, "right") - 1, 0, len(self.slopes) - 1)
        return self.changed[part] + self.slopes[part] * (x - self.knots[part])[:, None]

    def drawn(self, rng: np.random.Generator, residuals: Float64Array) -> Float64Array:
        """A value for each row of what the others leave as residuals, (C, M) -> (C,).

        Between two knots the likelihood is a piece of a normal distribution.
        """
        start, heavy = self.changed[:-1], self.slopes * self.weights
        curvature = np.maximum((heavy * self.slopes).sum(axis=1), TINY)
        pull = residuals @ heavy.T + (start * heavy).sum(axis=1)
        cost = 0.5 * ((start**2) @ self.weights) + residuals @ (start * self.weights).T
        spread, middle = 1 / np.sqrt(curvature), -pull / curvature
        low, high = -middle / spread, (np.diff(self.knots) - middle) / spread
        inside = _log_between(low, high)
        weigh = inside + np.log(spread) - cost + 0.5 * pull**2 / curvature
        weigh = np.exp(weigh - weigh.max(axis=1, keepdims=True)).cumsum(axis=1)
        part = (rng.random((len(weigh), 1)) * weigh[:, -1:] > weigh).sum(axis=1)
        rows = np.arange(len(part))
        found = _normal_between(rng, low[rows, part], high[rows, part])
        x = self.knots[part] + middle[rows, part] + spread[part] * found
        return np.asarray(np.clip(x, self.knots[part], self.knots[part + 1]), np.float64)


def _log_between(low: Float64Array, high: Float64Array) -> Float64Array:
    """Logarithm of the part of a normal distribution between two values."""
    low, high = np.where(low > 0, -high, low), np.where(low > 0, -low, high)
    below, above = log_ndtr(low), log_ndtr(high)
    return np.asarray(above + np.log1p(-np.exp(np.minimum(below - above, -1e-12))), np.float64)


def _normal_between(
    rng: np.random.Generator, low: Float64Array, high: Float64Array
) -> Float64Array:
    """Draws from a normal distribution between two values, however far out."""
    flipped = low > 0
    low, high = np.where(flipped, -high, low), np.where(flipped, -low, high)
    drawn = np.log(rng.random(len(low))) + _log_between(low, high)
    found = ndtri_exp(np.minimum(np.logaddexp(log_ndtr(low), drawn), -1e-300))
    return np.asarray(np.where(flipped, -found, found), np.float64)
