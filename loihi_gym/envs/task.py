"""`EpisodeTask`: a problem, what measures it, and the reference that rewards are relative to."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from ..arrays import Int32Array
from ..backends import Backend, Measurement, make_backend
from ..errors import LoihiGymError, MeasurementError, one_line
from ..mapping import Mapping, Problem
from ..mapping.recent import Recent
from .arguments import EnvArguments
from .measured_mapping import (
    BoundMeasured,
    Change,
    Evaluated,
    MeasuredMapping,
    Partition,
    PlacedMapping,
    Swap,
    after,
)
from .objective import OBJECTIVES, Objective, find_objective
from .problem_source import KEPT, Problems

DEFAULT_BENCHMARK = "mlp-deep"


class EpisodeTask:
    """One problem to be solved. Keeps what it works out for the partitionings it meets.

    Attributes:
        problem: What is solved.
        backend: What measures.
        objective: What is to be made small.
        reference: The reference mapping, measured.
        scale: The reference's objective.
    """

    def __init__(
        self, problem: Problem, backend: Backend, objective: Objective, max_layers: int
    ) -> None:
        self.problem = problem
        self.backend = backend
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
        backend: Any = arguments.backend
        benchmark = arguments.benchmark
        self._make: Callable[[Problem], Backend]
        if isinstance(backend, str):
            self._make = partial(make_backend, backend)
        elif hasattr(backend, "evaluate") and not isinstance(backend, type):
            self._make = lambda problem: backend
            if benchmark not in (None, backend.problem.name) and benchmark is not backend.problem:
                raise LoihiGymError(
                    f"the backend given measures {backend.problem.name!r} alone; for other "
                    "benchmarks pass a name or a function from a Problem to a Backend"
                )
            benchmark = backend.problem
        elif callable(backend):
            self._make = backend
        else:
            raise LoihiGymError(
                f"backend {backend!r} is neither a name, nor a Backend, nor a function to make one"
            )
        self.problems = Problems(DEFAULT_BENCHMARK if benchmark is None else benchmark)
        self._objective = find_objective(arguments.objective)
        self._max_layers = arguments.max_layers
        self._tasks: dict[Problem, EpisodeTask] = {}

    def draw(self, rng: np.random.Generator) -> EpisodeTask:
        """The next episode's task."""
        return self.of(self.problems.draw(rng))

    def of(self, problem: Problem) -> EpisodeTask:
        """The task of a problem."""
        # Not a `Recent`: while a slow backend measures the reference, others must get at theirs.
        if problem not in self._tasks:
            task = EpisodeTask(problem, self._make(problem), self._objective, self._max_layers)
            self._tasks[problem] = task
            if len(self._tasks) > KEPT:
                del self._tasks[next(iter(self._tasks))]
        return self._tasks[problem]
