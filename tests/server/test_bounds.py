"""What would block or bloat the server is bounded, and refused with a reason; others go on."""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from loihi_gym import make_backend
from loihi_gym.backends import http
from loihi_gym.errors import MeasurementError
from loihi_gym.mapping import Mapping
from loihi_gym.server.intake import refusal
from loihi_gym.server.limits import Limits
from tests.server.servers import FAKE, candidate, free_port, running, wait_until
from tests.server.test_faults import SERVE, distinct, expected, in_thread
from tests.server.uploads import hostile_uploads
from tests.toys import toy_problem

PROBLEM = toy_problem()
PATH = f"/v1/problems/{PROBLEM.digest}"
UPLOADS = list(hostile_uploads(PROBLEM))
MEMORY = 1 << 30
"""Address space that an upload may take beyond what the reader has mapped."""

READ = """
import json, resource, sys, time
from pathlib import Path
from loihi_gym.server.intake import _bound_memory, refusal
_bound_memory(int(sys.argv[1]))
for path in json.load(sys.stdin):
    began = time.process_time()
    reason = refusal(Path(path), "0" * 64, 256 << 20)
    print(json.dumps([reason, time.process_time() - began]), flush=True)
"""


def test_every_hostile_upload_is_one_line_in_bounded_memory(tmp_path):
    paths = []
    for number, (_, data, _) in enumerate(UPLOADS):
        paths.append(str(tmp_path / str(number)))
        Path(paths[-1]).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(MEMORY)],
        input=json.dumps(paths),
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(UPLOADS)
    for (name, _, words), (reason, _) in zip(UPLOADS, told, strict=True):
        assert reason, name
        assert reason.isprintable(), name
        assert words in reason, (name, reason)


def test_a_good_file_is_not_refused(tmp_path):
    from loihi_gym.mapping.problem_file import problem_bytes

    (tmp_path / "good").write_bytes(problem_bytes(PROBLEM))
    assert refusal(tmp_path / "good", PROBLEM.digest, 1 << 20) == ""
    assert "it unpacks to" in refusal(tmp_path / "good", PROBLEM.digest, 100)


def test_the_server_refuses_them_and_keeps_nothing(tmp_path):
    with running(tmp_path) as server:
        for _, data, _ in UPLOADS[:8]:
            reply = server.client.put(f"/v1/problems/{'0' * 64}", content=data)
            assert reply.status_code == 400
            assert reply.json()["detail"].isprintable()
        assert server.metric("problems") == 0
        assert list((tmp_path / "state" / "problems").iterdir()) == []
        assert make_backend(server.url, PROBLEM).evaluate(distinct(1)[0]).latency_ps


def test_an_upload_that_takes_too_long_is_ended_and_the_next_is_read(tmp_path):
    with running(tmp_path, upload_s=1e-6) as server:
        reply = server.upload(PROBLEM)
        assert reply.status_code == 400
        assert "the reader took longer than 1e-06 s" in reply.json()["detail"]
        object.__setattr__(server.service.limits, "upload_s", 60.0)
        assert server.upload(PROBLEM).status_code == 201


def test_problems_make_room_for_new_ones_but_not_while_they_are_measured(tmp_path):
    problems = [toy_problem(seed=seed) for seed in range(5)]
    with running(tmp_path, "hang", stored=2, measure_s=3600) as server:
        server.upload(problems[0])
        server.ask(problems[0], distinct(1), wait_s=0)
        for problem in problems[1:]:
            assert server.upload(problem).status_code == 201
        known = [server.client.get(f"/v1/problems/{p.digest}").status_code for p in problems]
        assert known == [200, 404, 404, 404, 200]
        server.ask(problems[4], distinct(1), wait_s=0)
        full = server.upload(problems[1])
        assert full.status_code == 503
        assert "all stored problems are being measured" in full.json()["detail"]


BODIES = {
    "8 MB of {}": b'{"mappings": [' + b"{}," * 2_700_000 + b"{}]}",
    "8 MB of []": b'{"mappings": [' + b"[]," * 2_700_000 + b"[]]}",
    "lists of lists": b'{"mappings": [{"cores_per_layer": [' + b"[]," * 2_000_000 + b"[]]}]}",
    "a million keys": b"{" + b",".join(b'"%d": 1' % n for n in range(600_000)) + b"}",
    "wrong numbers": b'{"mappings": [{"cores_per_layer": [1], "placement": ['
    + b"-1," * 2_500_000
    + b"0]}]}",
    "too many numbers": b'{"mappings": [{"cores_per_layer": [1], "placement": ['
    + b"0," * 4_000_000
    + b"0]}]}",
    "fractions": b'{"mappings": [{"cores_per_layer": [1], "placement": ['
    + b"0.5," * 1_900_000
    + b"0]}]}",
    "a long number": b'{"mappings": [{"cores_per_layer": [' + b"9" * 8_000_000 + b"]}]}",
    "deep": b"[" * 8_000_000,
    "one string": b'"' + b"a" * 8_000_000 + b'"',
    "spaces": b" " * 8_000_000 + b"{}",
    "1,025 mappings": json.dumps({"mappings": [candidate(distinct(1)[0])] * 1025}).encode(),
}


