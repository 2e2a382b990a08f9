import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from loihi_gym import Mapping, load, make_backend
from loihi_gym.errors import LoihiGymError, RunError, UnknownNameError
from loihi_gym.search import run
from loihi_gym.search.run import Config, free_directory, locked, read_config, resume, search
from loihi_gym.search.trace import read_trace

CONFIG = Config("ga", "mlp-xs", budget=120, seed=5, backend="bound")


def test_a_run_leaves_all_that_reproduces_it(tmp_path):
    out = tmp_path / "deep" / "run"
    outcome = search(CONFIG, out)
    assert outcome.evaluations == 120
    assert read_config(out) == CONFIG
    versions = json.loads((out / "config.json").read_text())["versions"]
    assert versions["pygad"]
    mapping = Mapping.load(out / "mapping.json")
    problem = load("mlp-xs")
    assert problem.check(mapping) == []
    measured = make_backend("bound", problem).evaluate(mapping)
    result = json.loads((out / "result.json").read_text())
    assert result == outcome.summary()
    assert result["latency_ps"] == measured.latency_ps
    assert result["reduction"] == 1 - measured.latency_ps / result["reference_latency_ps"]
    assert min(line.latency_ps for line in read_trace(out / "trace.jsonl")) == measured.latency_ps


@pytest.mark.parametrize("solver", ["ga", "random"])
def test_equal_seeds_make_equal_traces(tmp_path, solver):
    config = replace(CONFIG, solver=solver)
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        search(replace(config, seed=seed), tmp_path / name)
    a, b, c = ((tmp_path / name / "trace.jsonl").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_killed_run_resumes_to_the_same_result(tmp_path):
    config = replace(CONFIG, budget=6000)
    out, whole = tmp_path / "killed", tmp_path / "whole"
    command = [
        *(sys.executable, "-m", "loihi_gym.cli", "solve", "ga", "mlp-xs"),
        *("--budget", "6000", "--seed", "5", "--backend", "bound", "--out", str(out)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not _lines(out) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = _lines(out)
    assert 0 < before < 6000
    outcome = resume(out)
    assert outcome.costs.measured <= 6000 - before  # what was measured is not measured again
    expected = search(config, whole)
    assert outcome.summary() == expected.summary()
    assert (out / "trace.jsonl").read_bytes() == (whole / "trace.jsonl").read_bytes()


def _lines(out: Path) -> int:
    path = out / "trace.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_finished_run_resumes_to_itself(tmp_path):
    search(CONFIG, tmp_path)
    before = (tmp_path / "trace.jsonl").read_bytes()
    assert resume(tmp_path).costs.measured == 0
    assert (tmp_path / "trace.jsonl").read_bytes() == before


def test_directories_are_numbered_rather_than_reused(tmp_path):
    first = free_directory(CONFIG, tmp_path)
    assert first == tmp_path / "mlp-xs" / "ga-seed5"
    search(CONFIG, first)
    assert free_directory(CONFIG, tmp_path) == tmp_path / "mlp-xs" / "ga-seed5-2"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"budget": 0}, RunError, "budget = 0"),
        ({"budget": 10**10}, RunError, "budget = 10000000000"),
        ({"seed": -1}, RunError, "seed = -1"),
        ({"seed": 1 << 32}, RunError, "seed = 4294967296"),
        ({"seconds": -0.5}, RunError, "seconds = -0.5"),
        ({"solver": "gaa"}, UnknownNameError, "did you mean 'ga'"),
        ({"benchmark": "mlp-sx"}, UnknownNameError, "did you mean 'mlp-xs'"),
        ({"backend": "mash"}, UnknownNameError, "did you mean 'mesh'"),
        ({"options": {"foo": 1}}, LoihiGymError, "has no option 'foo'; it has: unseeded"),
    ],
)
def test_nothing_is_written_for_what_cannot_run(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        search(replace(CONFIG, **change), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_for_a_solver_that_is_not_all_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cma", None)
    with pytest.raises(LoihiGymError, match=r"'cma' needs cma: pip install \"loihi-gym\[compare"):
        search(replace(CONFIG, solver="cma", options={}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_directory_in_use_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty"):
        search(CONFIG, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_search_has_its_directory_to_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "LOCK_SECONDS", 0.1)
    search(CONFIG, tmp_path)
    with locked(tmp_path), pytest.raises(RunError, match="another process is searching there"):
        resume(tmp_path)
    resume(tmp_path)


def test_a_config_torn_by_a_kill_is_no_run(tmp_path):
    (tmp_path / ".config.json.yw9fcve8").write_text('{"con')  # as `write_text` leaves it then
    search(CONFIG, tmp_path)
    assert (tmp_path / "result.json").exists()
    assert list(tmp_path.glob(".config.json.*")) == []


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file/run cannot be written: Not a directory"):
        search(CONFIG, tmp_path / "file" / "run")
