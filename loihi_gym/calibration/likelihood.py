"""What measurements say about the constants near a fit: information, noise, draws."""

import numpy as np
from scipy.special import ndtr, ndtri

from ..arrays import Float64Array
from .fit import NOISE, SEED, Fit

ASSUMED = 10.0
"""Measurements that the noise assumed before measuring counts for."""

CHAINS, SWEEPS = 64, 1500
"""Of `draws`: so many at once, each from so many rounds over the constants, the first third not
counted."""


def steps_each(fit: Fit) -> float:
    """Steps that a measurement has: they share its noise."""
    return len(fit.residuals) / len(fit.measured)


def squares(fit: Fit, noise: float) -> float:
    """Half the sum of squared residuals in units of the noise, less than squared for outliers."""
    scaled = (fit.residuals / noise) ** 2
    return float(np.sum(np.sqrt(1 + scaled) - 1)) / steps_each(fit)


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


def draws(fit: Fit) -> Float64Array:
    """Values of x that the measurements leave possible, (draws, P).

    Within its range, any value of a constant is as likely before the measurements. Predictions are
    taken as linear in x near the fit. Drawn by Gibbs' method: one constant after the other from
    what the others leave it, a normal distribution cut off at the ends of its range.
    """
    noise, rng = noise_of(fit), np.random.default_rng(SEED)
    low, high = np.array([one.bounds for one in fit.known]).T
    weights = 1 / np.sqrt(1 + (fit.residuals / noise) ** 2) / noise**2 / steps_each(fit)
    precision, pull = told(fit, noise), -(fit.jacobian.T @ (weights * fit.residuals))
    x = np.tile(fit.x, (CHAINS, 1))
    kept = []
    for sweep in range(SWEEPS):
        for k, own in enumerate(np.diag(precision)):
            slope = pull[k] - (x - fit.x) @ precision[k]  # of the logarithm of the likelihood
            spread = 1 / np.sqrt(max(own, 1e-12))
            middle = x[:, k] + slope * spread**2
            ends = ndtr((low[k] - middle) / spread), ndtr((high[k] - middle) / spread)
            part = ends[0] + rng.random(CHAINS) * (ends[1] - ends[0])
            drawn = middle + spread * ndtri(np.clip(part, 1e-300, 1 - 1e-16))
            x[:, k] = np.clip(drawn, low[k], high[k])
        if sweep >= SWEEPS // 3 and sweep % 5 == 0:
            kept.append(x.copy())
    return np.concatenate(kept)
