"""`Session`: one search of one problem under a budget, and all that a solver sees of it.

A session is asked like a backend, so it can stand wherever a backend can, an environment included.
Its `ledger` counts; what is to be written down a `Listener` hears.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from ..backends import Backend, Measurement
from ..backends.assembly import restored
from ..mapping import Mapping, Problem
from ..threads import processors
from .costs import SearchCosts
from .ledger import Ledger
from .trace import short_digest


class BudgetSpent(Exception):
    """Ends a search: a solver has asked for more than its budget. Solvers let it through.

    Attributes:
        measured: Measurements of the first mappings of that call, as many as were still paid for.
    """

    def __init__(self, measured: Sequence[Measurement] = ()) -> None:
        super().__init__("the budget is spent")
        self.measured = tuple(measured)


class Listener:
    """Hears what a session does. This one does nothing; `recorder.Recorder` writes it down."""

    def begun(self, session: "Session") -> dict[str, tuple[int, ...]]:
        """The session begins; returns known step times by digest, which are not measured again."""
        return {}

    def counted(
        self, session: "Session", mapping: Mapping, digest: str, result: Measurement, improved: bool
    ) -> None:
        """An evaluation was spent on a mapping, which may have become the best."""

    def measured(self, session: "Session") -> None:
        """A few evaluations were spent; what is kept of them by now survives a kill."""

    def ended(self, session: "Session", whole: bool) -> None:
        """The session ends, by its solver's or the budget's end (`whole`) or by an error."""


class Session:
    """One search of one problem under a budget of evaluations.

    Every mapping asked for is one evaluation, a mapping asked for again included (it is not
    measured again). The reference mapping is measured once for free, since every reduction is
    against it.

    Args:
        backend: Measures the mappings.
        budget: Evaluations the solver may spend.
        seed: Seeds `rng`.
        listener: Hears every evaluation, and may know step times of an interrupted run: the solver,
            which draws from `rng` alone, asks for the same mappings and is given these.
        seconds: Wall time after which the search ends, too; None for no such limit.
        count_unique: Whether a mapping asked for again is free.

    Attributes:
        problem: What is solved.
        name: Name of the backend.
        budget: Evaluations the solver may spend, in all.
        seed: The seed of `rng`.
        rng: The solver's random generator, the only source of chance a solver should use.
        reference: Measurement of the reference mapping.
        best: The best mapping's measurement, None before the first evaluation.
        best_mapping: The first of the fastest mappings, None before the first evaluation.
        costs: What this process spends, of which the budget counts only evaluations.
    """

    def __init__(
        self,
        backend: Backend,
        budget: int,
        seed: int = 0,
        listener: Listener | None = None,
        seconds: float | None = None,
        count_unique: bool = False,
    ) -> None:
        self.problem: Problem = backend.problem
        self.name = backend.name
        self.budget = budget
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.reference = backend.evaluate(self.problem.reference_mapping)
        self.best: Measurement | None = None
        self.best_mapping: Mapping | None = None
        self.costs = SearchCosts(0, 0.0, 0.0, 0, 0.0)
        self._cpu_started = time.process_time()
        self._backend = backend
        self._at_once = processors()
        self._ledger = Ledger(budget, seconds, count_unique)
        self._listener = Listener() if listener is None else listener
        self._times = self._listener.begun(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.costs.seconds = self.seconds
        self.costs.cpu_seconds = time.process_time() - self._cpu_started
        self._listener.ended(self, error is None or isinstance(error, BudgetSpent))

    @property
    def evaluations(self) -> int:
        """Evaluations spent so far."""
        return self._ledger.spent

    @property
    def remaining(self) -> int:
        """Evaluations left; 0 once the time is up."""
        return self._ledger.remaining

    @property
    def seconds(self) -> float:
        """Wall time since the session began."""
        return self._ledger.seconds

    @property
    def reduction(self) -> float:
        """Part of the reference latency that the best mapping takes off; negative if slower."""
        if self.best is None:
            return 0.0
        return 1.0 - self.best.latency_ps / self.reference.latency_ps

    @contextmanager
    def ask_surrogate(self, calls: int) -> Iterator[None]:
        """Around code that judges `calls` mappings by something cheaper than the backend."""
        started = time.process_time()
        yield
        self.costs.surrogate_calls += calls
        self.costs.surrogate_cpu_seconds += time.process_time() - started

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; raises as `evaluate_batch` does."""
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings; one result for each, in their order.

        Raises:
            BudgetSpent: if the budget does not pay for all of them. The first ones, as many as it
                does pay for, have been measured and counted then; the exception holds the results.
            IllegalMappingError: if a mapping is illegal; none of them is charged.
            RunError: if a resumed search asks for another mapping than it did the first time, or
                what is to be written cannot be.
        """
        for mapping in mappings:
            self.problem.require(mapping)
        digests = [short_digest(mapping) for mapping in mappings]
        paid = self._ledger.affordable(digests)
        if paid is None:
            raise BudgetSpent
        batch = list(zip(mappings, digests, strict=True))[:paid]
        results: list[Measurement] = []
        for start in range(0, paid, self._at_once):
            results += self._measure(batch[start : start + self._at_once])
        if paid < len(mappings):
            raise BudgetSpent(results)
        return results

    def _measure(self, batch: Sequence[tuple[Mapping, str]]) -> list[Measurement]:
        """Measure and count mappings, with their digests; a kill loses one such call at most."""
        fresh = {digest: mapping for mapping, digest in batch if digest not in self._times}
        measured = dict(zip(fresh, self._backend.evaluate_batch(list(fresh.values())), strict=True))
        self.costs.measured += len(fresh)
        self._times |= {digest: result.step_times_ps for digest, result in measured.items()}
        results = []
        for mapping, digest in batch:
            result = measured.get(digest) or self.recount(mapping, self._times[digest])
            results.append(result)
            if not self._ledger.charge(digest):
                continue
            improved = self.best is None or result.latency_ps < self.best.latency_ps
            if improved:
                self.best, self.best_mapping = result, mapping
            self._listener.counted(self, mapping, digest, result, improved)
        self._listener.measured(self)
        return results

    def recount(self, mapping: Mapping, step_times_ps: Sequence[int]) -> Measurement:
        """A mapping's measurement by the step times that the backend found; see `restored`."""
        return restored(self.problem, mapping, step_times_ps, self.reference)
