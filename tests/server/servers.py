"""Servers on loopback for tests, measuring with a worker that does as it is told."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from loihi_gym.mapping import Mapping, Problem
from loihi_gym.mapping.problem_file import problem_bytes
from loihi_gym.server.auth import Tokens
from loihi_gym.server.limits import Limits
from loihi_gym.server.metrics import zeroed
from loihi_gym.server.service import Service
from loihi_gym.server.serving import make_server, make_service
from loihi_gym.server.worker_client import MeasuringProcess

TOKEN = "a-token-of-some-length"

# Speaks the worker's protocol and writes one line per measurement to its log. What it does besides
# is in a file that it reads before each: seconds to sleep, "hang", "die", "babble" or "fail".
FAKE = """
import json, sys, time
from pathlib import Path
log, orders = Path(sys.argv[1]), Path(sys.argv[2])
print(json.dumps({"ready": "fake"}), flush=True)
for line in sys.stdin:
    results = []
    for counts, placement in json.loads(line)["mappings"]:
        order = orders.read_text().strip() if orders.exists() else ""
        if order == "hang":
            time.sleep(3600)
        elif order == "die":
            sys.exit(3)
        elif order == "babble":
            print("no JSON", flush=True)
        elif order == "fail":
            results.append({"reason": "the board is on fire"})
            continue
        elif order:
            time.sleep(float(order))
        with log.open("a") as file:
            file.write(json.dumps([counts, placement]) + "\\n")
        steps = [1000 + sum(placement), 2000 + sum(counts)]
        results.append({"step_times_ps": steps, "energy_fj": [1, 2, 3, 4]})
    print(json.dumps({"results": results}), flush=True)
"""


@dataclass
class Running:
    """A server that runs, and what its worker is told and has done."""

    url: str
    client: httpx.Client
    service: Service
    orders: Path
    log: Path

    @property
    def measured(self) -> list[str]:
        """One line per measurement."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def metric(self, name: str) -> float:
        return self.service.metrics()[name]

    def upload(self, problem: Problem, **headers: str) -> httpx.Response:
        path = f"/v1/problems/{problem.digest}"
        return self.client.put(path, content=problem_bytes(problem), headers=headers)

    def ask(
        self, problem: Problem, mappings: list[Mapping], wait_s: float = 10, **headers: str
    ) -> httpx.Response:
        body = {"mappings": [candidate(mapping) for mapping in mappings], "wait_s": wait_s}
        path = f"/v1/problems/{problem.digest}/evaluate_batch"
        return self.client.post(path, json=body, headers=headers)


def candidate(mapping: Mapping, repeat: int = 0) -> dict[str, object]:
    """A mapping on the wire."""
    return {
        "cores_per_layer": mapping.cores_per_layer.tolist(),
        "placement": mapping.placement.tolist(),
        "repeat": repeat,
    }


@contextmanager
def running(
    folder: Path,
    order: str = "",
    tokens: Tokens | None = None,
    backend: str = "lava",
    real: bool = False,
    **limits: float,
) -> Iterator[Running]:
    """A server on a free port of loopback; its worker is a fake unless `real`."""
    folder.mkdir(exist_ok=True)
    log, orders, script = folder / "log", folder / "orders", folder / "fake.py"
    script.write_text(FAKE)
    orders.write_text(order)
    counters, bounds = zeroed(), Limits(**limits)
    command = None if real else (sys.executable, str(script), str(log), str(orders))
    worker = MeasuringProcess(backend, bounds.measure_s, counters, command)
    service = make_service("mesh", folder / "state", bounds, worker)
    service.counters = counters
    server = make_server(service, "127.0.0.1", 0, tokens or Tokens({}))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline, "the server did not start in time"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=30) as client:
            yield Running(url, client, service, orders, log)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the server did not stop"


def wait_until(condition, seconds: float = 20.0) -> None:
    """Wait for something to become true, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
