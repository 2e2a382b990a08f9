"""The server's end of the process that measures: starts it, limits its time, kills it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
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


class MeasuringProcessError(Exception):
    """The worker failed; the message is a reason for those who wait."""


class MeasuringProcess:
    """A process that measures with one backend.

    Args:
        backend: Name of the backend.
        options: What it takes besides; see `make_backend`.
        measure_s: Time one measurement may take.
        counters: Where starts are counted.
        command: What to start instead of ``loihi_gym.server.worker``, for tests.

    Attributes:
        backend: As given.
        repeatable: Whether a mapping measured again gives the same integers.
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
        self._command = command or (sys.executable, *words)
        self._measure_s = measure_s
        self._counters = counters
        self._process: asyncio.subprocess.Process | None = None

    async def measure(self, problem: Path, mappings: Sequence[Mapping]) -> list[JobOutcome]:
        """Measure mappings of one problem; failures are outcomes with a reason, never errors."""
        pairs = [[m.cores_per_layer.tolist(), m.placement.tolist()] for m in mappings]
        request = json.dumps({"problem": str(problem), "mappings": pairs})
        try:
            process = await self._running()
            assert process.stdin is not None
            process.stdin.write(request.encode() + b"\n")
            await process.stdin.drain()
            results = (await self._line(process, self._measure_s * len(mappings)))["results"]
            if len(results) != len(mappings):
                raise MeasuringProcessError(
                    f"the worker gave {len(results)} results for {len(mappings)}"
                )
            return [_outcome(result) for result in results]
        except BaseException as error:
            await self.close()
            if isinstance(error, MeasuringProcessError):
                reason = str(error)
            elif isinstance(error, (BrokenPipeError, ConnectionResetError)):
                reason = "the worker ended"
            elif isinstance(error, (KeyError, TypeError, ValueError)):
                reason = f"the worker's reply is malformed: {error!r}"
            else:
                raise
            return [JobOutcome(reason=reason)] * len(mappings)

    async def close(self) -> None:
        """End the worker: ask it, then kill its process group."""
        process, self._process = self._process, None
        if process is None:
            return
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, kind)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE_S)
                break
        # What the worker itself started must not outlive it either.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        await self.close()
        self._counters["worker_starts_total"] += 1
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
            raise MeasuringProcessError(f"the worker took longer than {limit_s:g} s") from error
        if not line.endswith(b"\n"):
            raise MeasuringProcessError("the worker ended without an answer")
        reply = json.loads(line)
        if not isinstance(reply, dict):
            raise MeasuringProcessError("the worker's reply is malformed")
        return reply


def _outcome(result: dict[str, Any]) -> JobOutcome:
    if "reason" in result:
        return JobOutcome(reason=str(result["reason"]) or "failed")
    times = tuple(int(time) for time in result["step_times_ps"])
    energies = tuple(int(energy) for energy in result["energy_fj"])
    return JobOutcome(times, energies, counted=bool(result.get("counted", True)))
