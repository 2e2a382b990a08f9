"""`LavaWorker`: Lava in a process tree of its own that can always be ended without a trace.

Lava can hang, and leaks processes and shared memory when killed. So it runs in a session of its
own, every request has a wall-clock limit, and whatever goes wrong ends the whole process group,
removes what it left in /dev/shm, and is one `MeasurementError`; the next request starts anew.
"""

import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...errors import LavaSetupError, MeasurementError, one_line
from .home import worker_python

SCRIPT = Path(__file__).parent / "worker" / "main.py"
SHARED_MEMORY = Path("/dev/shm")
START_SECONDS = 60.0
KILL_SECONDS = 10.0
CHECK_SECONDS = 0.2


class LavaWorker:
    """A client of one worker, which is started by the first request.

    Args:
        limit_s: Wall-clock limit of a request that does not bring its own.
        environment: Variables to set for the worker, in addition to this process's.

    `close` ends the worker; so does the end of this object or of this process, even a killed one.
    """

    def __init__(self, limit_s: float = 300.0, environment: dict[str, str] | None = None) -> None:
        self.limit_s = limit_s
        self._environment = environment or {}
        self._running: _Running | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Process id, and session, of the worker; None if it does not run."""
        return self._running.process.pid if self._running else None

    def folder(self) -> Path:
        """A folder that is removed when the worker ends, for jobs; starts the worker.

        Raises:
            LavaSetupError: if there is no worker to be started.
        """
        with self._lock:
            return self._start().folder

    def request(self, kind: str, limit_s: float | None = None, **fields: Any) -> Any:
        """Send a request and return its result.

        Args:
            kind: ``simulate``, ``measure`` or ``describe``.
            limit_s: Wall-clock limit, the start of the worker not included.
            fields: What the request needs; anything JSON has.

        Raises:
            MeasurementError: if the worker fails, dies or takes too long; the reason in one line.
            LavaSetupError: if there is no worker to be started.
        """
        limit_s = self.limit_s if limit_s is None else limit_s
        with self._lock:
            try:
                reply = self._start().ask({"kind": kind, **fields}, limit_s)
            except BaseException:  # Ctrl-C too: the worker would answer the wrong request
                self._end()
                raise
            if not reply["ok"]:
                self._end()  # an exception in one of Lava's processes leaves the others hanging
                raise MeasurementError(f"Lava failed: {one_line(reply['error'])}")
            return reply["result"]

    def close(self) -> None:
        """End the worker, if it runs."""
        with self._lock:
            self._end()

    def __enter__(self) -> "LavaWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> "_Running":
        if self._running is None or self._running.process.poll() is not None:
            self._end()
            self._running = _Running(self._environment)
        return self._running

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.end()


class _Running:
    """A started worker; `end` leaves nothing of it behind."""

    def __init__(self, environment: dict[str, str]) -> None:
        if sys.platform != "linux":
            raise LavaSetupError("Lava's worker needs Linux; elsewhere use backend='mesh'")
        python = worker_python()
        self.token = secrets.token_hex(4)
        # Not below the user's TMPDIR: Lava's sockets are in here, and their paths may have 107
        # characters.
        self.folder = Path(tempfile.mkdtemp(prefix="loihi-gym-", dir="/tmp"))
        self._log = self.folder / "stderr"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-u", SCRIPT, self.token],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env=_clean(os.environ) | environment | {"TMPDIR": str(self.folder)},
                start_new_session=True,
            )
        self.end = weakref.finalize(self, _erase, self.process, self.token, self.folder)
        self._pending = b""
        self._asked = 0

    def ask(self, request: dict[str, Any], limit_s: float) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        if self._asked == 0:
            self._exchange({"kind": "start"}, START_SECONDS)
        return self._exchange(request, limit_s)

    def _exchange(self, request: dict[str, Any], limit_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + limit_s
        self._asked += 1
        line = json.dumps({"id": self._asked, **request}) + "\n"
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        except OSError:
            raise self._death() from None
        text = self._line(deadline, limit_s)
        try:
            reply = json.loads(text)
            if reply["id"] == self._asked and isinstance(reply["ok"], bool):
                return dict(reply)
        except (ValueError, KeyError, TypeError):
            pass
        raise MeasurementError(f"the Lava worker answered nonsense: {text[:80]!r}")

    def _line(self, deadline: float, limit_s: float) -> bytes:
        assert self.process.stdout is not None
        pipe = self.process.stdout.fileno()
        while b"\n" not in self._pending:
            # Its children hold the pipe too, so the end of the worker is not the end of the pipe.
            ended = self.process.poll() is not None
            left = max(deadline - time.monotonic(), 0)
            if not select.select([pipe], [], [], 0 if ended else min(left, CHECK_SECONDS))[0]:
                if ended:
                    raise self._death()
                if left == 0:
                    raise MeasurementError(f"Lava took longer than {limit_s:g} s and was ended")
                continue
            data = os.read(pipe, 1 << 16)
            if not data:
                raise self._death()
            self._pending += data
        line, self._pending = self._pending.split(b"\n", 1)
        return line

    def _death(self) -> MeasurementError:
        """The error for a worker that is gone."""
        try:
            code = self.process.wait(KILL_SECONDS)
        except subprocess.TimeoutExpired:
            return MeasurementError("the Lava worker closed its pipe")
        if code < 0:
            return MeasurementError(f"the Lava worker was ended by {signal.Signals(-code).name}")
        said = self._log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        return MeasurementError(f"the Lava worker ended with exit code {code}: {said[-1]}")


def _erase(process: subprocess.Popen[bytes], token: str, folder: Path) -> None:
    """End a worker's process group and remove its shared memory and folder."""
    # The group outlives its leader: what the worker started is in it, even if it is gone.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what could not be written to a dead worker
                pipe.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(KILL_SECONDS)
    deadline = time.monotonic() + KILL_SECONDS
    while group_members(process.pid) and time.monotonic() < deadline:  # who could make more
        time.sleep(0.005)
    for pattern in (f"psm_{token}_*", f"sem.mp-{token}*"):
        for path in SHARED_MEMORY.glob(pattern):
            path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def group_members(group: int) -> list[int]:
    """Processes of a group that still run; those that only wait to be collected do not."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name, which may contain anything) state parent group ...
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):  # gone meanwhile
            continue
        if int(its_group) == group and state not in "ZX":
            members.append(int(stat.parent.name))
    return members


def _clean(environment: Any) -> dict[str, str]:
    """The environment without what belongs to this Python; a process of Lava uses one thread."""
    ours = ("PYTHONHOME", "PYTHONSTARTUP", "PYTHONWARNINGS", "VIRTUAL_ENV")
    kept = {key: value for key, value in environment.items() if key not in ours}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
