"""The server's end of processes that may hang or grow: starts them, and kills them in time."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..backends import load_backend
from ..mapping import Mapping
from .metrics import Counters
from .queue import JobOutcome

LINE_LIMIT = 1 << 28
"""Longest reply in bytes."""
START_S = 120.0
GRACE_S = 5.0
"""After which a worker that was asked to end is killed."""


class ProcessError(Exception):
    """A process failed; the message is a reason for those who wait."""


class TooSlowError(ProcessError):
    """A process was ended because its time was up."""


class LineProcess:
    """A process that answers each line of JSON with one, started when it is needed.

    Args:
        what: What to call it in a reason.
        command: What to start.
        on_start: Called at each start.
    """

    def __init__(
        self, what: str, command: Sequence[str], on_start: Callable[[], object] = lambda: None
    ) -> None:
        self._what = what
        self._command = command
        self._on_start = on_start
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def ask(self, request: object, limit_s: float) -> dict[str, Any]:
        """The answer to a request; one at a time.

        Raises:
            ProcessError: if there is none in time; the process is ended then.
        """
        async with self._turn:
            try:
                process = await self._running()
                assert process.stdin is not None
                process.stdin.write(json.dumps(request).encode() + b"\n")
                await process.stdin.drain()
                return await self._line(process, limit_s)
            except BaseException as error:
                await self.close()
                if isinstance(error, (BrokenPipeError, ConnectionResetError)):
                    raise ProcessError(f"the {self._what} ended") from error
                if isinstance(error, ValueError):
                    raise ProcessError(f"the {self._what}'s reply is malformed: {error}") from error
                raise

    async def close(self) -> None:
        """End the process: ask it, then kill its process group."""
        process, self._process = self._process, None
        if process is None:
            return
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, kind)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE_S)
                break
        # What it started itself must not outlive it either.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.close()
        self._on_start()
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=LINE_LIMIT,
        )
        await self._line(self._process, START_S)
        return self._process

    async def _line(self, process: asyncio.subprocess.Process, limit_s: float) -> dict[str, Any]:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), limit_s)
        except TimeoutError as error:
            raise TooSlowError(f"the {self._what} took longer than {limit_s:g} s") from error
        if not line.endswith(b"\n"):
            raise ProcessError(f"the {self._what} ended without an answer")
        reply = json.loads(line)
        if not isinstance(reply, dict):
            raise ProcessError(f"the {self._what}'s reply is malformed")
        return reply


class MeasuringProcess:
    """A process that measures with one backend.

    Args:
        backend: Name of the backend.
        options: What it takes besides; see `make_backend`.
        measure_s: Time that one request may take.
        counters: Where starts are counted.
        command: What to start instead of ``loihi_gym.server.worker``, for tests.

    Attributes:
        backend: As given.
        repeatable: Whether a mapping measured again gives the same integers.
        close: Ends it.
    """

    def __init__(
        self,
        backend: str,
        measure_s: float,
        counters: Counters,
        command: Sequence[str] | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.backend = backend
        self.repeatable = getattr(load_backend(backend), "repeatable", False) and not options
        words = ("-m", "loihi_gym.server.worker", backend, json.dumps(options or {}))
        self._measure_s = measure_s
        self._counters = counters
        self._process = LineProcess(
            "worker", command or (sys.executable, *words), self._count_start
        )
        self.close = self._process.close

    async def measure(self, problem: Path, mappings: Sequence[Mapping]) -> list[JobOutcome]:
        """Measure mappings of one problem; failures are outcomes with a reason, never errors."""
        pairs = [[m.cores_per_layer.tolist(), m.placement.tolist()] for m in mappings]
        request = {"problem": str(problem), "mappings": pairs}
        try:
            reply = await self._process.ask(request, self._measure_s)
            outcomes = [_outcome(result) for result in reply["results"]]
            if len(outcomes) != len(mappings):
                raise ProcessError(f"the worker gave {len(outcomes)} results for {len(mappings)}")
            return outcomes
        except ProcessError as error:
            failed = JobOutcome(reason=str(error), too_slow=isinstance(error, TooSlowError))
        except (KeyError, TypeError, ValueError) as error:
            failed = JobOutcome(reason=f"the worker's reply is malformed: {error!r}")
        await self.close()
        return [failed] * len(mappings)

    def _count_start(self) -> None:
        self._counters["worker_starts_total"] += 1


def _outcome(result: dict[str, Any]) -> JobOutcome:
    if "reason" in result:
        return JobOutcome(reason=str(result["reason"]) or "failed")
    times = tuple(int(time) for time in result["step_times_ps"])
    energies = tuple(int(energy) for energy in result["energy_fj"])
    return JobOutcome(times, energies, counted=bool(result.get("counted", True)))
