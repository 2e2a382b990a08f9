"""The process that measures: ``python -m loihi_gym.server.worker BACKEND [OPTIONS]``.

One JSON object per line on stdin, one on stdout for each. A request names a problem file and
mappings; the reply has a result for each: step times and energies, or a reason.
"""

import json
import os
import signal
import sys
import threading
import time
from typing import Any, TextIO

from ..backends import Backend, Measurement, load_backend, make_backend
from ..errors import LoihiGymError, one_line
from ..mapping import Mapping, load_problem

KEPT_PROBLEMS = 4


class Backends:
    """The backends of the problems that were measured last; the others are closed.

    A simulator keeps several, whatever has a board one.
    """

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self._name = name
        self._options = options
        self._kept = KEPT_PROBLEMS if getattr(load_backend(name), "repeatable", False) else 1
        self._backends: dict[str, Backend] = {}

    def get(self, path: str) -> Backend:
        """The backend of a problem file."""
        backend = self._backends.pop(path, None)
        if backend is None:
            while len(self._backends) >= self._kept:
                _close(self._backends.pop(next(iter(self._backends))))
            backend = make_backend(self._name, load_problem(path), **self._options)
        self._backends[path] = backend  # the last, so that the first is the next to go
        return backend

    def close(self) -> None:
        """Close all."""
        while self._backends:
            _close(self._backends.popitem()[1])


def main() -> None:
    """Answer until stdin ends, or the server asks for an end."""
    # Whatever a library prints must not stand among the replies.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    name, options = sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    backends = Backends(name, options)
    try:
        _reply(replies, {"ready": name})
        for line in sys.stdin:
            _reply(replies, {"results": _measure(backends, json.loads(line))})
    finally:
        backends.close()


def _close(backend: Backend) -> None:
    getattr(backend, "close", lambda: None)()


def _end_with_parent(parent: int) -> None:
    """A server that was killed takes its worker with it, whatever that does at the time."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _measure(backends: Backends, request: dict[str, Any]) -> list[dict[str, Any]]:
    mappings = [Mapping(*pair) for pair in request["mappings"]]
    try:
        measured = backends.get(str(request["problem"])).evaluate_batch(mappings)
    except Exception as error:
        if len(mappings) > 1 and not isinstance(error, LoihiGymError):
            parts = [{**request, "mappings": [pair]} for pair in request["mappings"]]
            return [result for part in parts for result in _measure(backends, part)]
        return [{"reason": one_line(f"{type(error).__name__}: {error}")} for _ in mappings]
    return [_result(one) for one in measured]


def _result(measured: Measurement) -> dict[str, Any]:
    return {
        "step_times_ps": list(measured.step_times_ps),
        "energy_fj": list(measured.energy or ()),
        "counted": measured.counted,
    }


def _reply(replies: TextIO, data: dict[str, Any]) -> None:
    replies.write(json.dumps(data) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
