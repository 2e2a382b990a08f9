"""The study of Pierro et al. (arXiv 2602.04717) as far as it is public, simulated.

Nested evolution strategies search mappings of two sparse networks on one chip and of one on
several, from a random mapping and from the toolchain's default, which what they find is held
against. docs/pierro2026.md tells what the paper states, what is unknown and what is ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

from ..backends import Measurement, make_backend
from ..benchmarks import load
from ..errors import IllegalMappingError
from ..mapping import Mapping
from ..mapping.heuristics import TOOLCHAIN_DEFAULT, toolchain_default
from ..search.run import MAPPING
from ..search.session import Session
from .plan import Contender, Plan, Scope, plan
from .runner import run_task

NAME = "pierro2026"
NETWORKS = ("mnist-deep", "mnist-wide", "halapoint-8chip")
"""Two networks of one chip, the first of ten layers, and one of several chips."""
SOLVERS = ("nested-es:start=random", "nested-es:start=toolchain")
BACKEND = "mesh"
BUDGET = 1000
SEEDS = 3
EVALUATION_S = 5.0
"""Seconds that an evaluation takes on the chip, by a second-hand report of the paper."""
PAPER_LATENCY, PAPER_EFFICIENCY = 0.35, 0.40
"""What the abstract states: latency taken off, and energy efficiency gained, each "up to"."""

Update = Callable[[str, int, int], None]
"""Called with a note, what is done, and what there is to do."""


@dataclass(frozen=True)
class StudyRow:
    """What one solver found for one network, beside the toolchain's default.

    Attributes:
        network: Name of the benchmark.
        chip: Name of its chip.
        solver: The solver with its options.
        default: Measurement of the toolchain's default.
        reference: Measurement of the fastest standard heuristic, which the paper does not have.
        found: Measurement of the best mapping of each seed.
    """

    network: str
    chip: str
    solver: str
    default: Measurement
    reference: Measurement
    found: tuple[Measurement, ...]

    @cached_property
    def latency_reductions(self) -> tuple[float, ...]:
        """Part of the default's latency that each seed has taken off."""
        return tuple(1 - one.latency_ps / self.default.latency_ps for one in self.found)

    @cached_property
    def energy_reductions(self) -> tuple[float, ...]:
        """Part of the default's energy that each seed has taken off, static power included."""
        return tuple(1 - _energy_fj(one) / _energy_fj(self.default) for one in self.found)

    @property
    def latency_reduction(self) -> float:
        """Median over the seeds."""
        return median(self.latency_reductions)

    @property
    def energy_reduction(self) -> float:
        """Median over the seeds."""
        return median(self.energy_reductions)

    @property
    def efficiency_gain(self) -> float:
        """How much more work a joule does than with the default; median over the seeds."""
        return median(1 / (1 - one) - 1 for one in self.energy_reductions)


def study(
    networks: Sequence[str], solvers: Sequence[str], budget: int, seeds: int, out: Path
) -> Plan:
    """The searches of the study; each has a directory under `out`.

    Raises:
        LoihiGymError: if a solver does not exist or stands twice, or a number is out of range.
    """
    description = "Pierro et al. 2026, simulated"
    scope = Scope(NAME, description, tuple(networks), BACKEND, {budget: seeds})
    return plan(scope, solvers, out)


def run_study(made: Plan, update: Update) -> list[StudyRow]:
    """Run what is missing of a study, and read what all of it found.

    Raises:
        LoihiGymError: if a network does not exist or the toolchain's default does not fit it, or a
            directory holds another search.
    """
    defaults = {name: _default(name) for name in made.suite.problems}
    total = sum(task.config.budget for task in made.tasks)
    done = sum(task.config.budget for task in made.tasks if task.done)
    for task in made.tasks:
        if task.done:
            continue
        config = task.config
        note = f"{task.label} on {config.benchmark}, seed {config.seed}"
        update(note, done, total)

        def tell(session: Session, note: str = note, before: int = done) -> None:
            update(note, before + session.evaluations, total)

        run_task(task, on_progress=tell)
        done += config.budget
    return [
        _row(made, network, contender, default)
        for network, default in defaults.items()
        for contender in made.contenders
    ]


def _default(network: str) -> Mapping:
    """The toolchain's mapping, which everything is held against."""
    problem = load(network)
    mapping = toolchain_default(problem)
    if mapping is None:
        raise IllegalMappingError(
            f"{network} does not fit on {problem.chip.name} with {TOOLCHAIN_DEFAULT}, the "
            "toolchain's default, so there is nothing to compare with; choose another network"
        )
    return mapping


def _row(made: Plan, network: str, contender: Contender, default: Mapping) -> StudyRow:
    backend = make_backend(made.suite.backend, load(network))
    folders = [
        task.out
        for task in made.tasks
        if (task.config.benchmark, task.label) == (network, contender.label)
    ]
    mappings = [Mapping.load(folder / MAPPING) for folder in folders]
    standard = [default, backend.problem.reference_mapping]
    first, reference, *found = backend.evaluate_batch([*standard, *mappings])
    chip = backend.problem.chip.name
    return StudyRow(network, chip, contender.label, first, reference, tuple(found))


def _energy_fj(measured: Measurement) -> int:
    assert measured.energy is not None  # `mesh` counts it
    return sum(measured.energy)