@pytest.fixture(scope="module")
def open_server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("bodies")) as server:
        server.upload(PROBLEM)
        yield server


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_bodies_that_mean_nothing_are_refused(open_server, body):
    headers = {"Content-Type": "application/json"}
    reply = open_server.client.post(f"{PATH}/evaluate_batch", content=body, headers=headers)
    assert reply.status_code in (400, 413, 422)
    assert reply.json()["detail"].isprintable()
    assert len(reply.json()["detail"]) <= 400


def test_a_full_batch_passes(open_server):
    mappings = distinct(1)[0]
    body = {"mappings": [candidate(mappings, repeat) for repeat in range(1024)], "wait_s": 30}
    reply = open_server.client.post(f"{PATH}/evaluate_batch", json=body)
    assert {one["state"] for one in reply.json()["results"]} == {"done"}


def test_bodies_together_are_bounded(tmp_path):
    with running(tmp_path, bodies_bytes=1000) as server:
        reply = server.client.put(PATH, content=b"x" * 1001)
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "1"
        for _ in range(3):  # and given back
            assert server.client.put(PATH, content=b"x" * 900).status_code == 400


def test_a_problem_whose_measurements_never_end_is_left_alone(tmp_path):
    mappings = distinct(8)
    with running(tmp_path, "hang", measure_s=0.3, rest_s=3600) as server:
        slow = make_backend(server.url, PROBLEM)
        for mapping in mappings[:2]:  # three attempts each
            with pytest.raises(MeasurementError, match=r"the worker took longer than 0\.3 s"):
                slow.evaluate(mapping)
        with pytest.raises(MeasurementError, match="it is left alone for 3600 s"):
            slow.evaluate(mappings[2])
        assert server.metric("worker_starts_total") == 6
        server.orders.write_text("")
        other = toy_problem(seed=5)
        assert make_backend(server.url, other).evaluate(mappings[0]).latency_ps
        object.__setattr__(server.service.limits, "rest_s", 0.0)
        assert slow.evaluate(mappings[2]).step_times_ps == expected(mappings[2])


def test_a_server_that_only_says_pending_is_waited_for_so_long_and_no_longer(tmp_path, monkeypatch):
    monkeypatch.setattr(http, "WAIT_S", 0.2)
    with running(tmp_path, "hang", measure_s=3600) as server:
        backend = make_backend(server.url, PROBLEM, patience_s=0.5)
        server.upload(PROBLEM)
        (one,) = backend._servers
        one.measure_s = 0.0  # as of a server that does not say
        began = time.monotonic()
        with pytest.raises(MeasurementError, match="says pending, and ends nothing"):
            backend.evaluate(distinct(1)[0])
        assert time.monotonic() - began < 60


def test_no_page_of_the_server_loads_anything_from_elsewhere(open_server):
    assert open_server.client.get("/v1/docs").status_code == 404
    assert open_server.client.get("/v1/openapi.json").status_code == 200


# The disk is full. -----------------------------------------------------------------------------


def limit_files(process: subprocess.Popen, size: int) -> None:
    """No file of a process may grow beyond a size: to it the disk is full."""
    hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


def test_a_full_disk_is_told_and_heals_and_loses_nothing(tmp_path):
    (tmp_path / "fake.py").write_text(FAKE)
    (tmp_path / "orders").write_text("")
    (tmp_path / "serve.py").write_text(SERVE.format(root=str(Path.cwd())))
    port, mappings = free_port(), distinct(60)
    url = f"http://127.0.0.1:{port}"
    words = [sys.executable, str(tmp_path / "serve.py"), str(tmp_path), str(port)]
    process = subprocess.Popen(words)
    try:
        backend = make_backend(url, PROBLEM, patience_s=60)
        backend.evaluate(mappings[0])
        limit_files(process, 4096)
        thread, results = in_thread(lambda: backend.evaluate_batch(mappings))
        with httpx.Client(base_url=url, timeout=30) as client:
            while_it_is_full(client, mappings)
            assert thread.is_alive()
            limit_files(process, resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1])
            thread.join(60)
            health = client.get("/v1/health").json()
        assert [one.step_times_ps for one in results[0]] == [expected(one) for one in mappings]
        assert (health["status"], health["reason"]) == ("ok", "")
        lines = (tmp_path / "log").read_text().splitlines()
        assert len(lines) == len(set(lines)) + 1 == 61  # the first has two repeats
        backend.close()
    finally:
        process.kill()
        process.wait()


def while_it_is_full(client: httpx.Client, mappings: list[Mapping]) -> None:
    """Health tells, what is stored is given out, and the rest is a 503 with a reason."""
    wait_until(lambda: client.get("/v1/health").json()["status"] == "failed", 60)
    assert "results cannot be stored" in client.get("/v1/health").json()["reason"]
    path = f"{PATH}/evaluate_batch"
    refused = client.post(path, json={"mappings": [candidate(mappings[-1], 7)], "wait_s": 0})
    assert refused.status_code == 503
    assert "results cannot be stored" in refused.json()["detail"]
    full = client.put(PATH, content=b"x" * 10_000)
    assert full.status_code == 503
    assert "the problem cannot be stored" in full.json()["detail"]
    stored = client.post(path, json={"mappings": [candidate(mappings[0])], "wait_s": 0})
    assert stored.json()["results"][0]["state"] == "done"


def test_the_limits_leave_room_for_what_people_have():
    limits = Limits()
    assert limits.problem_bytes <= limits.bodies_bytes
    assert limits.problem_bytes <= limits.stored_bytes
