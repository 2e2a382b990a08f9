"""Nothing of a worker outlives it: names for what it creates, and two watchers.

The client kills the worker's process group and unlinks what carries its token. These watchers are
for when the client itself is gone, and for when one of Lava's processes dies, on which Lava waits
for ever.
"""

import multiprocessing
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import shared_memory
from multiprocessing.process import BaseProcess
from pathlib import Path

CHECK_SECONDS = 0.2


def name_everything(token: str) -> None:
    """Make the names of all shared memory and semaphores of this process tree carry `token`.

    They are otherwise random, and a killed tree's could not be told from other programs'. Private
    names of Python 3.10, the only one that this worker runs on.
    """
    shared_memory._SHM_NAME_PREFIX = f"/psm_{token}_"
    shared_memory._SHM_SAFE_NAME_LENGTH = len(shared_memory._SHM_NAME_PREFIX) + 8
    multiprocessing.current_process()._config["semprefix"] = f"/mp-{token}"


def die_with_client(token: str, requests: Callable[[bytes], None]) -> None:
    """Pass on the lines of stdin to `requests`, a function; when it ends, leave nothing behind."""

    def watch() -> None:
        pending = b""
        while True:
            data = os.read(0, 65536)
            if not data:
                vanish(token)
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                requests(line)

    threading.Thread(target=watch, daemon=True).start()


def vanish(token: str) -> None:
    """End all children, remove what this worker created, then end the worker itself.

    In this order, since a child that still ran would create more.
    """
    if os.getpid() != os.getpgrp():  # a child of the worker, which leads the group
        os._exit(1)
    while others := _others():
        for pid in others:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    for pattern in (f"psm_{token}_*", f"sem.mp-{token}*"):
        for path in Path("/dev/shm").glob(pattern):
            path.unlink(missing_ok=True)
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _others() -> list[int]:
    """The other running processes of this one's group, which is the worker's alone."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):  # no process, or gone meanwhile
            # pid (name, which may contain anything) state parent group ...
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(group) == os.getpgrp() and state not in "ZX":
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


class ChildWatch:
    """While active, calls `died` with a sentence as soon as a child process ends other than well.

    Children are those that multiprocessing starts meanwhile, as Lava does; it may collect ended
    ones at any time, so they cannot be asked for at the system.
    """

    def __init__(self, died: Callable[[str], None]) -> None:
        self._died = died
        self._over = threading.Event()
        self._children: list[BaseProcess] = []

    def __enter__(self) -> None:
        def start(process: BaseProcess) -> None:
            _start(process)
            self._children.append(process)

        BaseProcess.start = start
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        BaseProcess.start = _start
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(CHECK_SECONDS):
            for reason in map(how_it_ended, list(self._children)):
                if reason and not self._over.is_set():
                    self._died(f"one of Lava's processes {reason}")
                    return


_start = BaseProcess.start


def how_it_ended(process: BaseProcess) -> str | None:
    """Why a child is gone; None while it runs, if it ended well, or if it has been closed.

    It remains to be waited for by whoever started it.
    """
    popen = process._popen
    if popen is None:
        return None
    code = popen.returncode
    if code is None:
        try:
            info = os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if info is None:
            return None
        code = info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
    if code >= 0:
        return f"ended with exit code {code}" if code else None
    name = signal.Signals(-code).name
    return f"was ended by {name}" + (": is /dev/shm full?" if name == "SIGBUS" else "")
