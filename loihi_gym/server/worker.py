"""The process that measures: ``python -m loihi_gym.server.worker BACKEND``.

One JSON object per line on stdin, one on stdout for each. A request names a problem file and
mappings; the reply has a result for each: step times and energies, or a reason.
"""

import json
import os
import sys
import threading
import time
from typing import Any, TextIO

from ..backends import Backend, make_backend
from ..errors import LoihiGymError
from ..mapping import Mapping, load_problem
from ..mapping.recent import Recent

KEPT_PROBLEMS = 4


def main() -> None:
    """Answer until stdin ends."""
    # Whatever a library prints must not stand among the replies.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    name = sys.argv[1]
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    backends: Recent[str, Backend] = Recent(KEPT_PROBLEMS)
    _reply(replies, {"ready": name})
    for line in sys.stdin:
        _reply(replies, {"results": _measure(name, backends, json.loads(line))})


def _end_with_parent(parent: int) -> None:
    """A server that was killed takes its worker with it, whatever that does at the time."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _measure(
    name: str, backends: Recent[str, Backend], request: dict[str, Any]
) -> list[dict[str, Any]]:
    path = str(request["problem"])
    mappings = [Mapping(*pair) for pair in request["mappings"]]
    try:
        backend = backends.get(path, lambda: make_backend(name, load_problem(path)))
        measured = backend.evaluate_batch(mappings)
    except Exception as error:
        if len(mappings) > 1 and not isinstance(error, LoihiGymError):
            parts = [{**request, "mappings": [pair]} for pair in request["mappings"]]
            return [result for part in parts for result in _measure(name, backends, part)]
        return [{"reason": f"{type(error).__name__}: {error}"} for _ in mappings]
    return [
        {"step_times_ps": list(one.step_times_ps), "energy_fj": list(one.energy)}
        for one in measured
    ]


def _reply(replies: TextIO, data: dict[str, Any]) -> None:
    replies.write(json.dumps(data) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
