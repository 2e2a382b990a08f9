"""Lava's environment, made once and kept between runs; and the proof that nothing is left behind.

Where no Python 3.10 can be had, these tests are skipped and the summary says so. With CI=true they
fail instead.
"""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from loihi_gym.backends.lava import LavaWorker, client, home
from loihi_gym.errors import LavaSetupError
from tests.toys import toy_inputs, toy_network

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]  # nor does the worker run elsewhere

HOME = Path(__file__).parents[3] / ".lava"
FAKE_LOIHI = Path(__file__).parent / "fake_loihi"
PARTS = ("process", "token", "folder")
LONG = 500_000  # steps that take Lava minutes

not_tested: list[str] = []


@pytest.fixture(scope="session")
def lava() -> Path:
    """Interpreter of the worker's environment."""
    os.environ.setdefault(home.HOME_VARIABLE, str(HOME))
    try:
        return home.install()
    except LavaSetupError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test Lava: {error}")
        not_tested.append(str(error))
        pytest.skip(str(error))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not_tested:
        terminalreporter.section("LAVA WAS NOT TESTED", sep="!", red=True, bold=True)
        terminalreporter.line(not_tested[0], red=True)


@pytest.fixture(scope="session")
def shared(lava) -> Iterator[LavaWorker]:
    """A worker for tests that do not harm it."""
    with LavaWorker(limit_s=120) as worker:
        worker.request("describe")
        running = worker._running
        yield worker
    assert_gone(running)


@pytest.fixture(autouse=True)
def started(monkeypatch) -> Iterator[list]:
    """Every worker that a test started; in the end, all of each must be gone."""
    running = []

    class Recorded(client._Running):
        def __init__(self, environment):
            super().__init__(environment)
            # Not the object itself, whose end ends the worker.
            running.append(SimpleNamespace(**{name: getattr(self, name) for name in PARTS}))

    monkeypatch.setattr(client, "_Running", Recorded)
    yield running
    gc.collect()
    for one in running:
        assert_gone(one)


def assert_gone(running) -> None:
    """No process, shared memory, semaphore or folder of a worker is left."""
    assert client.group_members(running.process.pid) == []
    assert [path.name for path in Path("/dev/shm").iterdir() if running.token in path.name] == []
    assert not running.folder.exists()


def fake_environment(*faults: str) -> dict[str, str]:
    """Variables under which the worker finds the fake of the closed interfaces, and a SLURM."""
    return {
        "PYTHONPATH": str(FAKE_LOIHI),
        "PATH": f"{FAKE_LOIHI}:{os.environ['PATH']}",
        "FAKE_LOIHI": ",".join(faults),
    }


@pytest.fixture(scope="session")
def long_job(shared, tmp_path_factory) -> dict[str, str]:
    """Fields of a simulate request that Lava takes minutes for."""
    from loihi_gym.backends.lava.jobs import job_file

    network = toy_network((4, 5, 3))
    folder = tmp_path_factory.mktemp("long")
    with job_file(shared, network, toy_inputs(network, LONG)) as job:
        (folder / "job.npz").write_bytes(job.read_bytes())
    return {"job": str(folder / "job.npz"), "folder": str(folder)}
