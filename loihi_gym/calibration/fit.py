"""The fit: `bound` first, for it is cheap and nearly convex, then `mesh` from there.

What is made small is the sum over measured steps of the squared logarithm of predicted / measured,
less than squared for outliers, in units of the noise, and over constants of the squared distance
from the middle of the range in units of its spread. The latter counts as much as one measurement
of that constant: it decides only what the measurements do not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import differential_evolution, least_squares

from ..arrays import Float64Array
from ..benchmarks import load
from ..chip import ChipSpec
from ..errors import CalibrationError, IllegalMappingError
from ..mapping import Problem
from .data_points import DataPoint
from .parameters import Parameter, parameters, with_values
from .predict import BARRIER, COLUMNS, Affine, MeshTimes

NOISE = 0.02
"""Relative scatter of a measurement that is assumed while fitting."""
STEP = 0.05
"""Part of a range by which a constant is moved to see what it does."""
QUEUE_STEP = 0.25
"""The same for sizes of queues, which are small whole numbers."""
QUEUES = (0.0, 0.25, 0.5, 1.0)
"""Parts of the ranges of queues that a fit is begun at, beside the chip's own."""
OTHERS = 2
"""Other starts that a fit may be begun at anew."""
ROUNDS = 12
"""Steps of a fit, at most."""
ENOUGH = 1e-3
"""Part of the cost below which a step no longer helps."""
FEWEST = 8
SEED = 0


@dataclass(frozen=True)
class Fit:
    """Fitted constants.

    Attributes:
        chip: The chip at the fit.
        known: Constants that were fitted, P of them.
        x: Fitted value of each, on the scale of its `Parameter`, (P,).
        jacobian: Change of the logarithm of each measured step's prediction with x, (M, P).
        residuals: Logarithm of predicted / measured at each step, (M,).
        noise: Relative scatter of the measurements about the fit, robust.
        problems: Problem of each measurement, on the chip that the fit started from.
        measured: Measurements that were fitted to.
        residuals_at: The residuals for other x.
    """

    chip: ChipSpec
    known: list[Parameter]
    x: Float64Array
    jacobian: Float64Array = field(repr=False)
    residuals: Float64Array = field(repr=False)
    noise: float
    problems: list[Problem] = field(repr=False)
    measured: list[DataPoint] = field(repr=False)
    residuals_at: Callable[[Float64Array], Float64Array] = field(repr=False)


class Fitting:
    """A fit of a chip's constants under way: how far it is, and how to go on.

    Args:
        measured: Measurements, of one or several benchmarks.
        chip: Chip to start from, built as it is; its constants' ranges bound the fit.
        start: Where `bound` predicts best, if another fitting has found that.

    Attributes:
        start: Where `bound` predicts best, (P,).
        cost: What is made small, now.

    Raises:
        CalibrationError: if there are too few measurements, one is not of its benchmark or does
            not fit on the chip, or the chip has no constant to fit.
        UnknownNameError: if there is no such benchmark.
    """

    def __init__(
        self, measured: Sequence[DataPoint], chip: ChipSpec, start: Float64Array | None = None
    ) -> None:
        self._measured, self._chip = list(measured), chip
        self._known = known = fitted_parameters(measured, chip)
        self._problems = problems_of(measured, chip)
        mappings = [one.mapping for one in measured]
        self._wanted = np.log(np.concatenate([one.step_times_ps for one in measured]))
        self._times = MeshTimes(self._problems, mappings, chip)
        if start is None:
            start = _fit_bound(Affine(self._problems, mappings), self._wanted, chip, known)
        self.start = start
        places = [start, np.array([one.to_x(one.value) for one in known])]
        places += [_with_queues(start, known, part) for part in QUEUES]
        tried = [(self._cost_of(self._predict(x), x), x) for x in places]
        (self.cost, self._x), *others = sorted(tried, key=lambda one: one[0])
        self._others = [x for _, x in others[:OTHERS]]

    def _predict(self, x: Float64Array) -> Float64Array:
        return np.log(self._times.step_ps(with_values(self._chip, self._known, x)))

    def _cost_of(self, predicted: Float64Array, x: Float64Array) -> float:
        return _cost(predicted - self._wanted, self._known, x)

    def go_on(self, rounds: int) -> None:
        """Take more steps, until they no longer help."""
        self._x = _fit_mesh(self._predict, self._wanted, self._known, self._x, rounds)
        self.cost = self._cost_of(self._predict(self._x), self._x)

    def begin_elsewhere(self, rounds: int) -> None:
        """Take as many steps from the next best starts, and go on from there if that is better."""
        for start in self._others:
            x = _fit_mesh(self._predict, self._wanted, self._known, start, rounds)
            cost = self._cost_of(self._predict(x), x)
            if cost < self.cost:
                self.cost, self._x = cost, x

    def fit(self) -> Fit:
        """The fit so far."""
        residuals = self._predict(self._x) - self._wanted
        noise = float(np.median(np.abs(residuals - np.median(residuals)))) * 1.4826
        return Fit(
            chip=with_values(self._chip, self._known, self._x),
            known=self._known,
            x=self._x,
            jacobian=jacobian(self._predict, self._known, self._x),
            residuals=residuals,
            noise=max(noise, 1e-4),
            problems=self._problems,
            measured=self._measured,
            residuals_at=lambda x: self._predict(x) - self._wanted,
        )


