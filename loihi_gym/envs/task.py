"""`EpisodeTask`: a problem, what measures it, and the reference that rewards are relative to."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

import numpy as np

from ..arrays import Float32Array, Int32Array
from ..backends import Backend, Measurement, make_backend
from ..backends.congestion import Congestion
from ..backends.robust import RobustBackend
from ..chip.hypotheses import Hypotheses, load_hypotheses
from ..errors import LoihiGymError, MeasurementError, one_line
from ..mapping import Mapping, Problem
from ..mapping.recent import Recent
from .arguments import EnvArguments
from .checks import shown
from .chip_features import chip_features
from .chip_source import Chips, on_chip
from .measured_mapping import (
    BoundMeasured,
    Change,
    Evaluated,
    MeasuredMapping,
    Partition,
    PlacedMapping,
    Swap,
    Unmeasured,
    after,
)
from .objective import OBJECTIVES, Objective, find_objective
from .problem_source import KEPT, Benchmark, Problems

DEFAULT_BENCHMARK = "mlp-deep"
KEPT_ON_CHIPS = 64
"""Tasks that are kept where chips are drawn: each has a problem of its own, of some MB."""


class EpisodeTask:
    """One problem to be solved. Keeps what it works out for the partitionings it meets.

    Attributes:
        problem: What is solved.
        backend: What measures.
        objective: What is to be made small.
        drawn: What the benchmark gave; `problem` is on another chip or on several.
        hypothesis: Name of the chip that was drawn; None unless chips are.
        evaluations_each: Evaluations that measuring one mapping counts as.
        reference: The reference mapping, measured.
        scale: The reference's objective.
    """

    def __init__(
        self,
        problem: Problem,
        backend: Backend,
        objective: Objective,
        max_layers: int,
        *,
        drawn: Problem | None = None,
        hypothesis: str | None = None,
    ) -> None:
        self.problem = problem
        self.backend = backend
        self.drawn = problem if drawn is None else drawn
        self.hypothesis = hypothesis
        self.evaluations_each: int = getattr(backend, "evaluations_each", 1)
        self.objective = objective
        self._named = objective in OBJECTIVES.values()
        self._places = hasattr(backend, "place")
        self._max_layers = max_layers
        self._partitions: Recent[bytes, Partition] = Recent(64)
        self._fits: Recent[tuple[int, int, int], bool] = Recent(1 << 16)
        # A search session has measured the reference already.
        known = getattr(backend, "reference", None)
        self.reference = self.evaluate(problem.reference_mapping, known)
        self.scale = self.value(self.reference)

    @cached_property
    def chip_features(self) -> Float32Array:
        """What observations say of the chip, if they do."""
        return chip_features(self.problem.chip)

    @cached_property
    def congestion(self) -> Congestion:
        """What counts how messages meet, for descriptions of moves."""
        return Congestion(self.problem)

    def partition(self, counts: Int32Array) -> Partition:
        """What those cores per layer fix; the last ones are kept."""
        return self._partitions.get(
            counts.tobytes(), lambda: Partition(self.problem, counts, self._max_layers)
        )

    def evaluate(self, mapping: Mapping, known: Measurement | None = None) -> MeasuredMapping:
        """Measure a mapping, unless its measurement is known.

        Raises:
            MeasurementError: if the backend fails.
            IllegalMappingError: if the mapping is illegal.
        """
        backend: Any = self.backend
        if known is not None or not self._places:
            measurement = backend.evaluate(mapping) if known is None else known
            return Evaluated(self.partition(mapping.cores_per_layer), mapping, measurement)
        self.problem.require(mapping)
        partition, placed = self.partition(mapping.cores_per_layer), backend.place(mapping)
        if getattr(backend, "compiled", False):
            return BoundMeasured(partition, backend, placed.tables, placed.state, placed.latency_ps)
        return PlacedMapping(partition, backend, placed)

    def change(
        self, measured: MeasuredMapping, change: Change
    ) -> MeasuredMapping | MeasurementError:
        """Measure what a mapping becomes; the error is returned if the backend fails."""
        if isinstance(change, MeasuredMapping):
            return change
        try:
            if isinstance(measured, PlacedMapping) and isinstance(change, Swap):
                return measured.swapped(change)
            return self.evaluate(after(measured, change))
        except MeasurementError as error:
            return error

    def unmeasured(
        self, measured: MeasuredMapping, change: Swap | Mapping, last: MeasuredMapping
    ) -> Unmeasured:
        """What a mapping becomes, without measuring it; `last` is what was measured last."""
        mapping = after(measured, change)
        return Unmeasured(mapping, self.partition(mapping.cores_per_layer), last)

    def change_all(
        self, changes: Sequence[tuple[MeasuredMapping, Change]]
    ) -> list[MeasuredMapping | MeasurementError]:
        """As `change`, of several mappings at once; one that fails takes no other with it."""
        mappings = [
            after(measured, change)
            for measured, change in changes
            if not isinstance(change, MeasuredMapping)
        ]
        if self._places or len(mappings) < 2:
            return [self.change(*one) for one in changes]
        try:
            results = iter(self.backend.evaluate_batch(mappings))
        except MeasurementError:
            return [self.change(*one) for one in changes]
        return [
            change
            if isinstance(change, MeasuredMapping)
            else self.evaluate(after(measured, change), next(results))
            for measured, change in changes
        ]

    def value(self, measured: MeasuredMapping) -> float:
        """The objective of a measured mapping.

        Raises:
            LoihiGymError: if it is not a positive number: rewards are relative to the reference's.
        """
        if self._named:  # a measured mapping has the two figures that these look at
            return self.objective(measured)  # type: ignore[arg-type]
        given = self.objective(measured.measurement)
        with suppress(TypeError, ValueError):
            value = float(given)
            if value > 0.0 and math.isfinite(value):
                return value
        raise LoihiGymError(
            f"objective {self.objective!r} gave {one_line(given, 60)}: it must be a positive number"
        )

    def fits(self, layer: int, counts: Int32Array) -> bool:
        """As `Problem.fits`, remembered."""
        following = int(counts[layer + 1]) if layer + 1 < len(counts) else 0
        key = (layer, int(counts[layer]), following)
        return self._fits.get(key, lambda: self.problem.fits(layer, counts))


class EpisodeTasks:
    """Draws the task of an episode; environments that are forks of each other share one.

    Args:
        arguments: What the environments are made with. No `benchmark` means the problem of the
            backend given, or `DEFAULT_BENCHMARK`.
    """

    def __init__(self, arguments: EnvArguments) -> None:
        benchmark = arguments.benchmark
        chips = arguments.chips
        hypotheses = load_hypotheses(chips) if isinstance(chips, str) else chips
        self._chips = Chips(hypotheses) if hypotheses and arguments.randomize_chip else None
        self._make: Callable[[Problem], Backend]
        if hypotheses is None:
            self._make = _maker(arguments.backend)
            benchmark = _benchmark_for(arguments.backend, benchmark)
        else:
            self._make = _maker_on_chips(arguments.backend, hypotheses, arguments.randomize_chip)
        self.problems = Problems(
            DEFAULT_BENCHMARK if benchmark is None else benchmark, arguments.max_layers
        )
        self._objective = find_objective(arguments.objective)
        self._max_layers = arguments.max_layers
        self._tasks: dict[tuple[Problem, str | None], EpisodeTask] = {}
        self._kept = KEPT if self._chips is None else KEPT_ON_CHIPS

    @property
    def first(self) -> EpisodeTask:
        """A task to take the shapes from: of the first problem, on the first chip of a set."""
        problem = self.problems.first
        return self.of(problem, next(iter(self._chips.of(problem))) if self._chips else None)

    def draw(
        self, rng: np.random.Generator, benchmark: Any = None, chip: Any = None
    ) -> EpisodeTask:
        """The next episode's task.

        Args:
            rng: Draws the problem, then its chip if these are drawn.
            benchmark: The problem, or its name; None to draw one.
            chip: Name of the chip; None to draw one.

        Raises:
            LoihiGymError: if there is no such problem or chip, or the problem's mesh is another.
        """
        problem = self.problems.draw(rng) if benchmark is None else self.problems.named(benchmark)
        return self.of(problem, self._chips.name(problem, chip, rng) if self._chips else None)

    def of(self, drawn: Problem, hypothesis: str | None = None) -> EpisodeTask:
        """The task of a problem, on the chip of that name where chips are drawn."""
        # Not a `Recent`: while a slow backend measures the reference, others must get at theirs.
        key = drawn, hypothesis
        if key not in self._tasks:
            self._tasks[key] = self._task(drawn, hypothesis)
            if len(self._tasks) > self._kept:
                del self._tasks[next(iter(self._tasks))]
        return self._tasks[key]

    def _task(self, drawn: Problem, hypothesis: str | None) -> EpisodeTask:
        problem = drawn
        if self._chips is not None and hypothesis is not None:
            problem = on_chip(drawn, self._chips.of(drawn)[hypothesis].chip)
        backend = self._make(problem)
        if isinstance(backend, RobustBackend):
            problem = backend.problem  # what is legal there is legal on every chip
        return EpisodeTask(
            problem, backend, self._objective, self._max_layers, drawn=drawn, hypothesis=hypothesis
        )


def _maker(backend: Any) -> Callable[[Problem], Backend]:
    """What makes the backend of a problem, from the argument of that name."""
    if isinstance(backend, str):
        return partial(make_backend, backend)
    if _is_backend(backend):
        return lambda problem: backend
    if callable(backend):
        made: Callable[[Problem], Backend] = backend
        return made
    raise LoihiGymError(
        f"backend {backend!r} is neither a name, nor a Backend, nor a function to make one"
    )


def _maker_on_chips(
    backend: Any, hypotheses: Hypotheses, randomize_chip: bool
) -> Callable[[Problem], Backend]:
    """What makes the backend of a problem on all chips of a set, or on one that is drawn.

    Raises:
        LoihiGymError: if the backend cannot be made for each of the chips.
    """
    if isinstance(backend, str) and backend == RobustBackend.name:
        raise LoihiGymError(
            "backend 'robust' has a set of chips of its own: with chips= name what measures on "
            "each, such as 'mesh'"
        )
    if randomize_chip:
        if _is_backend(backend):
            raise LoihiGymError(
                f"backend {shown(backend)} measures on one chip alone: with randomize_chip pass a "
                "name or a function from a Problem to a Backend"
            )
        return _maker(backend)
    if not isinstance(backend, str):
        raise LoihiGymError(
            f"backend {shown(backend)} is no name: with chips= give the name of the backend that "
            "measures on each, such as 'mesh'"
        )
    return partial(RobustBackend, hypotheses=hypotheses, measure_by=backend)


def _benchmark_for(backend: Any, benchmark: Benchmark | None) -> Benchmark | None:
    """The benchmark given, or the problem of the backend given.

    Raises:
        LoihiGymError: if that measures another one.
    """
    if not _is_backend(backend):
        return benchmark
    if benchmark not in (None, backend.problem.name) and benchmark is not backend.problem:
        raise LoihiGymError(
            f"the backend given measures {backend.problem.name!r} alone; for other "
            "benchmarks pass a name or a function from a Problem to a Backend"
        )
    problem: Problem = backend.problem
    return problem


def _is_backend(backend: Any) -> bool:
    """Whether it is a backend, and not what makes one."""
    return hasattr(backend, "evaluate") and not isinstance(backend, type)
