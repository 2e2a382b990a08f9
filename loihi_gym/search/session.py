"""The search session all solvers share: it counts, keeps the incumbent, writes the trace, ends.

A solver sees `evaluate` and `evaluate_batch`, so that a session can stand wherever a backend can,
an environment included. What it asks for is counted by one rule, whoever asks: every mapping asked
for is one evaluation, a mapping asked for again included (it is not measured again). With
`count_unique`, the second time is free.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from .. import drawing
from ..backends import Backend, Measurement
from ..backends.assembly import assemble, busy_times
from ..errors import RunError
from ..mapping import Mapping, Problem
from ..threads import processors
from .event_log import ScalarLog
from .trace import NAME, Evaluation, append_to, read_trace, short_digest

FREE_REPEATS = 100
"""With `count_unique`: repeats per evaluation of the budget after which a search is over."""
PICTURES = 4.0
"""The incumbent is drawn again after this many times the evaluations; drawing takes a while."""


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


@dataclass(frozen=True)
class Pretraining:
    """What a policy that a search began with has cost, when it was trained.

    Attributes:
        policy: Digest of its weights: searches that share a policy share this cost.
        calls: Mappings judged to train it.
        cpu_seconds: CPU time of that.
    """

    policy: str
    calls: int
    cpu_seconds: float


@dataclass
class SurrogateUse:
    """What a solver has asked a surrogate, beside its budget.

    Attributes:
        calls: Mappings judged.
        cpu_seconds: CPU time of this process spent on it.
        pretraining: What was learnt before the search, None for nothing; not of `calls`.
    """

    calls: int = 0
    cpu_seconds: float = 0.0
    pretraining: Pretraining | None = None


class Session:
    """One search of one problem under a budget of evaluations.

    The reference mapping is measured once, free of charge, since every reduction is against it.
    If `out` holds the trace of an interrupted run, its evaluations are not measured again: the
    solver, which draws from `rng` alone, asks for the same mappings and is given what was measured.

    Args:
        backend: Measures the mappings.
        budget: Evaluations the solver may spend.
        seed: Seeds `rng`, the only source of chance a solver should use.
        out: Existing directory for ``trace.jsonl`` and the TensorBoard log; None writes nothing.
        on_progress: Called after every few evaluations.
        seconds: Wall time after which the search ends, too; None for no such limit.
        count_unique: Whether a mapping asked for again is free.

    Attributes:
        problem: What is solved.
        name: Of the backend.
        budget: As given.
        seed: As given.
        rng: The solver's random generator.
        reference: Measurement of the reference mapping.
        evaluations: Evaluations spent so far.
        measured: Mappings that the backend was asked to measure, the reference left out.
        best: The incumbent's measurement, None before the first evaluation.
        best_mapping: The incumbent, None before the first evaluation.
        surrogate: What was asked of surrogates, which no budget counts.
        cpu_seconds: CPU time of this process between the session's beginning and end.
    """

    def __init__(
        self,
        backend: Backend,
        budget: int,
        seed: int = 0,
        out: Path | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        seconds: float | None = None,
        count_unique: bool = False,
    ) -> None:
        self.problem: Problem = backend.problem
        self.name = backend.name
        self.budget = budget
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.reference = backend.evaluate(self.problem.reference_mapping)
        self.evaluations = self.measured = 0
        self.best: Measurement | None = None
        self.best_mapping: Mapping | None = None
        self.surrogate = SurrogateUse()
        self.cpu_seconds = 0.0
        self._cpu_started = time.process_time()
        self._backend = backend
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._seconds = seconds
        self._count_unique = count_unique
        self._repeats = 0
        self._asked: set[str] = set()
        self._at_once = processors()
        self._recorded = [] if out is None else read_trace(out / NAME)
        self._times = {line.digest: line.step_times_ps for line in self._recorded}
        self._trace = None if out is None else append_to(out / NAME)
        self._scalars = None if out is None else ScalarLog(out)
        self._next_picture = 1.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cpu_seconds = time.process_time() - self._cpu_started
        if self._trace is not None:
            self._trace.close()
        if self._scalars is not None:
            if error is None or isinstance(error, BudgetSpent):
                self._draw()
            self._scalars.close()

    @property
    def remaining(self) -> int:
        """Evaluations left; 0 once the time is up."""
        if self._seconds is not None and self.seconds >= self._seconds:
            return 0
        return self.budget - self.evaluations

    @property
    def seconds(self) -> float:
        """Wall time since the session began."""
        return time.monotonic() - self._started

    @property
    def reduction(self) -> float:
        """Part of the reference latency that the incumbent takes off; negative if it is slower."""
        if self.best is None:
            return 0.0
        return 1.0 - self.best.latency_ps / self.reference.latency_ps

    @contextmanager
    def ask_surrogate(self, calls: int) -> Iterator[None]:
        """Around code that judges `calls` mappings by something cheaper than the backend."""
        started = time.process_time()
        yield
        self.surrogate.calls += calls
        self.surrogate.cpu_seconds += time.process_time() - started

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
            RunError: if a resumed search asks for another mapping than it did the first time.
        """
        for mapping in mappings:
            self.problem.require(mapping)
        digests = [short_digest(mapping) for mapping in mappings]
        batch = list(zip(mappings, digests, strict=True))[: self._affordable(digests)]
        results = []
        for start in range(0, len(batch), self._at_once):
            results += self._measure(batch[start : start + self._at_once])
        return results

    def _measure(self, batch: Sequence[tuple[Mapping, str]]) -> list[Measurement]:
        """Measure and note mappings, with their digests; what a kill loses is one such call."""
        fresh = {digest: mapping for mapping, digest in batch if digest not in self._times}
        measured = dict(zip(fresh, self._backend.evaluate_batch(list(fresh.values())), strict=True))
        self.measured += len(fresh)
        self._times |= {digest: result.step_times_ps for digest, result in measured.items()}
        results = []
        for mapping, digest in batch:
            result = measured.get(digest) or self.recount(mapping, self._times[digest])
            self._count(mapping, digest, result)
            results.append(result)
        self._report()
        return results

    def _affordable(self, digests: Sequence[str]) -> int:
        """How many of the next mappings the budget pays for, from the first on."""
        if self.remaining <= 0 or self._repeats > FREE_REPEATS * self.budget:
            raise BudgetSpent
        if not self._count_unique:
            return self.remaining
        new: set[str] = set()
        for position, digest in enumerate(digests):
            if digest not in self._asked:
                new.add(digest)
            if len(new) > self.remaining:
                return position
        return len(digests)

    def recount(self, mapping: Mapping, step_times_ps: Sequence[int]) -> Measurement:
        """A mapping's measurement where step times alone are taken from the backend.

        The rest, the energy too, follows from counts: a chip may measure another, or none.
        """
        step_ps = np.array(step_times_ps, np.int64)
        return assemble(self.problem, mapping, busy_times(self.problem, mapping), step_ps)

    def _count(self, mapping: Mapping, digest: str, result: Measurement) -> None:
        if self._count_unique and digest in self._asked:
            self._repeats += 1
            return
        self._asked.add(digest)
        self.evaluations += 1
        improved = self.best is None or result.latency_ps < self.best.latency_ps
        if improved:
            self.best, self.best_mapping = result, mapping
        replayed = self.evaluations <= len(self._recorded)
        if replayed:
            self._check_replay(digest)
        if self._scalars is not None:
            self._log(result, improved)
            if self.evaluations >= len(self._recorded):
                self._scalars.replace()
        if self._trace is not None and not replayed:
            kept = mapping if improved else None
            line = Evaluation(self.evaluations, digest, result.step_times_ps, kept)
            self._trace.write(line.to_json() + "\n")

    def _check_replay(self, digest: str) -> None:
        recorded = self._recorded[self.evaluations - 1].digest
        if recorded != digest:
            raise RunError(
                f"evaluation {self.evaluations} of the trace is of mapping {recorded}, but the "
                f"search now asks for {digest}: the run was begun with another version"
            )

    def _log(self, result: Measurement, improved: bool) -> None:
        assert self._scalars is not None
        self._scalars.add("latency_us", result.latency_ps * 1e-6, self.evaluations)
        if improved:
            self._scalars.add("best/latency_us", result.latency_ps * 1e-6, self.evaluations)
            self._scalars.add("best/reduction", self.reduction, self.evaluations)
            self._scalars.add("best/energy_uj", result.energy_fj * 1e-9, self.evaluations)

        if improved and self.evaluations >= self._next_picture:
            self._draw()

    def _draw(self) -> None:
        """The incumbent on the mesh, for TensorBoard; nothing without matplotlib."""
        if self._scalars is None or self.best is None or self.best_mapping is None:
            return
        self._next_picture = PICTURES * self.evaluations
        if find_spec("matplotlib") is None:
            return
        picture = drawing.picture(self.problem, self.best_mapping, self.best, self.reference)
        self._scalars.add_picture("best/mesh", picture, self.evaluations)

    def _report(self) -> None:
        if self._trace is not None:
            self._trace.flush()
        if self._on_progress is not None and self.best is not None:
            self._on_progress(
                Progress(
                    self.evaluations,
                    self.budget,
                    self.best.latency_ps,
                    self.reduction,
                    self.seconds,
                )
            )
