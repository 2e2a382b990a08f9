"""Which way of building the chip explains measurements best, and with what probability.

Every way is fitted, the worst ones only a little: what is far behind after a few steps of the fit
is not fitted on. Probabilities follow from how well each explains the measurements at its fit and
how much of its constants' ranges does so (the Laplace approximation of the evidence); before the
measurements, all ways are as likely.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ..chip import ChipSpec, Structure
from ..chip.spec import OPTIONS
from ..errors import CalibrationError, IllegalMappingError
from .data_points import DataPoint
from .fit import ROUNDS, Fit, Fitting
from .likelihood import information, noise_of, squares, steps_each

TIMED = ("multicast", "rows", "phases", "message_size")
"""Choices of a `Structure` that decide times."""
STAGES = ((1, 10), (2, 5), (ROUNDS, 5))
"""Steps that fits are taken on by, and how many of them are then left."""


@dataclass(frozen=True)
class StructureFit:
    """One way of building the chip.

    Attributes:
        structure: How it is built.
        fit: Its fit.
        probability: How likely it is after the measurements.
    """

    structure: Structure
    fit: Fit
    probability: float


def ways(chip: ChipSpec) -> list[ChipSpec]:
    """The chip in every way that it may be built, as it is first."""
    options = product(*(OPTIONS[name] for name in TIMED))
    built = [replace(chip.structure, **dict(zip(TIMED, each, strict=True))) for each in options]
    return sorted((as_built(chip, one) for one in built), key=lambda one: one != chip)


def as_built(chip: ChipSpec, structure: Structure) -> ChipSpec:
    """The chip built in another way."""
    for name in TIMED:
        chip = chip.with_choice(f"structure.{name}", getattr(structure, name))
    return chip


def choose(
    measured: Sequence[DataPoint],
    chip: ChipSpec,
    update: Callable[[str, int, int], None] = lambda *_: None,
) -> list[StructureFit]:
    """Fit every way of building a chip, the likeliest first.

    Args:
        measured: Measurements, of one or several benchmarks.
        chip: Chip to start from.
        update: Told what is done, how much, and how much there is.

    Raises:
        CalibrationError, UnknownNameError: as `Fitting` does, if no way holds what was measured.
    """
    fittings = _begun(measured, ways(chip), update)
    plan = sum(min(kept, len(fittings)) for _, kept in ((0, len(fittings)), *STAGES[:-1]))
    done = 0
    for rounds, kept in STAGES:
        for structure, fitting in fittings.items():
            update(f"fitting {'/'.join(getattr(structure, name) for name in TIMED)}", done, plan)
            fitting.go_on(rounds)
            done += 1
        best = sorted(fittings, key=lambda one: fittings[one].cost)
        fittings = {structure: fittings[structure] for structure in best[:kept]}
    for fitting in fittings.values():
        fitting.begin_elsewhere(ROUNDS)
    fits = {structure: fitting.fit() for structure, fitting in fittings.items()}
    evidence = np.array(list(_evidence(list(fits.values()))))
    weights = np.exp(evidence - evidence.max())
    shares = (weights / weights.sum()).tolist()
    found = [StructureFit(s, fit, p) for (s, fit), p in zip(fits.items(), shares, strict=True)]
    return sorted(found, key=lambda one: -one.probability)


def _begun(
    measured: Sequence[DataPoint],
    chips: Sequence[ChipSpec],
    update: Callable[[str, int, int], None],
) -> dict[Structure, Fitting]:
    """A fitting for each chip that can hold all that was measured."""
    starts: dict[Structure, np.ndarray] = {}
    found: dict[Structure, Fitting] = {}
    refused: CalibrationError | None = None
    for number, chip in enumerate(chips):
        update("reading the measurements", number, len(chips))
        alike = replace(chip.structure, phases="pipelined")  # `bound` knows no phases
        try:
            found[chip.structure] = Fitting(measured, chip, starts.get(alike))
        except CalibrationError as error:
            if not isinstance(error.__cause__, IllegalMappingError):
                raise
            refused = refused or error
            continue
        starts[alike] = found[chip.structure].start
    if not found and refused is not None:
        raise refused
    return found


def _evidence(fits: Sequence[Fit]) -> list[float]:
    """Logarithm of how likely the measurements are under each fit's way, less the same number."""
    noise = min(noise_of(fit) for fit in fits)
    found = []
    for fit in fits:
        spread = np.array([one.spread for one in fit.known])
        middle = np.array([sum(one.bounds) / 2 for one in fit.known])
        told = information(fit, noise) * np.outer(spread, spread)
        prior = 0.5 * float((((fit.x - middle) / spread) ** 2).sum())
        found.append(
            -squares(fit.residuals, noise, steps_each(fit))
            - prior
            - 0.5 * float(np.linalg.slogdet(told)[1])
        )
    return found
