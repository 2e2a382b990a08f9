"""One queue per client, served in turn: who asks for ten thousand mappings delays nobody."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from ..mapping import Mapping

Key = tuple[str, str, int]
"""Digests of the problem and of the mapping, and the index of the repeat."""


@dataclass(frozen=True)
class JobOutcome:
    """How a measurement ended.

    Attributes:
        step_times_ps: Time of each step; empty if it failed.
        energy_fj: Energy by cause, as in `EnergyBreakdown`; empty if it was not measured.
        reason: Why it failed; empty if it did not.
        counted: Whether it is of a Loihi; see `Measurement.counted`.
    """

    step_times_ps: tuple[int, ...] = ()
    energy_fj: tuple[int, ...] = ()
    reason: str = ""
    counted: bool = True


@dataclass(eq=False)
class Job:
    """A measurement that was asked for and is not stored yet."""

    key: Key
    mapping: Mapping
    client: str
    asked_s: float
    """When somebody last asked for it, by `time.monotonic`."""
    outcome: "asyncio.Future[JobOutcome]" = field(repr=False)

    @property
    def known(self) -> JobOutcome | None:
        """The outcome, once there is one."""
        return self.outcome.result() if self.outcome.done() else None


class FairQueue:
    """Jobs, first come first served for each client, the clients in turn."""

    def __init__(self) -> None:
        self._clients: OrderedDict[str, deque[Job]] = OrderedDict()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._clients.values())

    @property
    def clients(self) -> int:
        """Clients with at least one job."""
        return len(self._clients)

    def put(self, job: Job) -> None:
        """Queue a job; a client that had none comes last."""
        self._clients.setdefault(job.client, deque()).append(job)
        self._filled.set()

    async def take(self, most: int = 1) -> list[Job]:
        """Wait for the next client in turn and take up to `most` jobs, all of one problem."""
        await self._filled.wait()
        client, jobs = next(iter(self._clients.items()))
        taken = [jobs.popleft()]
        while jobs and len(taken) < most and jobs[0].key[0] == taken[0].key[0]:
            taken.append(jobs.popleft())
        if jobs:
            self._clients.move_to_end(client)
        else:
            del self._clients[client]
        if not self._clients:
            self._filled.clear()
        return taken
