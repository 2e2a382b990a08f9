import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from loihi_gym.backends.lava import LavaWorker, client, simulate
from loihi_gym.errors import LavaSetupError, LoihiGymError, MeasurementError
from loihi_gym.network import run
from tests.backends.lava.conftest import assert_gone
from tests.toys import toy_inputs, toy_network

PATIENCE = 60  # seconds until a test gives up on what should happen at once


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def shared_memory(token: str) -> list[Path]:
    return list(Path("/dev/shm").glob(f"psm_{token}_*"))


def children(pid: int) -> list[int]:
    return [other for other in client.group_members(pid) if other != pid]


class Request:
    """A request in a thread of its own, and the error it ends in."""

    def __init__(self, worker: LavaWorker, kind: str, **fields) -> None:
        self.error: BaseException | None = None

        def ask() -> None:
            try:
                worker.request(kind, **fields)
            except BaseException as error:
                self.error = error

        self._thread = threading.Thread(target=ask, daemon=True)
        self._thread.start()

    def finish(self) -> str:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return str(self.error)


@pytest.fixture
def busy(lava, long_job, started):
    """A worker in the middle of a long simulation, and the request for it."""
    with LavaWorker(limit_s=PATIENCE) as worker:
        request = Request(worker, "simulate", **long_job)
        # What Lava starts, and the shared memory of its channels.
        wait_for(lambda: started and len(children(started[0].process.pid)) > 8)
        wait_for(lambda: shared_memory(started[0].token))
        yield worker, request


def assert_works(worker: LavaWorker) -> None:
    network = toy_network()
    inputs = toy_inputs(network, 4)
    for ours, lavas in zip(run(network, inputs), simulate(worker, network, inputs), strict=True):
        assert np.array_equal(ours, lavas)


def test_a_worker_is_started_once(lava, started):
    with LavaWorker() as worker:
        assert worker.pid is None
        worker.request("describe")
        pid = worker.pid
        assert_works(worker)
        assert worker.pid == pid
    assert len(started) == 1
    assert worker.pid is None


def test_a_worker_has_a_session_of_its_own(lava):
    with LavaWorker() as worker:
        worker.request("describe")
        assert os.getsid(worker.pid) == worker.pid != os.getsid(0)


def test_a_request_that_takes_too_long_is_one_error(lava, long_job, started):
    with LavaWorker() as worker:
        with pytest.raises(MeasurementError, match=r"^Lava took longer than 2 s and was ended$"):
            worker.request("simulate", 2, **long_job)
        assert_gone(started[0])
        assert_works(worker)


def test_a_killed_worker_is_one_error(busy, started):
    worker, request = busy
    os.kill(worker.pid, signal.SIGKILL)
    assert request.finish() == "the Lava worker was ended by SIGKILL"
    assert_gone(started[0])
    assert_works(worker)


def test_a_killed_process_of_lava_is_one_error(busy, started):
    worker, request = busy
    os.kill(children(worker.pid)[3], signal.SIGKILL)
    assert "one of Lava's processes was ended by SIGKILL" in request.finish()
    assert_gone(started[0])
    assert_works(worker)


def test_a_full_shared_memory_is_named(busy):
    worker, request = busy
    os.kill(children(worker.pid)[3], signal.SIGBUS)  # what a write beyond a full tmpfs causes
    assert "was ended by SIGBUS: is /dev/shm full?" in request.finish()


def test_a_process_of_lava_that_stops_is_one_error(lava, long_job, started):
    with LavaWorker(limit_s=4) as worker:
        request = Request(worker, "simulate", **long_job)
        wait_for(lambda: started and len(children(started[0].process.pid)) > 8)
        os.kill(children(worker.pid)[3], signal.SIGSTOP)
        assert request.finish() == "Lava took longer than 4 s and was ended"
        assert_gone(started[0])
        assert_works(worker)


