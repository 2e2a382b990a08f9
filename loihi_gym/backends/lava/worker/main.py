"""The worker: runs Lava in Python 3.10, one request at a time.

Started by loihi_gym's client as ``python main.py TOKEN`` in a session of its own. Requests are
lines of JSON on stdin, ``{"id": 1, "kind": "simulate", ...}``; each is answered by one line on
stdout, ``{"id": 1, "ok": true, "result": ...}`` or ``{"id": 1, "ok": false, "error": "..."}``.
Arrays go through files. Whatever Lava prints goes to stderr.
"""

import json
import os
import queue
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import guard


def main(token: str) -> None:
    """Serve until stdin ends, which ends the worker."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    guard.name_everything(token)
    requests: queue.Queue[bytes] = queue.Queue()
    guard.die_with_client(token, requests.put)
    while True:
        request = json.loads(requests.get())

        def reply(request_id: int = request["id"], **fields: Any) -> None:
            replies.write(json.dumps({"id": request_id, **fields}) + "\n")
            replies.flush()

        def died(reason: str, reply: Callable[..., None] = reply) -> None:
            with suppress(OSError):
                reply(ok=False, error=reason)
            guard.vanish(token)

        try:
            with guard.ChildWatch(died):
                result = serve(request)
        except Exception as error:
            traceback.print_exc()
            reply(ok=False, error=f"{type(error).__name__}: {error}")
        else:
            reply(ok=True, result=result)


def serve(request: dict[str, Any]) -> Any:
    """Do what a request asks for; the modules are imported where used, since Lava is slow to."""
    kind = request["kind"]
    if kind == "start":
        import lava.magma.core.run_configs  # the slow part

        return lava.__name__
    if kind == "simulate":
        import job
        import network

        network.simulate(job.read(request["job"]), request["folder"])
        return None
    if kind == "measure":
        import hardware
        import job

        return hardware.measure(job.read(request["job"]), request)
    if kind == "describe":
        import describe

        return describe.describe()
    raise ValueError(f"unknown kind of request: {kind!r}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    finally:  # as when the client is gone, and there is nobody to answer
        guard.vanish(sys.argv[1])