def calibrate(measured: Sequence[DataPoint], chip: ChipSpec) -> Fit:
    """Fit a chip's constants to measured mappings; how it is built is taken as known.

    Raises:
        CalibrationError, UnknownNameError: as `Fitting` does.
    """
    fitting = Fitting(measured, chip)
    fitting.go_on(ROUNDS)
    fitting.begin_elsewhere(ROUNDS)
    return fitting.fit()


def fitted_parameters(measured: Sequence[DataPoint], chip: ChipSpec) -> list[Parameter]:
    """The constants that measurements of a chip are fitted by.

    Raises:
        CalibrationError: if there are too few measurements, or there is no constant to fit.
    """
    if len(measured) < FEWEST:
        raise CalibrationError(f"{len(measured)} measurements are too few: {FEWEST} are needed")
    known = parameters(chip)
    if not known:
        raise CalibrationError(
            f"chip {chip.name} has no constant to fit: give those of [costs] and [network] that "
            "you do not know a range"
        )
    return known


def problems_of(measured: Sequence[DataPoint], chip: ChipSpec) -> list[Problem]:
    """The problem of each measurement, on `chip`.

    Raises:
        CalibrationError: if a measurement has another number of steps than its benchmark, or its
            mapping is not legal on the chip.
        UnknownNameError: if there is no such benchmark.
    """
    loaded: dict[str, Problem] = {}
    for number, one in enumerate(measured, 1):
        if one.benchmark not in loaded:
            loaded[one.benchmark] = replace(load(one.benchmark), chip=chip)
        problem = loaded[one.benchmark]
        if len(one.step_times_ps) != problem.activity.steps:
            raise CalibrationError(
                f"measurement {number} has {len(one.step_times_ps)} step times; "
                f"{one.benchmark} has {problem.activity.steps} steps"
            )
        try:
            problem.require(one.mapping)
        except IllegalMappingError as error:
            raise CalibrationError(f"measurement {number}: {error}") from error
    return [loaded[one.benchmark] for one in measured]


def jacobian(
    predict: Callable[[Float64Array], Float64Array], known: Sequence[Parameter], x: Float64Array
) -> Float64Array:
    """Change of predictions with each constant, by symmetric differences within the ranges."""
    columns = []
    for index, one in enumerate(known):
        low, high = one.bounds
        ends = np.array([x, x])
        ends[:, index] = np.clip(x[index] + np.array([-1, 1]) * step_of(one), low, high)
        # Values are rounded: what counts is where they come to lie.
        lower, upper = (one.to_x(one.to_value(end)) for end in ends[:, index])
        change = predict(ends[1]) - predict(ends[0])
        columns.append(change / (upper - lower) if upper > lower else np.zeros_like(change))
    return np.stack(columns, axis=1)


