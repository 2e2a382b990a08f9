"""A measurement server under load and under kills, on loopback, with bounded memory.

python perf/server_load.py --requests 50000 --kills 100 --memory-mb 2048 --state DIR

First a mix of good, bad and hostile requests and uploads from several clients: every answer is
checked, every measurement compared with a local one, and the memory of the server's processes and
the time of its health answers are followed. Then a client measures while worker and server are
killed (-9) at random moments: its results must be the local ones to the integer, none lost and none
counted twice. DIR may lie on a small disk; nothing but 127.0.0.1 is spoken to. Exits with 1 and a
line on whatever does not hold.
"""

import argparse
import asyncio
import os
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np

from loihi_gym import load, make_backend
from loihi_gym.errors import MeasurementError
from loihi_gym.mapping import Mapping, Problem, random_mapping
from loihi_gym.mapping.problem_file import problem_bytes

CLIENTS = 8
BENCHMARK = "mlp-xs"
BAD_BODIES = (
    *(b"", b"{", b"[]", b"[" * 100_000, b'{"mappings": [' + b"{}," * 50_000 + b"{}]}"),
    *(b'{"mappings": [{"cores_per_layer": [1], "placement": [' + b"-1," * 50_000 + b"0]}]}",),
    *(b'{"mappings": []}', b'{"mappings": [], "x": 1}', b"9" * 100_000, b"\xff\xfe"),
)
BAD_UPLOADS = (b"", b"hello", b"PK\x03\x04" + b"\0" * 1000, b"PK\x05\x06" + b"\0" * 18)


class Server:
    """A server as a process of its own, with bounded memory; started again on the same port."""

    def __init__(self, state: Path, memory: int) -> None:
        self._state, self._memory = state, memory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = ["serve", "--port", str(self.port), "--state", str(self._state)]
        code = "from loihi_gym.cli import main; main()"
        bound = (self._memory, self._memory)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, bound),
        )
        while True:
            require(self.process.poll() is None, "the server ended")
            try:
                httpx.get(f"{self.url}/v1/health", timeout=5)
                return
            except httpx.TransportError:
                time.sleep(0.05)

    def processes(self) -> dict[int, str]:
        """Command lines of the server and of what it started, by process."""
        main = self.process.pid
        try:
            children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
            pids = [main, *map(int, children)]
            return {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in pids}
        except OSError:
            return {}

    def resident_mb(self) -> float:
        """Memory of all its processes."""
        total = 0
        for pid in self.processes():
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except OSError:
                continue
        return total * resource.getpagesize() / 2**20

    def kill(self, worker: bool) -> bool:
        """Kill -9 the worker, or the server, and start that again; False if there was no worker."""
        if worker:
            found = [pid for pid, words in self.processes().items() if "server.worker" in words]
            for pid in found:
                os.kill(pid, signal.SIGKILL)
            return bool(found)
        self.process.kill()
        self.process.wait()
        self.start()
        return True

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


def require(holds: bool, otherwise: str) -> None:
    """End with a line unless something holds."""
    if not holds:
        raise SystemExit(f"perf/server_load.py: {otherwise}")