def test_an_exception_in_a_process_of_lava_is_one_error(lava, tmp_path, started):
    from loihi_gym.backends.lava.jobs import job_file

    network = toy_network()
    with LavaWorker(limit_s=30) as worker:
        job = job_file(worker, network, toy_inputs(network, 4))
        with job as path, pytest.raises(MeasurementError, match=r"^Lava failed: \w"):
            worker.request("simulate", job=str(path), folder=str(tmp_path / "absent"))
        assert_gone(started[0])
        assert_works(worker)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("simulate", {"job": "/absent.npz", "folder": "/"}, "FileNotFoundError.*absent.npz"),
        ("simulate", {}, "KeyError: 'job'"),
        ("dance", {}, "unknown kind of request: 'dance'"),
    ],
)
def test_a_bad_request_is_one_error(lava, kind, fields, message):
    with LavaWorker() as worker:
        with pytest.raises(MeasurementError, match=message):
            worker.request(kind, **fields)
        assert_works(worker)


def test_jobs_go_with_the_worker(lava):
    from loihi_gym.backends.lava.jobs import job_file

    network = toy_network()
    with LavaWorker() as worker, job_file(worker, network, toy_inputs(network, 4)) as path:
        assert path.exists()
        worker.close()
        assert not path.exists()


def test_an_interrupted_request_ends_the_worker(lava, long_job, started, monkeypatch):
    with LavaWorker() as worker:
        assert_works(worker)

        def interrupt(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(client.select, "select", interrupt)
            with pytest.raises(KeyboardInterrupt):
                worker.request("simulate", **long_job)
        assert_gone(started[0])
        assert_works(worker)  # and does not get the answer to the other request


def test_a_forgotten_worker_is_ended(lava, started):
    LavaWorker().request("describe")
    assert_gone(started[0])


def test_requests_of_several_threads_take_turns(lava):
    with LavaWorker(limit_s=PATIENCE) as worker:
        requests = [Request(worker, "describe") for _ in range(8)]
        assert [request.finish() for request in requests] == ["None"] * 8


CLIENT = """
import sys, threading
from loihi_gym.backends.lava import LavaWorker
worker = LavaWorker()
worker.request("describe")
print(worker.pid, worker._running.token, worker._running.folder, flush=True)
{last}
"""


@pytest.mark.parametrize("end", ["killed", "exit", "crash"])
def test_nothing_outlives_the_client(lava, long_job, end):
    last = {
        "killed": f"worker.request('simulate', **{long_job})",
        "exit": "threading.Timer(1, sys.exit).start()",
        "crash": "raise RuntimeError",
    }[end]
    program = subprocess.Popen(
        [sys.executable, "-c", CLIENT.format(last=last)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    pid, token, folder = program.stdout.readline().split()
    if end == "killed":
        wait_for(lambda: shared_memory(token))
        program.kill()
    program.wait(PATIENCE)
    program.stdout.close()
    wait_for(lambda: not client.group_members(int(pid)))
    assert not shared_memory(token)
    assert not Path(folder).exists()


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo no module named lava >&2; exit 3", "ended with exit code 3: no module named lava$"),
        ("exit 4", "ended with exit code 4: it said nothing$"),
        ("read line; echo hello; sleep 1000", "answered nonsense: b'hello'$"),
        ('read line; echo "[]"; sleep 1000', "answered nonsense"),
        ('read line; echo "{\\"id\\": 7, \\"ok\\": true}"; sleep 1000', "answered nonsense"),
        ("sleep 1000", "took longer than 1 s"),
        ("exec >&- ; sleep 1000", "closed its pipe$"),
    ],
)
def test_a_worker_that_is_no_worker(tmp_path, monkeypatch, text, message):
    monkeypatch.setenv("LOIHI_GYM_LAVA_PYTHON", program(tmp_path / "python", text))
    if "took" in message:
        monkeypatch.setattr(client, "START_SECONDS", 1)
    if "closed" in message:
        monkeypatch.setattr(client, "KILL_SECONDS", 1)
    worker = LavaWorker()
    with pytest.raises(MeasurementError, match=message) as raised:
        worker.request("describe")
    assert "\n" not in str(raised.value)


def test_without_an_environment_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("LOIHI_GYM_LAVA_PYTHON", raising=False)
    monkeypatch.setenv("LOIHI_GYM_LAVA_HOME", str(tmp_path))
    with pytest.raises(LavaSetupError, match=r"run: loihi-gym lava install$"):
        LavaWorker().request("describe")


def test_elsewhere_than_on_linux_mesh_is_named(monkeypatch):
    monkeypatch.setattr(client.sys, "platform", "win32")
    with pytest.raises(LoihiGymError, match="needs Linux; elsewhere use backend='mesh'"):
        LavaWorker().request("describe")
