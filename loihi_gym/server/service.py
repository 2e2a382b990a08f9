"""What was asked for, what is measured next, and who waits for it.

All of it runs in one event loop, so nothing here needs a lock.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence

from ..errors import ProblemFileError, one_line
from ..mapping import Mapping
from .limits import Limits
from .metrics import Counters
from .queue import Client, FairQueue, Job, JobOutcome, Key
from .store import ProblemStore, ResultStore
from .worker_client import LineProcess, MeasuringProcess, ProcessError

TOGETHER = 32
"""Mappings that a simulating backend is given at once at most; a board measures one at a time."""
TURN_S = 1.0
"""How long a turn should take: fewer mappings of a slow problem are measured at once."""
STRIKES = 3
"""Mappings of a problem in a row that take too long, or twice as often one of them, before the
problem is left alone for a while."""
RETRY_S = 1.0
"""After which results that could not be stored are tried again."""


class BusyError(Exception):
    """Nothing can be queued now: too much waits already, or results cannot be stored."""


class Service:
    """A worker, a queue ahead of it and the results behind it.

    Attributes:
        worker: Measures.
        problems: Stored problems.
        results: Stored results.
        queue: What waits.
        counters: What happened so far.
        limits: As given.
        trouble: Why nothing can be stored now; empty if all is well.
    """

    def __init__(
        self,
        worker: MeasuringProcess,
        intake: LineProcess,
        problems: ProblemStore,
        results: ResultStore,
        counters: Counters,
        limits: Limits,
    ) -> None:
        self.worker = worker
        self._intake = intake
        self.problems = problems
        self.results = results
        self.counters = counters
        self.limits = limits
        self.queue = FairQueue()
        self.trouble = ""
        self._began_s = time.monotonic()
        self._jobs: dict[Key, Job] = {}
        self._failed: OrderedDict[Key, tuple[float, JobOutcome]] = OrderedDict()
        self._paces: dict[str, float] = {}
        self._strikes: dict[str, list[tuple[str, float]]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def illness(self) -> str:
        """Why what is queued is not measured now; empty if it is."""
        if self._task is None or self._task.done():
            return "nobody measures"
        return self.trouble

    @property
    def settled(self) -> int:
        """Measurements that ended so far, well or not."""
        return int(self.counters["measurements_total"] + self.counters["failures_total"])

    def start(self) -> None:
        """Begin to measure what is queued."""
        self._task = asyncio.create_task(self._measure_all())

    async def stop(self) -> None:
        """End the worker and leave the queue as it is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.worker.close()
        await self._intake.close()
        self.results.close()

    async def upload(self, digest: str, data: bytes) -> None:
        """Read a problem file elsewhere first, then store it under its digest.

        Raises:
            ProblemFileError: if it is malformed, too large, or another than the digest says.
            BusyError: if it cannot be stored.
        """
        path = self.problems.path(f".{digest}.{secrets.token_hex(4)}")
        try:
            await asyncio.to_thread(path.write_bytes, data)
            request = {"path": str(path.absolute()), "digest": digest}
            reason = (await self._intake.ask(request, self.limits.upload_s))["reason"]
            if reason:
                raise ProblemFileError(one_line(reason))
            needed = {key[0] for key in self._jobs}
            await asyncio.to_thread(self.problems.add, digest, path, needed)
        except OSError as error:
            raise BusyError(f"the problem cannot be stored: {error.strerror}") from error
        except ProcessError as error:
            raise ProblemFileError(f"the upload cannot be read: {error}") from error
        finally:
            path.unlink(missing_ok=True)

    def ask(self, client: Client, problem: str, mapping: Mapping, repeat: int) -> JobOutcome | Job:
        """A stored result, or the job that will make it, queued now unless it already was.

        Whoever asks again keeps a job alive. A failure is told once; asking again after that
        measures again.

        Raises:
            BusyError: if too many measurements wait, or results cannot be stored.
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
        if self.illness:
            self.counters["busy_total"] += 1
            raise BusyError(self.illness)
        if job is None:
            if self._rests(problem):
                return JobOutcome(reason=self._too_slow())
            if len(self._jobs) >= self.limits.queued:
                self.counters["busy_total"] += 1
                raise BusyError(f"{self.limits.queued} measurements wait already")
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
            jobs = await self.queue.take(self._together)
            wanted = [job for job in jobs if not self._abandoned(job)]
            try:
                await self._measure(wanted)
            except Exception as error:  # a fault of ours: whoever waits is told, and it goes on
                for job in wanted:
                    if not job.outcome.done():
                        self._settle(
                            job, JobOutcome(reason=one_line(f"the server failed: {error!r}"))
                        )
            self._forget_failures()

    def _together(self, problem: str) -> int:
        """How many mappings of a problem are measured at once."""
        if not self.worker.repeatable or problem not in self._paces:
            return 1
        return max(1, min(TOGETHER, int(TURN_S / self._paces[problem])))

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
        problem = jobs[0].key[0]
        if self._rests(problem):
            for job in jobs:
                self._settle(job, JobOutcome(reason=self._too_slow()))
            return
        began = time.monotonic()
        mappings = [job.mapping for job in jobs]
        outcomes = await self.worker.measure(self.problems.path(problem), mappings)
        took_s = time.monotonic() - began
        self.counters["measurement_seconds_total"] += took_s
        self._note_pace(jobs, took_s, outcomes)
        made = list(zip(jobs, outcomes, strict=True))
        await self._store([(job.key, one) for job, one in made if not one.reason])
        for job, outcome in made:
            self.counters["failures_total" if outcome.reason else "measurements_total"] += 1
            self._settle(job, outcome)

    def _note_pace(
        self, jobs: Sequence[Job], took_s: float, outcomes: Sequence[JobOutcome]
    ) -> None:
        """Remember how fast a problem is; one after another if the worker failed at it."""
        problem, mapping, _ = jobs[0].key
        if len(self._paces) > self.limits.stored:
            self._paces.clear()
        failed = any(one.reason for one in outcomes)
        self._paces[problem] = TURN_S if failed else max(took_s / len(jobs), 1e-6)
        if outcomes[0].too_slow:
            self._strikes.setdefault(problem, []).append((mapping, time.monotonic()))
        else:
            self._strikes.pop(problem, None)

    def _rests(self, problem: str) -> bool:
        """Whether a problem took too long again and again, and is left alone for a while."""
        strikes = self._strikes.get(problem, [])
        if strikes and time.monotonic() - strikes[-1][1] > self.limits.rest_s:
            del self._strikes[problem]
            return False
        return len({mapping for mapping, _ in strikes}) >= STRIKES or len(strikes) >= 2 * STRIKES

    def _too_slow(self) -> str:
        return (
            f"measurements of this problem took longer than {self.limits.measure_s:g} s again and "
            f"again: it is left alone for {self.limits.rest_s:g} s"
        )

    async def _store(self, made: Sequence[tuple[Key, JobOutcome]]) -> None:
        """Store results, however long that takes: a full disk loses nothing."""
        while made:
            try:
                self.results.add(made)
                break
            except OSError as error:
                self.trouble = f"results cannot be stored: {error.strerror}"
                await asyncio.sleep(RETRY_S)
        self.trouble = ""

    def _settle(self, job: Job, outcome: JobOutcome) -> None:
        """Tell those who wait; a failure is kept until somebody asks."""
        if outcome.reason:
            self._failed[job.key] = time.monotonic(), outcome
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
