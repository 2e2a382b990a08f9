"""Comparisons whose files were damaged, whose disk is full, whose workers are killed."""

import errno
import json
import os
import signal
from dataclasses import replace

import pytest
from joblib.externals.loky import reusable_executor

from loihi_gym.benchmarks.suite import load_suite
from loihi_gym.cli import main
from loihi_gym.comparison import document, plan, runner
from loihi_gym.comparison.archive import write_archive
from loihi_gym.comparison.plan import Scope, read_plan, write_plan
from loihi_gym.comparison.report import write_report
from loihi_gym.comparison.results import read_results
from loihi_gym.comparison.runner import run_all
from loihi_gym.errors import LoihiGymError, RunError
from loihi_gym.search import storage

SUITE = replace(
    Scope.of(load_suite("sparse-mlp-v1")), problems=("mlp-xs",), backend="bound", seeds={20: 1}
)
NOTE = {
    "suite": "s",
    "description": "d",
    "problems": ["mlp-xs"],
    "backend": "bound",
    "seeds": {"20": 1},
    "solvers": ["random"],
}


@pytest.fixture
def done(tmp_path):
    out = tmp_path / "compared"
    made = plan.plan(SUITE, ("random",), out)
    write_plan(made, out)
    run_all(made, 1, "local")
    return made, out


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 50_000,
        "[]",
        "{}",
        *(json.dumps(NOTE | {key: value}) for key, value in [
            ("backend", 3),
            ("problems", 3),
            ("problems", []),
            ("problems", [3]),
            ("problems", ["../elsewhere"]),
            ("seeds", [20]),
            ("seeds", {}),
            ("seeds", {"x": 1}),
            ("seeds", {"20": 10**12}),
            ("seeds", {"20": 1.5}),
            ("seeds", {"0": 1}),
            ("solvers", ["nobody"]),
            ("solvers", 3),
        ]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["report", "archive"])
def test_a_malformed_plan_is_one_line(tmp_path, capsys, text, command):
    (tmp_path / "compare.json").write_text(text)
    with pytest.raises(LoihiGymError):
        read_plan(tmp_path)
    more = ["-o", str(tmp_path / "a.tar.xz")] if command == "archive" else []
    with pytest.raises(SystemExit) as end:
        main([command, str(tmp_path), *more])
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["compare.json"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("lower-bounds.json", "[]", "lower-bounds.json holds no lower bounds"),
        ("lower-bounds.json", '{"mlp-xs": "x"}', "lower-bounds.json holds no lower bounds"),
        ("costs.jsonl", "{}\n", "costs.jsonl, line 1 holds no costs"),
        ("trace.jsonl", "", r"trace\.jsonl is not of 20 evaluations"),
        ("config.json", '{"config": {}}', r"config\.json does not say what the run began with"),
    ],
)
def test_what_a_report_cannot_read_is_named(done, name, text, message):
    made, out = done
    holder = out if name.startswith("lower") else made.tasks[0].out
    (holder / name).write_text(text)
    with pytest.raises(RunError, match=message):
        read_results(made, out)


def test_a_trace_of_more_evaluations_than_its_budget_is_refused(done):
    """Their number is not believed: a list of that length would be made."""
    made, out = done
    path = made.tasks[0].out / "trace.jsonl"
    line = json.loads(path.read_text().splitlines()[-1]) | {"evaluation": 10**15}
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    with pytest.raises(RunError, match="not of 20 evaluations at most"):
        read_results(made, out)


def test_a_full_disk_leaves_the_old_files(done, monkeypatch, tmp_path):
    made, out = done
    write_report(made, out)
    packed = tmp_path / "a.tar.xz"
    write_archive(made, out, packed)
    before = {path: path.read_bytes() for path in [*out.glob("*.*"), packed]}
    for module in ("document", "archive"):
        monkeypatch.setattr(f"loihi_gym.comparison.{module}.write_bytes", no_space)
    monkeypatch.setattr(document, "write_text", no_space)
    monkeypatch.setattr(storage, "write_text", no_space)
    for write in (
        lambda: write_report(made, out),
        lambda: write_archive(made, out, packed),
        lambda: write_plan(made, out),
    ):
        with pytest.raises(RunError, match="cannot be written: No space left"):
            write()
    assert {path: path.read_bytes() for path in before} == before


def test_a_killed_worker_is_named_and_what_is_done_is_kept(tmp_path, monkeypatch):
    made = plan.plan(replace(SUITE, seeds={20: 2}), ("random",), tmp_path)
    runner.run_task(made.tasks[0])
    with monkeypatch.context() as patch:
        patch.setattr(runner, "run_task", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        with pytest.raises(RunError, match="a worker process was killed"):
            run_all(made, 2, "local")
    assert [task.done for task in made.tasks] == [True, False]
    assert reusable_executor._executor._flags.shutdown, "workers are left over"
    run_all(made, 1, "local")
    assert all(task.done for task in made.tasks)
