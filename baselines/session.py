"""The search session all solvers share: it counts, keeps the incumbent, writes the trace, ends.

A solver sees only `evaluate` and `evaluate_batch`. Every measurement it asks for is one evaluation
of the budget, whoever asks and whatever the mapping; nobody counts for themselves.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from loihi_gym.backends import Backend, Measurement
from loihi_gym.mapping import Mapping, Problem

from .tensorboard import ScalarLog


class BudgetSpent(Exception):
    """Raised by a session when a solver asks for more than its budget; ends the search."""


@dataclass(frozen=True)
class Progress:
    """Where a search stands."""

    evaluations: int
    budget: int
    best_latency_ps: int
    reduction: float
    seconds: float


class Session:
    """One search of one problem under a budget of evaluations.

    The reference mapping is measured once, free of charge, since every reduction is against it.

    Args:
        backend: Measures the mappings.
        budget: Evaluations the solver may spend.
        seed: Seeds `rng`, the only source of chance a solver should use.
        out: Existing directory for ``trace.jsonl`` and the TensorBoard log; None writes nothing.
        on_progress: Called after every batch.

    Attributes:
        problem: What is solved.
        budget: As given.
        seed: As given.
        rng: The solver's random generator.
        reference: Measurement of the reference mapping.
        evaluations: Evaluations spent so far.
        best: The incumbent's measurement, None before the first evaluation.
        best_mapping: The incumbent, None before the first evaluation.
    """

    def __init__(
        self,
        backend: Backend,
        budget: int,
        seed: int = 0,
        out: Path | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.problem: Problem = backend.problem
        self.budget = budget
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.reference = backend.evaluate(self.problem.reference_mapping)
        self.evaluations = 0
        self.best: Measurement | None = None
        self.best_mapping: Mapping | None = None
        self._backend = backend
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._trace = None if out is None else (out / "trace.jsonl").open("w", encoding="utf-8")
        self._scalars = None if out is None else ScalarLog(out)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._trace is not None:
            self._trace.close()
        if self._scalars is not None:
            self._scalars.close()

    @property
    def remaining(self) -> int:
        """Evaluations left."""
        return self.budget - self.evaluations

    @property
    def reduction(self) -> float:
        """Part of the reference latency that the incumbent takes off; negative if it is slower."""
        if self.best is None:
            return 0.0
        return 1.0 - self.best.latency_ps / self.reference.latency_ps

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping.

        Raises:
            BudgetSpent: if no evaluation is left.
            IllegalMappingError: if the mapping is illegal; it costs nothing.
        """
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order; as many as the budget still allows.

        Raises:
            BudgetSpent: if no evaluation is left.
            IllegalMappingError: if a mapping is illegal; none of them is charged.
        """
        if self.remaining <= 0:
            raise BudgetSpent
        mappings = mappings[: self.remaining]
        measured = self._backend.evaluate_batch(mappings)
        for mapping, result in zip(mappings, measured, strict=True):
            self._record(mapping, result)
        self._flush()
        return measured

    def _record(self, mapping: Mapping, result: Measurement) -> None:
        self.evaluations += 1
        improved = self.best is None or result.latency_ps < self.best.latency_ps
        if improved:
            self.best, self.best_mapping = result, mapping
        if self._trace is not None:
            line: dict[str, object] = {
                "evaluation": self.evaluations,
                "latency_ps": result.latency_ps,
            }
            if improved:
                line["cores_per_layer"] = mapping.cores_per_layer.tolist()
                line["placement"] = mapping.placement.tolist()
            self._trace.write(json.dumps(line, separators=(",", ":")) + "\n")
        if self._scalars is not None:
            assert self.best is not None
            self._scalars.add("latency_us", result.latency_ps * 1e-6, self.evaluations)
            if improved:
                self._scalars.add("best/latency_us", result.latency_ps * 1e-6, self.evaluations)
                self._scalars.add("best/reduction", self.reduction, self.evaluations)
                self._scalars.add("best/energy_uj", result.energy_fj * 1e-9, self.evaluations)

    def _flush(self) -> None:
        if self._trace is not None:
            self._trace.flush()
        if self._on_progress is not None and self.best is not None:
            seconds = time.monotonic() - self._started
            self._on_progress(
                Progress(
                    self.evaluations, self.budget, self.best.latency_ps, self.reduction, seconds
                )
            )
