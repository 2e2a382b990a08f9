"""`EpisodeTask`: a problem, what measures it, and the reference that rewards are relative to."""

import math
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from ..arrays import Int32Array
from ..backends import Backend, make_backend
from ..errors import LoihiGymError, MeasurementError
from ..mapping import Mapping, Problem
from ..mapping.recent import Recent
from .measured_mapping import (
    Evaluated,
    MeasuredMapping,
    Partition,
    PlacedMapping,
    Swap,
    after,
    placed_mapping,
)
from .objective import Objective, find_objective, is_named
from .problem_source import KEPT, Benchmark, Problems

DEFAULT_BENCHMARK = "mlp-deep"

BackendChoice = str | Backend | Callable[[Problem], Backend]
"""What the argument `backend` of an environment may be: a name or address, a backend, a maker."""


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
        self._named = is_named(objective)
        self._places = hasattr(backend, "place")
        self._max_layers = max_layers
        self._partitions: Recent[bytes, Partition] = Recent(64)
        self._fits: Recent[tuple[int, int, int], bool] = Recent(1 << 16)
        self.reference = self._measure_reference()
        self.scale = self.value(self.reference)

    def _measure_reference(self) -> MeasuredMapping:
        mapping = self.problem.reference_mapping
        known = getattr(self.backend, "reference", None)  # a search session has measured it
        if known is not None:
            return Evaluated(self.partition(mapping.cores_per_layer), mapping, known)
        return self.evaluate(mapping)

    def partition(self, counts: Int32Array) -> Partition:
        """What those cores per layer fix; the last ones are kept."""
        return self._partitions.get(
            counts.tobytes(), lambda: Partition(self.problem, counts, self._max_layers)
        )

    def evaluate(self, mapping: Mapping) -> MeasuredMapping:
        """Measure a mapping.

        Raises:
            MeasurementError: if the backend fails.
            IllegalMappingError: if the mapping is illegal.
        """
        if self._places:
            self.problem.require(mapping)
            return placed_mapping(self.partition(mapping.cores_per_layer), self.backend, mapping)
        measurement = self.backend.evaluate(mapping)
        return Evaluated(self.partition(mapping.cores_per_layer), mapping, measurement)

    def change(self, measured: MeasuredMapping, change: Swap | Mapping) -> MeasuredMapping:
        """Measure what a mapping becomes; as `evaluate`."""
        if isinstance(measured, PlacedMapping) and isinstance(change, Swap):
            return measured.swapped(change)
        return self.evaluate(after(measured, change))

    def evaluate_all(self, mappings: Sequence[Mapping]) -> list[MeasuredMapping | MeasurementError]:
        """Measure several mappings at once; one that fails does not take the others with it."""
        if self._places or len(mappings) == 1:
            return [self._try(mapping) for mapping in mappings]
        try:
            results = self.backend.evaluate_batch(mappings)
        except MeasurementError:
            return [self._try(mapping) for mapping in mappings]
        return [
            Evaluated(self.partition(mapping.cores_per_layer), mapping, result)
            for mapping, result in zip(mappings, results, strict=True)
        ]

    def _try(self, mapping: Mapping) -> MeasuredMapping | MeasurementError:
        try:
            return self.evaluate(mapping)
        except MeasurementError as error:
            return error

    def value(self, measured: MeasuredMapping) -> float:
        """The objective of a measured mapping.

        Raises:
            LoihiGymError: if it is not a positive number: rewards are relative to the reference's.
        """
        if self._named:  # the figures of the incremental bound are all they look at
            return self.objective(measured)  # type: ignore[arg-type]
        value = float(self.objective(measured.measurement))
        if not (value > 0.0 and math.isfinite(value)):
            raise LoihiGymError(f"objective {self.objective!r} gave {value}: it must be positive")
        return value

    def fits(self, layer: int, counts: Int32Array) -> bool:
        """As `Problem.fits`, remembered."""
        following = int(counts[layer + 1]) if layer + 1 < len(counts) else 0
        key = (layer, int(counts[layer]), following)
        return self._fits.get(key, lambda: self.problem.fits(layer, counts))


class EpisodeTasks:
    """Draws the task of an episode; environments that are forks of each other share one.

    Args:
        benchmark: See `Benchmark`; None for the backend's problem, or `DEFAULT_BENCHMARK`.
        backend: See `BackendChoice`.
        objective: Name of an objective, or a function of a `Measurement`.
        max_layers: Layers that observations have room for.
    """

    def __init__(
        self,
        benchmark: Benchmark | None,
        backend: BackendChoice,
        objective: str | Objective,
        max_layers: int,
    ) -> None:
        if isinstance(backend, str | type) or not hasattr(backend, "evaluate"):
            self.problems = Problems(DEFAULT_BENCHMARK if benchmark is None else benchmark)
        else:
            self.problems = Problems(_problem_of(cast(Backend, backend), benchmark))
        if not (isinstance(backend, str) or callable(backend) or hasattr(backend, "evaluate")):
            raise LoihiGymError(
                f"backend {backend!r} is neither a name, nor a Backend, nor a function to make one"
            )
        self._backend = backend
        self._objective = find_objective(objective)
        self._max_layers = max_layers
        self._tasks: Recent[Problem, EpisodeTask] = Recent(KEPT)

    def draw(self, rng: np.random.Generator) -> EpisodeTask:
        """The next episode's task."""
        return self.of(self.problems.draw(rng))

    def of(self, problem: Problem) -> EpisodeTask:
        """The task of a problem."""
        return self._tasks.get(
            problem,
            lambda: EpisodeTask(problem, self._make(problem), self._objective, self._max_layers),
        )

    def _make(self, problem: Problem) -> Backend:
        if isinstance(self._backend, str):
            return make_backend(self._backend, problem)
        if isinstance(self._backend, type) or not hasattr(self._backend, "evaluate"):
            return self._backend(problem)
        return cast(Backend, self._backend)


def _problem_of(backend: Backend, benchmark: object) -> Benchmark:
    """The problem that a given backend measures, if the benchmark asked for is that one."""
    problem: Problem = backend.problem
    if benchmark is not None and benchmark is not problem and benchmark != problem.name:
        raise LoihiGymError(
            f"the backend given measures {problem.name!r} alone; for other benchmarks pass a "
            "name or a function from a Problem to a Backend"
        )
    return problem