def step_of(one: Parameter) -> float:
    """How far a constant is moved to see what it does."""
    low, high = one.bounds
    return (QUEUE_STEP if one.name.startswith("network.") else STEP) * (high - low)


def _prior(known: Sequence[Parameter], x: Float64Array) -> Float64Array:
    middle = np.array([sum(one.bounds) / 2 for one in known])
    spread = np.array([one.spread for one in known])
    return np.asarray((x - middle) / spread, np.float64)


def _cost(residuals: Float64Array, known: Sequence[Parameter], x: Float64Array) -> float:
    """What is made small: soft-L1 of the residuals, and the distance from what is plausible."""
    scaled = (residuals / NOISE) ** 2
    return float(np.sum(np.sqrt(1 + scaled) - 1) + 0.5 * np.sum(_prior(known, x) ** 2))


def _fit_bound(
    affine: Affine, wanted: Float64Array, chip: ChipSpec, known: Sequence[Parameter]
) -> Float64Array:
    """Where `bound` predicts best; what it does not know stays as it is."""
    names = (*COLUMNS, BARRIER)
    fitted = [index for index, one in enumerate(known) if one.name in names]
    fixed = {name: float(chip.constants[name].value) for name in names}
    chosen = [known[index] for index in fitted]
    x = np.array([one.to_x(one.value) for one in known])
    if not chosen:
        return x

    def residuals(position: Float64Array) -> Float64Array:
        costs = dict(fixed)
        for one, at in zip(chosen, position, strict=True):
            costs[one.name] = one.exact(at)
        return np.log(np.maximum(affine.step_ps(costs), 1.0)) - wanted

    bounds = [one.bounds for one in chosen]
    rough = differential_evolution(
        lambda at: _cost(residuals(at), chosen, at),
        bounds,
        seed=SEED,
        maxiter=30,
        popsize=8,
        tol=1e-3,
    )
    found = least_squares(
        lambda at: np.concatenate([residuals(at) / NOISE, _prior(chosen, at)]),
        rough.x,
        bounds=tuple(zip(*bounds, strict=True)),
        loss="soft_l1",
        max_nfev=100,
    )
    x[fitted] = found.x
    return x


def _with_queues(x: Float64Array, known: Sequence[Parameter], part: float) -> Float64Array:
    """The same with all queues at a part of their ranges: far off, their slopes say nothing."""
    low, high = np.array([one.bounds for one in known]).T
    queues = [one.name.startswith("network.") for one in known]
    return np.where(queues, low + part * (high - low), x)


def _fit_mesh(
    predict: Callable[[Float64Array], Float64Array],
    wanted: Float64Array,
    known: Sequence[Parameter],
    x: Float64Array,
    rounds: int,
) -> Float64Array:
    """Levenberg-Marquardt within the ranges, reweighted for outliers.

    The simulation's times are integers of rounded constants, so differences are taken wide, and a
    step is only taken if it makes the true cost smaller.
    """
    low, high = np.array([one.bounds for one in known]).T
    spread = np.array([one.spread for one in known])
    middle = (low + high) / 2
    damping, base = 1e-2, predict(x)
    cost = _cost(base - wanted, known, x)
    for _ in range(rounds):
        slopes = jacobian(predict, known, x)
        residuals = base - wanted
        weights = 1 / np.sqrt(1 + (residuals / NOISE) ** 2) / NOISE**2
        gradient = slopes.T @ (weights * residuals) + (x - middle) / spread**2
        curvature = (slopes.T * weights) @ slopes + np.diag(1 / spread**2)
        before = cost
        for _ in range(6):
            step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), -gradient)
            trial = np.clip(x + np.clip(step, -0.5 * (high - low), 0.5 * (high - low)), low, high)
            predicted = predict(trial)
            found = _cost(predicted - wanted, known, trial)
            if found < cost:
                x, base, cost = trial, predicted, found
                damping = max(damping / 5, 1e-6)
                break
            damping *= 6
        if before - cost < ENOUGH * before:
            break
    return x
