"""Faults: no evaluation is lost or counted twice, errors are clear, the server recovers."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from loihi_gym import make_backend
from loihi_gym.errors import MeasurementError
from loihi_gym.mapping import Mapping
from loihi_gym.search.session import Session
from loihi_gym.server.auth import Tokens
from tests.server.servers import FAKE, TOKEN, candidate, free_port, running, wait_until
from tests.toys import spread_mapping, toy_problem

PROBLEM = toy_problem()


def distinct(count: int) -> list[Mapping]:
    """Different legal mappings of the toy."""
    rng = np.random.default_rng(1)
    found: dict[Mapping, None] = {}
    while len(found) < count:
        found[Mapping([1, 2, 1], rng.permutation(PROBLEM.topology.n_cores)[:4])] = None
    return list(found)


def expected(mapping: Mapping) -> tuple[int, int]:
    """What the fake worker gives."""
    return 1000 + int(mapping.placement.sum()), 2000 + int(mapping.cores_per_layer.sum())


def in_thread(call) -> tuple[threading.Thread, list]:
    results: list = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    return thread, results


# The server is killed. -------------------------------------------------------------------------

SERVE = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.server.servers import *
from loihi_gym.server.serving import *
folder, port = Path(sys.argv[1]), int(sys.argv[2])
counters, limits = zeroed(), Limits()
command = (sys.executable, str(folder / "fake.py"), str(folder / "log"), str(folder / "orders"))
worker = MeasuringProcess("lava", 60, counters, command)
service = make_service("mesh", folder / "state", limits, worker)
make_server(service, "127.0.0.1", port, Tokens({{}})).run()
"""


@pytest.fixture
def serve(tmp_path):
    """Starts a server as a process of its own; again on the same port and state after a kill."""
    (tmp_path / "fake.py").write_text(FAKE)
    (tmp_path / "orders").write_text("0.01")
    script = tmp_path / "serve.py"
    script.write_text(SERVE.format(root=str(Path.cwd())))
    port, started = free_port(), []

    def start() -> tuple[subprocess.Popen, str]:
        process = subprocess.Popen([sys.executable, str(script), str(tmp_path), str(port)])
        started.append(process)
        return process, f"http://127.0.0.1:{port}"

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_server_killed_while_it_measures_loses_nothing(serve, tmp_path):
    process, url = serve()
    mappings = distinct(150)
    backend = make_backend(url, PROBLEM)
    thread, results = in_thread(lambda: backend.evaluate_batch(mappings))
    log = tmp_path / "log"
    wait_until(lambda: log.exists() and len(log.read_text().splitlines()) > 20)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(log.read_text().splitlines())
    assert before < 150
    serve()
    thread.join(60)
    assert [m.step_times_ps for m in results[0]] == [expected(mapping) for mapping in mappings]
    lines = log.read_text().splitlines()
    # What was measured and not stored yet may be measured again: the one in flight.
    assert 150 <= len(lines) <= 152
    assert len(set(lines)) == 150


def test_a_search_goes_on_over_a_restart_and_counts_each_evaluation_once(serve):
    process, url = serve()
    session = Session(make_backend(url, PROBLEM), budget=60)
    mappings = distinct(60)

    def measure() -> int:
        for mapping in mappings:
            session.evaluate(mapping)
        return session.evaluations

    thread, results = in_thread(measure)
    wait_until(lambda: session.evaluations > 10)
    process.send_signal(signal.SIGKILL)
    process.wait()
    serve()
    thread.join(60)
    assert results == [60]
    assert session.best.latency_ps == min(sum(expected(mapping)) for mapping in mappings)


