"""One queue per client, served in turn: who asks for ten thousand mappings delays nobody."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..mapping import Mapping

Key = tuple[str, str, int]
"""Digests of the problem and of the mapping, and the index of the repeat."""


class Client(NamedTuple):
    """Whose turn it is.

    Attributes:
        owner: The named token or the machine that asks; owners have turns among each other.
        name: What it calls itself; the names of an owner share its turns.
    """

    owner: str
    name: str = ""


@dataclass(frozen=True)
class JobOutcome:
    """How a measurement ended.

    Attributes:
        step_times_ps: Time of each step; empty if it failed.
        energy_fj: Energy by cause, as in `EnergyBreakdown`; empty if it was not measured.
        reason: Why it failed; empty if it did not.
        counted: Whether it is of a Loihi; see `Measurement.counted`.
        too_slow: Whether it failed because its time was up.
    """

    step_times_ps: tuple[int, ...] = ()
    energy_fj: tuple[int, ...] = ()
    reason: str = ""
    counted: bool = True
    too_slow: bool = False


@dataclass(eq=False)
class Job:
    """A measurement that was asked for and is not stored yet."""

    key: Key
    mapping: Mapping
    client: Client
    asked_s: float
    """When somebody last asked for it, by `time.monotonic`."""
    outcome: "asyncio.Future[JobOutcome]" = field(repr=False)

    @property
    def known(self) -> JobOutcome | None:
        """The outcome, once there is one."""
        return self.outcome.result() if self.outcome.done() else None


Names = OrderedDict[str, deque[Job]]


class FairQueue:
    """Jobs, first come first served for each client; owners in turn, and the names of each."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, Names] = OrderedDict()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return sum(len(jobs) for names in self._owners.values() for jobs in names.values())

    @property
    def clients(self) -> int:
        """Clients with at least one job."""
        return sum(map(len, self._owners.values()))

    def put(self, job: Job) -> None:
        """Queue a job; a client that had none comes last."""
        names = self._owners.setdefault(job.client.owner, OrderedDict())
        names.setdefault(job.client.name, deque()).append(job)
        self._filled.set()

    async def take(self, most: Callable[[str], int] = lambda _: 1) -> list[Job]:
        """Wait for the next client in turn and take jobs of it, all of one problem.

        Args:
            most: How many to take, by the problem's digest.
        """
        await self._filled.wait()
        owner, names = next(iter(self._owners.items()))
        name, jobs = next(iter(names.items()))
        taken = [jobs.popleft()]
        problem = taken[0].key[0]
        while jobs and len(taken) < most(problem) and jobs[0].key[0] == problem:
            taken.append(jobs.popleft())
        _rotate(names, name, bool(jobs))
        _rotate(self._owners, owner, bool(names))
        if not self._owners:
            self._filled.clear()
        return taken


def _rotate(queues: OrderedDict[str, Names] | Names, name: str, more: bool) -> None:
    """Whoever had a turn comes last, or goes if nothing of it waits."""
    if more:
        queues.move_to_end(name)
    else:
        del queues[name]
