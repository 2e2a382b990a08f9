"""How well a calibrated chip predicts, what the data cannot tell, and what to measure next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import pearsonr, spearmanr

from ..arrays import Float64Array
from ..chip import ChipSpec
from ..mapping import Mapping, Problem, fitting, random_mapping
from .data_points import DataPoint
from .fit import SEED, Fit, calibrate, jacobian
from .parameters import Parameter, with_values
from .predict import mesh_step_ps

UNTOLD = 0.5
"""Part of its range's spread that a constant's spread must fall below to count as told."""
TWO_SIDED = 1.96
HELD_OUT = 0.25
POOL = 40
LOADING = 0.3
"""Part of a direction's unit length above which a constant is named with it."""


@dataclass(frozen=True)
class ConstantInterval:
    """What is known of one constant.

    Attributes:
        parameter: The constant.
        value: Its fitted value.
        low: Lower end of its 95 % interval.
        high: Upper end of its 95 % interval.
        told: Whether the measurements tell it.
    """

    parameter: Parameter
    value: int
    low: int
    high: int
    told: bool


@dataclass(frozen=True)
class Assessment:
    """A fit and how it predicts mappings it was not fitted to.

    Attributes:
        fit: Fit to all measurements.
        held_out: Number of measurements that a fit to the others predicted.
        pearson: Correlation of predicted and measured latencies of the held-out mappings.
        spearman: Rank correlation of the same.
        error: Median of |predicted / measured - 1| of the same.
        intervals: Interval of each constant.
        confused: Names of constants that the measurements tell only together, by direction.
    """

    fit: Fit
    held_out: int
    pearson: float
    spearman: float
    error: float
    intervals: list[ConstantInterval]
    confused: list[list[str]]


def assess(measured: Sequence[DataPoint], chip: ChipSpec) -> Assessment:
    """Fit, and predict a quarter of the measurements from a fit to the others.

    Raises:
        CalibrationError: if there are too few measurements, or one is not of its benchmark.
    """
    order = np.random.default_rng(SEED).permutation(len(measured))
    held = max(round(HELD_OUT * len(measured)), 3)
    partial = calibrate([measured[i] for i in order[held:]], chip)
    fit = calibrate(measured, chip)
    aside = [measured[i] for i in order[:held]]
    problems, mappings = [fit.problems[i] for i in order[:held]], [one.mapping for one in aside]
    ends = np.cumsum([len(one.step_times_ps) for one in aside])
    steps = mesh_step_ps(problems, mappings, partial.chip)
    predicted = np.add.reduceat(steps, [0, *ends[:-1]])
    wanted = np.array([one.latency_ps for one in aside], np.float64)
    return Assessment(
        fit=fit,
        held_out=held,
        pearson=float(pearsonr(predicted, wanted)[0]),
        spearman=float(spearmanr(predicted, wanted)[0]),
        error=float(np.median(np.abs(predicted / wanted - 1))),
        intervals=intervals(fit),
        confused=confused(fit),
    )


def information(fit: Fit) -> Float64Array:
    """What is known of x, (P, P), from the measurements and the ranges: its inverse covariance."""
    steps = len(fit.residuals) / len(fit.measured)
    told = fit.jacobian.T @ fit.jacobian / fit.noise**2 / steps  # steps share their noise
    return np.asarray(told + np.diag([1 / one.spread**2 for one in fit.known]), np.float64)


def intervals(fit: Fit) -> list[ConstantInterval]:
    """95 % intervals, in the order of the fitted constants."""
    found, spreads = [], np.sqrt(np.diag(np.linalg.inv(information(fit))))
    for one, x, spread in zip(fit.known, fit.x, spreads, strict=True):
        low, high = one.bounds
        found.append(
            ConstantInterval(
                parameter=one,
                value=one.to_value(x),
                low=one.to_value(max(x - TWO_SIDED * spread, low)),
                high=one.to_value(min(x + TWO_SIDED * spread, high)),
                told=bool(spread < UNTOLD * one.spread),
            )
        )
    return found


def confused(fit: Fit) -> list[list[str]]:
    """Directions in which constants can move without the measurements noticing.

    By singular values of the Jacobian in units of the noise and of the ranges' spreads: where one
    is below 1, a move over the range's spread is less than the noise.
    """
    spreads = np.array([one.spread for one in fit.known])
    _, sizes, directions = np.linalg.svd(fit.jacobian * spreads / fit.noise, full_matrices=True)
    padded = np.pad(sizes, (0, len(directions) - len(sizes)))
    return [
        [one.name for one, part in zip(fit.known, direction, strict=True) if abs(part) > LOADING]
        for size, direction in zip(padded, directions, strict=True)
        if size < 1
    ]


def calibrated_chip(found: Assessment, name: str, source: str) -> ChipSpec:
    """The chip with every constant that the data tell marked as calibrated.

    A constant that they do not tell is at the fit, too, since the others are fitted beside it, but
    keeps its status and says so.
    """
    chip, constants = found.fit.chip, dict(found.fit.chip.constants)
    for one in found.intervals:
        constant = constants[one.parameter.name]
        if one.told:
            constants[one.parameter.name] = replace(
                constant, status="calibrated", source=source, range=(one.low, one.high)
            )
        elif one.value != one.parameter.value:
            note = f"{constant.source}; moved by a calibration that cannot tell it ({source})"
            constants[one.parameter.name] = replace(constant, source=note)
    return replace(
        chip, name=name, description=f"{chip.description}; {source}", constants=constants
    )


def next_mappings(fit: Fit, problem: Problem, count: int) -> list[Mapping]:
    """The mappings that would tell most about the constants if they were measured next.

    Of the heuristics and `POOL` random mappings, the one is chosen that makes the determinant of
    the information largest (D-optimal), then the next in the light of those before it.

    Args:
        fit: What is known so far.
        problem: The problem whose mappings are to be measured.
        count: Mappings to choose.
    """
    rng = np.random.default_rng(SEED)
    problem = replace(problem, chip=fit.chip)
    done = {one.mapping for one in fit.measured}
    drawn = list(fitting(problem).values())
    drawn += [random_mapping(problem, rng) for _ in range(POOL)]
    candidates = [mapping for mapping in dict.fromkeys(drawn) if mapping not in done]

    def predict(x: Float64Array) -> Float64Array:
        chip = with_values(fit.chip, fit.known, x)
        return np.log(mesh_step_ps([problem] * len(candidates), candidates, chip))

    steps = problem.activity.steps
    rows = jacobian(predict, fit.known, fit.x).reshape(len(candidates), steps, -1) / fit.noise
    gains = [block.T @ block / steps for block in rows]  # steps share their noise
    known, chosen = information(fit), list[Mapping]()
    for _ in range(min(count, len(candidates))):
        best = int(np.argmax([np.linalg.slogdet(known + gain)[1] for gain in gains]))
        known = known + gains.pop(best)
        chosen.append(candidates.pop(best))
    return chosen