def test_the_worker_of_a_killed_server_ends(tmp_path):
    code = (
        "import asyncio,sys\n"
        "from pathlib import Path\n"
        "from loihi_gym.server.worker_client import MeasuringProcess\n"
        "from loihi_gym.server.metrics import zeroed\n"
        "async def main():\n"
        "    worker = MeasuringProcess('mesh', 60, zeroed())\n"
        "    process = await worker._process._running()\n"
        "    print(process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.kill()
    parent.wait()
    parent.stdout.close()

    def gone() -> bool:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return True
        # A zombie whose new parent does not reap it has ended, too.
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True)
        return not state.stdout.strip() or state.stdout.startswith(b"Z")

    wait_until(gone)


# The worker misbehaves. ------------------------------------------------------------------------


def test_a_worker_that_hangs_is_killed_and_the_next_measurement_succeeds(tmp_path):
    mapping, other = distinct(2)
    with running(tmp_path, "hang", measure_s=0.4) as server:
        backend = make_backend(server.url, PROBLEM)
        began = time.monotonic()
        with pytest.raises(MeasurementError, match=r"took longer than 0\.4 s"):
            backend.evaluate(mapping)
        assert time.monotonic() - began < 20
        server.orders.write_text("")
        assert backend.evaluate(other).step_times_ps == expected(other)
        assert backend.evaluate(mapping).step_times_ps == expected(mapping)
        assert len(server.measured) == 2
        assert server.metric("worker_starts_total") >= 2


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("die", "the worker ended without an answer"),
        ("babble", "malformed"),
        ("fail", "the board is on fire"),
    ],
)
def test_a_failure_is_told_with_its_reason_and_is_no_evaluation(tmp_path, order, reason):
    mapping = distinct(1)[0]
    with running(tmp_path, order) as server:
        backend = make_backend(server.url, PROBLEM)
        with pytest.raises(MeasurementError, match=reason):
            backend.evaluate(mapping)
        assert server.metric("measurements_total") == 0
        assert server.metric("failures_total") >= 3
        server.log.unlink(missing_ok=True)
        server.orders.write_text("")
        assert backend.evaluate(mapping).step_times_ps == expected(mapping)
        assert len(server.measured) == server.metric("measurements_total") == 1


def test_one_bad_mapping_does_not_spoil_what_others_wait_for(tmp_path):
    good, bad = distinct(2)
    with running(tmp_path, "fail") as server:
        spoilt = make_backend(server.url, PROBLEM)
        with pytest.raises(MeasurementError):
            spoilt.evaluate(bad)
        server.orders.write_text("")
        assert make_backend(server.url, PROBLEM).evaluate(good).step_times_ps == expected(good)


# The network misbehaves. -----------------------------------------------------------------------


