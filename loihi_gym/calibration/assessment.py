"""How well a calibrated chip predicts, what the data cannot tell, and what to measure next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import pearsonr, spearmanr

from ..arrays import Float64Array
from ..chip import ChipSpec
from ..mapping import Mapping, Problem, fitting, random_mapping
from ..mapping.heuristics import FIRST_RELEASE
from .data_points import DataPoint
from .fit import SEED, Fit, calibrate, jacobian
from .likelihood import draws, information, noise_of
from .parameters import Parameter, with_values
from .predict import MeshTimes, mesh_step_ps
from .structures import TIMED, StructureFit

UNTOLD = 0.5
"""Part of its range's spread that a constant's spread must fall below to count as told."""
TWO_SIDED = 1.96
"""Standard deviations from the middle of a 95 % interval of a normal distribution to its end."""
HELD_OUT = 0.25
POOL = 40
LIKELY = 0.95
"""Probability above which a way of building the chip counts as told by the data."""
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


def assess(measured: Sequence[DataPoint], chip: ChipSpec, fit: Fit | None = None) -> Assessment:
    """Fit, and predict a quarter of the measurements from a fit to the others.

    Args:
        measured: Measurements, of one or several benchmarks.
        chip: Chip to start from; how it is built is taken as known.
        fit: The fit to all of them, if it has been made.

    Raises:
        CalibrationError: if there are too few measurements, or one is not of its benchmark.
    """
    order = np.random.default_rng(SEED).permutation(len(measured))
    held = max(round(HELD_OUT * len(measured)), 3)
    partial = calibrate([measured[i] for i in order[held:]], chip)
    fit = fit or calibrate(measured, chip)
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


def intervals(fit: Fit) -> list[ConstantInterval]:
    """95 % intervals, in the order of the fitted constants, from `draws`."""
    ends = np.quantile(draws(fit), (0.025, 0.975), axis=0)
    return [
        ConstantInterval(
            parameter=one,
            value=one.to_value(x),
            low=one.to_value(low),
            high=one.to_value(high),
            told=bool(high - low < 2 * TWO_SIDED * UNTOLD * one.spread),
        )
        for one, x, (low, high) in zip(fit.known, fit.x, ends.T, strict=True)
    ]


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


def calibrated_chip(
    found: Assessment, name: str, source: str, ways: Sequence[StructureFit] = ()
) -> ChipSpec:
    """The chip with every constant that the data tell marked as calibrated.

    A constant that they do not tell is at the fit, too, since the others are fitted beside it, but
    keeps its status and says so.
    """
    chip, constants = found.fit.chip, dict(found.fit.chip.constants)
    choices = dict(chip.choices)
    for built in TIMED if ways else ():
        value = getattr(chip.structure, built)
        likely = sum(w.probability for w in ways if getattr(w.structure, built) == value)
        if likely > LIKELY:
            told = f"{source}: {likely:.0%} likely"
            choice = replace(choices[f"structure.{built}"], status="calibrated", source=told)
            choices[f"structure.{built}"] = choice
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
        chip,
        name=name,
        description=f"{chip.description}; {source}",
        constants=constants,
        choices=choices,
    )


def next_mappings(
    fit: Fit, problem: Problem, count: int, rivals: Sequence[StructureFit] = ()
) -> list[Mapping]:
    """The mappings that would tell most about the chip if they were measured next.

    Of the heuristics and `POOL` random mappings, the one is chosen that makes the determinant of
    the information largest (D-optimal), then the next in the light of those before it. Beside it
    counts how far the predictions of rival ways of building the chip lie apart.

    Args:
        fit: What is known so far.
        problem: The problem whose mappings are to be measured.
        count: Mappings to choose.
        rivals: Ways of building the chip that may be true, this one included.
    """
    rng = np.random.default_rng(SEED)
    others = tuple(rival.fit.chip for rival in rivals)
    problem = replace(problem, chip=fit.chip, alternatives=others)
    done = {one.mapping for one in fit.measured}
    drawn = list(fitting(problem, FIRST_RELEASE).values())
    drawn += [random_mapping(problem, rng) for _ in range(POOL)]
    candidates = [mapping for mapping in dict.fromkeys(drawn) if mapping not in done]

    def log_times(chip: ChipSpec) -> Float64Array:
        return np.log(mesh_step_ps([problem] * len(candidates), candidates, chip))

    times = MeshTimes([problem] * len(candidates), candidates, fit.chip)

    def predict(x: Float64Array) -> Float64Array:
        return np.log(times.step_ps(with_values(fit.chip, fit.known, x)))

    steps = problem.activity.steps
    apart = [0.0] * len(candidates)
    if len(rivals) > 1:
        told = np.stack([log_times(chip) for chip in others]).reshape(len(others), -1, steps)
        shares = np.array([rival.probability for rival in rivals])
        mean = np.tensordot(shares, told, 1)
        spread = np.tensordot(shares, (told - mean) ** 2, 1).mean(axis=1)
        apart = np.log1p(spread / noise_of(fit) ** 2).tolist()
    rows = jacobian(predict, fit.known, fit.x).reshape(len(candidates), steps, -1) / fit.noise
    gains = [block.T @ block / steps for block in rows]  # steps share their noise
    known, chosen = information(fit, noise_of(fit)), list[Mapping]()
    for _ in range(min(count, len(candidates))):
        gained = [np.linalg.slogdet(known + gain)[1] for gain in gains]
        best = int(np.argmax(np.add(gained, apart)))
        apart.pop(best)
        known = known + gains.pop(best)
        chosen.append(candidates.pop(best))
    return chosen