class Load:
    """What is asked for, and what is known to be right."""

    def __init__(self, count: int) -> None:
        self.problem: Problem = load(BENCHMARK)
        rng = np.random.default_rng(0)
        made = {random_mapping(self.problem, rng): None for _ in range(max(count // 25, 20))}
        self.mappings: list[Mapping] = list(made)
        local = make_backend("mesh", load(BENCHMARK)).evaluate_batch(self.mappings)
        self.times = [list(one.step_times_ps) for one in local]
        self.path = f"/v1/problems/{self.problem.digest}"
        self.file = problem_bytes(self.problem)
        self.asked: set[int] = set()
        self.statuses: Counter[str] = Counter()

    async def one(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        """One request of the mix."""
        kind = chance.choices(
            ["batch", "health", "metrics", "info", "upload", "bad body", "bad upload", "bad path"],
            [70, 5, 3, 5, 2, 8, 5, 2],
        )[0]
        if kind == "batch":
            await self._batch(client, chance)
            return
        reply = await {
            "health": lambda: client.get("/v1/health"),
            "metrics": lambda: client.get("/v1/metrics"),
            "info": lambda: client.get(self.path),
            "upload": lambda: client.put(self.path, content=self.file),
            "bad body": lambda: client.post(
                f"{self.path}/evaluate_batch", content=chance.choice(BAD_BODIES)
            ),
            "bad upload": lambda: client.put(
                f"/v1/problems/{'0' * 64}", content=chance.choice(BAD_UPLOADS)
            ),
            "bad path": lambda: client.get(f"/v1/problems/{'f' * 64}"),
        }[kind]()
        self.statuses[f"{kind} {reply.status_code}"] += 1
        require(reply.status_code < 500, f"{kind} was answered with {reply.status_code}")
        require(reply.is_success != kind.startswith("bad"), f"{kind}: {reply.status_code}")

    async def _batch(self, client: httpx.AsyncClient, chance: random.Random) -> None:
        numbers = [chance.randrange(len(self.mappings)) for _ in range(chance.randint(1, 4))]
        self.asked.update(numbers)
        wanted = [
            {
                "cores_per_layer": self.mappings[number].cores_per_layer.tolist(),
                "placement": self.mappings[number].placement.tolist(),
            }
            for number in numbers
        ]
        while True:
            body = {"mappings": wanted, "wait_s": 10}
            reply = await client.post(f"{self.path}/evaluate_batch", json=body)
            self.statuses[f"batch {reply.status_code}"] += 1
            require(reply.is_success, f"a batch was answered with {reply.status_code}")
            results = reply.json()["results"]
            if all(one["state"] == "done" for one in results):
                break
        for number, result in zip(numbers, results, strict=True):
            right = result["step_times_ps"] == self.times[number]
            require(right, f"mapping {number} came back with other times")

    async def run(self, url: str, count: int) -> None:
        """So many requests, by several clients at once."""
        left = iter(range(count))

        async def client(number: int) -> None:
            chance = random.Random(number)
            headers = {"X-Client": str(number), "Content-Type": "application/json"}
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as own:
                for _ in left:
                    await self.one(own, chance)

        await asyncio.gather(*map(client, range(CLIENTS)))


class Watch(threading.Thread):
    """Follows the memory of a server and the time of its health answers."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._over = threading.Event()
        self.resident: list[float] = []
        self.health: list[float] = []

    def run(self) -> None:
        """Look twice a second."""
        with httpx.Client(base_url=self._server.url, timeout=30) as client:
            while not self._over.wait(0.5):
                began = time.perf_counter()
                client.get("/v1/health")
                self.health.append(time.perf_counter() - began)
                self.resident.append(self._server.resident_mb())

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        self.join()


def under_load(server: Server, count: int) -> None:
    """The first part; prints what was seen."""
    work = Load(count)
    httpx.put(f"{server.url}{work.path}", content=work.file, timeout=60).raise_for_status()
    asyncio.run(work.run(server.url, min(count, 200)))  # everything is loaded once
    watch = Watch(server)
    watch.start()
    began = time.perf_counter()
    asyncio.run(work.run(server.url, count))
    took = time.perf_counter() - began
    watch.end()
    metrics = httpx.get(f"{server.url}/v1/metrics", timeout=30).text
    values = dict(line.split() for line in metrics.splitlines() if not line.startswith("#"))
    measured = int(float(values["loihi_gym_measurements_total"]))
    require(measured == len(work.asked), f"{measured} measurements of {len(work.asked)} mappings")
    half = len(watch.resident) // 2
    first, last = (
        max(part, default=0.0) for part in (watch.resident[:half], watch.resident[half:])
    )
    print(f"{count:,} requests in {took:.0f} s, {count / took:.0f} a second")
    print("answers:", ", ".join(f"{k} x {n}" for k, n in sorted(work.statuses.items())))
    print(f"{measured:,} mappings measured, each once, all equal to local ones")
    print(f"resident at most: first half {first:.0f} MB, second half {last:.0f} MB")
    late = np.quantile(watch.health or [0.0], [0.5, 0.99, 1.0])
    print("health answers: median {:.3f} s, 99 % {:.3f} s, longest {:.3f} s".format(*late))


def under_kills(server: Server, count: int) -> None:
    """The second part; prints what was seen."""
    chance, problem = random.Random(1), load(BENCHMARK)
    rng, over = np.random.default_rng(1), threading.Event()
    seen: list[tuple[Mapping, tuple[int, ...]]] = []
    again = 0

    def measure() -> None:
        nonlocal again
        backend = make_backend(server.url, problem, patience_s=120)
        while not over.is_set():
            batch = [random_mapping(problem, rng) for _ in range(48)]
            while True:
                try:
                    found = backend.evaluate_batch(batch)
                    break
                except MeasurementError:  # the worker was killed at it three times
                    again += 1
            seen.extend((one, m.step_times_ps) for one, m in zip(batch, found, strict=True))

    thread = threading.Thread(target=measure, daemon=True)
    thread.start()
    kills: Counter[str] = Counter()
    while kills.total() < count:
        before, patience = len(seen), time.monotonic() + 120
        while len(seen) == before:  # something is measured between kills, or none hits anything
            require(time.monotonic() < patience, "nothing is measured any more")
            time.sleep(0.005)
        time.sleep(chance.random() * 0.3)
        worker = chance.random() < 0.7
        if server.kill(worker):
            kills["worker" if worker else "server"] += 1
    over.set()
    thread.join(180)
    require(not thread.is_alive(), "the client hangs")
    local = make_backend("mesh", load(BENCHMARK)).evaluate_batch([one for one, _ in seen])
    same = all(m.step_times_ps == times for m, (_, times) in zip(local, seen, strict=True))
    require(same, "results differ from local ones")
    print(f"killed -9: {', '.join(f'{kind} x {n}' for kind, n in kills.items())}")
    print(f"{len(seen):,} results while that went on, all equal to local ones; asked anew: {again}")


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description="A server under load and under kills.")
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--memory-mb", type=int, default=2048)
    parser.add_argument("--state", type=Path)
    arguments = parser.parse_args()
    with TemporaryDirectory() as scratch:
        state = arguments.state or Path(scratch)
        server = Server(state, arguments.memory_mb << 20)
        try:
            under_load(server, arguments.requests)
            under_kills(server, arguments.kills)
        finally:
            server.stop()
        with sqlite3.connect(state / "results.db") as stored:
            (count,) = stored.execute("SELECT count(*) FROM results").fetchone()
        used = sum(path.stat().st_size for path in state.rglob("*") if path.is_file())
        print(f"{count:,} results stored, {used / 2**20:.0f} MB on disk")


if __name__ == "__main__":
    main()