class Cutting(httpx.BaseTransport):
    """Passes requests on, and loses every second answer after the server has worked for it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.lost = self._count = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        self._count += 1
        if self._count % 2:
            return response
        response.read()
        self.lost += 1
        raise httpx.ReadError("the connection was lost")

    def close(self) -> None:
        self._inner.close()


def test_lost_answers_are_asked_for_again_and_nothing_is_measured_twice(tmp_path):
    mappings = distinct(40)
    with running(tmp_path) as server:
        backend = make_backend(server.url, PROBLEM)
        client = backend._servers[0]._client
        cutting = client._transport = Cutting(client._transport)
        session = Session(backend, budget=100)
        for mapping in [*mappings, *mappings[:10]]:
            session.evaluate(mapping)
        assert session.evaluations == 50
        assert cutting.lost > 20
        assert len(server.measured) == len(set(server.measured)) == 41  # and the reference
        assert server.metric("measurements_total") == 41


def test_two_clients_that_want_the_same_share_one_measurement(tmp_path):
    mappings = distinct(30)
    with running(tmp_path, "0.02") as server:
        waiting = [
            in_thread(lambda: make_backend(server.url, PROBLEM).evaluate_batch(mappings))
            for _ in range(4)
        ]
        for thread, _ in waiting:
            thread.join(60)
        for _, results in waiting:
            assert [m.step_times_ps for m in results[0]] == [expected(one) for one in mappings]
        assert len(server.measured) == 30


def connect(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def closes(connection: socket.socket) -> bytes:
    """What comes before the server closes a connection."""
    found = b""
    while data := connection.recv(4096):
        found += data
    connection.close()
    return found


@pytest.mark.parametrize("sent", [b"", b"GET /v1/hea", b"GET /v1/health HTTP/1.1\r\nHost: a"])
def test_half_open_connections_are_closed_and_hurt_nobody(tmp_path, sent):
    with running(tmp_path, header_s=0.5) as server:
        connections = [connect(server.url) for _ in range(50)]
        for one in connections:
            one.sendall(sent)
        mapping = distinct(1)[0]
        assert make_backend(server.url, PROBLEM).evaluate(mapping).latency_ps
        assert all(closes(one) == b"" for one in connections)


def test_a_connection_that_stalls_after_an_answer_is_closed(tmp_path):
    with running(tmp_path, header_s=0.5) as server:
        connection = connect(server.url)
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /v1/hea")
        assert closes(connection).startswith(b"HTTP/1.1 200")


def test_a_slow_body_is_cut_off(tmp_path):
    with running(tmp_path, body_s=0.5) as server:
        connection = connect(server.url)
        path = f"/v1/problems/{PROBLEM.digest}/evaluate"
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n".encode()
        )
        connection.sendall(b"{")
        assert closes(connection).startswith(b"HTTP/1.1 408")
        assert server.metric("refused_total") == 1


def test_a_client_that_goes_away_within_a_body_is_no_measurement(tmp_path):
    with running(tmp_path) as server:
        connection = connect(server.url)
        path = f"/v1/problems/{PROBLEM.digest}/evaluate"
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{{".encode()
        )
        connection.close()
        wait_until(lambda: server.metric("refused_total") == 1)
        assert server.measured == []


def test_a_client_that_goes_away_while_it_waits_finds_its_result_later(tmp_path):
    mapping = distinct(1)[0]
    with running(tmp_path, "0.5") as server:
        backend = make_backend(server.url, PROBLEM)
        server.upload(PROBLEM)
        url = f"/v1/problems/{PROBLEM.digest}/evaluate"
        with pytest.raises(httpx.ReadTimeout):
            server.client.post(url, json=candidate(mapping), timeout=0.1)
        assert backend.evaluate(mapping).step_times_ps == expected(mapping)
        assert len(server.measured) == 1


def test_what_nobody_asks_for_any_more_is_not_measured(tmp_path):
    mappings = distinct(4)
    with running(tmp_path, "0.6", abandon_s=0.3) as server:
        server.upload(PROBLEM)
        assert server.ask(PROBLEM, mappings, wait_s=0).status_code == 202
        wait_until(lambda: server.metric("abandoned_total") == 3)
        assert len(server.measured) == 1
        server.orders.write_text("")
        assert make_backend(server.url, PROBLEM).evaluate(mappings[2]).latency_ps


# Many requests. --------------------------------------------------------------------------------


async def ask_each(port: int, bodies: list[bytes], connections: int = 8) -> list[bytes]:
    """One request per body, over a few connections that stay open; the status lines."""
    head = f"POST /v1/problems/{PROBLEM.digest}/evaluate HTTP/1.1\r\nHost: localhost\r\n"
    statuses: list[bytes] = []

    async def one(part: list[tuple[int, bytes]]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, body in part:
            rest = f"X-Client: {number % 20}\r\nContent-Type: application/json\r\n"
            length = f"Content-Length: {len(body)}\r\n\r\n"
            writer.write((head + rest + length).encode() + body)
            reply = await reader.readuntil(b"\r\n\r\n")
            size = int(reply.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(size)
            statuses.append(reply.partition(b"\r\n")[0])
        writer.close()
        await writer.wait_closed()

    numbered = list(enumerate(bodies))
    await asyncio.gather(*(one(numbered[i::connections]) for i in range(connections)))
    return statuses


def test_ten_thousand_queued_requests_are_all_answered_once(tmp_path):
    """One request for each of 10,000 measurements, from 20 clients, all queued before the first."""
    count = 10_000
    mapping = distinct(1)[0]
    wanted = [candidate(mapping, repeat) for repeat in range(count)]
    bodies = [json.dumps({**one, "wait_s": 0}).encode() for one in wanted]
    with running(tmp_path, "hang", measure_s=3600, abandon_s=3600) as server:
        server.upload(PROBLEM)
        statuses = asyncio.run(ask_each(int(server.url.rpartition(":")[2]), bodies))
        assert statuses == [b"HTTP/1.1 202 Accepted"] * count
        assert server.metric("queued") == count - 1  # the worker hangs in the first
        assert server.metric("clients") == 20
        server.orders.write_text("")
        os.killpg(
            server.service.worker._process._process.pid, signal.SIGKILL
        )  # our own fake worker
        wait_until(lambda: server.metric("queued") == 0, 60)
        assert server.metric("failures_total") == 1

        def settle(part: list[dict]) -> list[dict]:
            path = f"/v1/problems/{PROBLEM.digest}/evaluate_batch"
            return server.client.post(path, json={"mappings": part}).json()["results"]

        results = [r for i in range(0, count, 1000) for r in settle(wanted[i : i + 1000])]
        assert [result["repeat"] for result in results] == list(range(count))
        failed = [result["repeat"] for result in results if result["state"] == "failed"]
        assert len(failed) == 1
        assert settle([wanted[failed[0]]])[0]["state"] == "done"
        assert sum(result["state"] == "done" for result in results) == count - 1
        assert server.metric("measurements_total") == len(server.measured) == count


def test_a_full_queue_is_said_to_be_and_empties(tmp_path):
    mappings = distinct(60)
    with running(tmp_path, "0.02", queued=10) as server:
        server.upload(PROBLEM)
        refused = server.ask(PROBLEM, mappings, wait_s=0)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "1"
        assert "10 measurements wait already" in refused.json()["detail"]
        assert server.metric("busy_total") == 1
        # A batch larger than the queue gets through bit by bit.
        results = make_backend(server.url, PROBLEM).evaluate_batch(mappings)
        assert [m.step_times_ps for m in results] == [expected(one) for one in mappings]
        assert len(server.measured) == 60


def test_a_greedy_client_delays_nobody(tmp_path):
    mappings = distinct(101)
    with running(tmp_path, "0.05") as server:
        server.upload(PROBLEM)
        server.ask(PROBLEM, mappings[:100], wait_s=0, **{"X-Client": "greedy"})
        reply = server.ask(PROBLEM, mappings[100:], **{"X-Client": "modest"})
        assert reply.json()["results"][0]["state"] == "done"
        assert len(server.measured) < 50


def test_named_tokens_are_the_clients_whose_turn_it_is(tmp_path):
    tokens = Tokens({TOKEN: "one", TOKEN + "2": "two"})
    mappings = distinct(41)
    with running(tmp_path, "0.1", tokens=tokens) as server:
        first = {"Authorization": f"Bearer {TOKEN}"}
        server.upload(PROBLEM, **first)
        for start in range(0, 40, 8):  # under ever new names of its own
            names = {"X-Client": str(start)}
            server.ask(PROBLEM, mappings[start : start + 8], wait_s=0, **first, **names)
        second = {"Authorization": f"Bearer {TOKEN}2"}
        reply = server.ask(PROBLEM, mappings[40:], **second)
        assert reply.json()["results"][0]["state"] == "done"
        assert len(server.measured) < 20


def test_the_toy_is_legal():
    assert all(not PROBLEM.check(mapping) for mapping in distinct(10))
    assert not PROBLEM.check(spread_mapping(PROBLEM))
