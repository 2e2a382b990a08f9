"""What was asked for, what is measured next, and who waits for it.

All of it runs in one event loop, so nothing here needs a lock.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence

from ..mapping import Mapping
from .limits import Limits
from .metrics import Counters
from .queue import FairQueue, Job, JobOutcome, Key
from .store import ProblemStore, ResultStore
from .worker_client import MeasuringProcess

TOGETHER = 32
"""Mappings that a simulating backend is given at once; a board measures one at a time."""


class QueueFullError(Exception):
    """Too many measurements wait."""


class Service:
    """A worker, a queue ahead of it and the results behind it.

    Attributes:
        worker: Measures.
        problems: Stored problems.
        results: Stored results.
        queue: What waits.
        counters: What happened so far.
        limits: As given.
    """

    def __init__(
        self,
        worker: MeasuringProcess,
        problems: ProblemStore,
        results: ResultStore,
        counters: Counters,
        limits: Limits,
    ) -> None:
        self.worker = worker
        self.problems = problems
        self.results = results
        self.counters = counters
        self.limits = limits
        self.queue = FairQueue()
        self._began_s = time.monotonic()
        self._jobs: dict[Key, Job] = {}
        self._failed: OrderedDict[Key, tuple[float, JobOutcome]] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    @property
    def healthy(self) -> bool:
        """Whether anybody measures what is queued."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin to measure what is queued."""
        self._task = asyncio.create_task(self._measure_all())

    async def stop(self) -> None:
        """End the worker and leave the queue as it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.worker.close()
        self.results.close()

    def ask(self, client: str, problem: str, mapping: Mapping, repeat: int) -> JobOutcome | Job:
        """A stored result, or the job that will make it, queued now unless it already was.

        Whoever asks again keeps a job alive. A failure is told once; asking again after that
        measures again.

        Raises:
            QueueFullError: if too many measurements wait.
        """
        key = (problem, mapping.digest, 0 if self.worker.repeatable else repeat)
        stored = self.results.get(key)
        if stored is not None:
            self.counters["reused_total"] += 1
            return stored
        if key in self._failed:
            return self._failed.pop(key)[1]
        now = time.monotonic()
        job = self._jobs.get(key)
        if job is None:
            if len(self._jobs) >= self.limits.queued:
                self.counters["busy_total"] += 1
                raise QueueFullError(f"{self.limits.queued} measurements wait already")
            outcome = asyncio.get_running_loop().create_future()
            job = self._jobs[key] = Job(key, mapping, client, now, outcome)
            self.queue.put(job)
        job.asked_s = now
        return job

    async def wait(
        self, asked: Sequence[JobOutcome | Job], wait_s: float
    ) -> list[JobOutcome | None]:
        """The outcomes there are after `wait_s`, sooner if all are there; None for the others."""
        jobs = [one for one in asked if isinstance(one, Job)]
        pending = {job.outcome for job in jobs if not job.outcome.done()}
        if pending:
            await asyncio.wait(pending, timeout=wait_s)
        now = time.monotonic()
        for job in jobs:
            job.asked_s = now
            if job.outcome.done():
                self._failed.pop(job.key, None)  # it is told now
        return [one.known if isinstance(one, Job) else one for one in asked]

    def metrics(self) -> Counters:
        """Every metric."""
        return {
            **self.counters,
            "queued": len(self.queue),
            "clients": self.queue.clients,
            "problems": len(self.problems),
            "results": len(self.results),
            "uptime_seconds": time.monotonic() - self._began_s,
        }

    async def _measure_all(self) -> None:
        while True:
            jobs = await self.queue.take(TOGETHER if self.worker.repeatable else 1)
            await self._measure([job for job in jobs if not self._abandoned(job)])
            self._forget_failures()

    def _abandoned(self, job: Job) -> bool:
        now = time.monotonic()
        if now - job.asked_s <= self.limits.abandon_s:
            return False
        self.counters["abandoned_total"] += 1
        self._settle(job, JobOutcome(reason="nobody asked for it any more"))
        return True

    async def _measure(self, jobs: list[Job]) -> None:
        if not jobs:
            return
        began = time.monotonic()
        path = self.problems.path(jobs[0].key[0])
        outcomes = await self.worker.measure(path, [job.mapping for job in jobs])
        self.counters["measurement_seconds_total"] += time.monotonic() - began
        for job, outcome in zip(jobs, outcomes, strict=True):
            self.counters["failures_total" if outcome.reason else "measurements_total"] += 1
            self._settle(job, outcome)

    def _settle(self, job: Job, outcome: JobOutcome) -> None:
        """Store an outcome, then tell those who wait; a failure is kept until somebody asks."""
        if outcome.reason:
            self._failed[job.key] = time.monotonic(), outcome
        else:
            self.results.add(job.key, outcome)
        del self._jobs[job.key]
        job.outcome.set_result(outcome)

    def _forget_failures(self) -> None:
        """Drop failures that nobody came to hear of."""
        now = time.monotonic()
        while self._failed:
            key, (since, _) = next(iter(self._failed.items()))
            if now - since <= self.limits.abandon_s:
                return
            del self._failed[key]
