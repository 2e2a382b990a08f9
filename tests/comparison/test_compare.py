import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

from loihi_gym import load, make_backend
from loihi_gym.benchmarks.suite import load_suite
from loihi_gym.cli import main
from loihi_gym.comparison.archive import write_archive
from loihi_gym.comparison.plan import Scope, contender, plan, read_plan, write_plan
from loihi_gym.comparison.report import write_report
from loihi_gym.comparison.results import read_results
from loihi_gym.comparison.runner import run_all, run_task
from loihi_gym.errors import LoihiGymError, RunError, UnknownNameError
from loihi_gym.search.trace import read_trace

SUITE = replace(
    Scope.of(load_suite("sparse-mlp-v1")),
    problems=("mlp-xs",),
    backend="bound",
    seeds={20: 3, 50: 2},
)
SOLVERS = ("random", "anneal", "ga:unseeded")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("compared")
    made = plan(SUITE, SOLVERS, out)
    write_plan(made, out)
    run_all(made, 1, "local")
    return made, out


def test_a_plan_runs_anytime_solvers_once_per_seed(tmp_path):
    made = plan(SUITE, SOLVERS, tmp_path)
    searches = {
        label: sorted((t.config.budget, t.config.seed) for t in made.tasks if t.label == label)
        for label in SOLVERS
    }
    assert searches["anneal"] == [(20, 0), (20, 1), (20, 2), (50, 0), (50, 1)]
    assert searches["random"] == searches["ga:unseeded"] == [(20, 2), (50, 0), (50, 1)]
    assert contender("ga:unseeded").options == {"unseeded": True}
    assert contender("nested-es:start=random").options == {"start": "random"}


def test_what_is_there_is_not_run_again(done):
    made, out = done
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.json*")}
    again = []
    run_all(read_plan(out), 1, "local", again.append)
    assert again == []
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.json*")} == before
    assert all(task.done for task in made.tasks)


def test_results_are_those_of_the_traces(done):
    made, out = done
    results = read_results(made, out)
    reference = make_backend("bound", load("mlp-xs")).evaluate(load("mlp-xs").reference_mapping)
    for label in SOLVERS:
        for budget, count in SUITE.seeds.items():
            runs = results.of(label, "mlp-xs", budget)
            assert [run.task.config.seed for run in runs] == list(range(count))
            for run, reduction in zip(
                runs, results.reductions(label, "mlp-xs", budget), strict=True
            ):
                trace = read_trace(run.task.out / "trace.jsonl")[:budget]
                best = min(line.latency_ps for line in trace)
                assert reduction == 1 - best / reference.latency_ps
    (instance,) = results.instances
    assert instance.lower_bound_ps <= instance.best_ps
    assert results.labels[0] == max(
        SOLVERS, key=lambda label: results.reductions(label, "mlp-xs", 50).mean()
    )


def test_a_report_holds_its_numbers_and_needs_no_other_file(done):
    made, out = done
    page = write_report(made, out)
    text, html = (out / "report.md").read_text(), page.read_text()
    results = read_results(made, out)
    for label in SOLVERS:
        median = 100 * np.median(results.reductions(label, "mlp-xs", 50))
        row = next(
            line for line in text.split("## mlp-xs")[1].splitlines() if f"| {label} |" in line
        )
        assert f" {median:.1f} (" in row
        assert f"<td>{label}</td>" in html
    assert html.count("<img") == html.count("src=") == html.count("data:image/png;base64,") == 2
    origin = text.split("## Origin")[1]
    assert f"gymnasium {version('gymnasium')}" in origin
    for label in SOLVERS:
        (commit,) = {run.commit for run in results.runs if run.task.label == label}
        assert f"| {label} | {(commit or 'release')[:7]} |" in origin
    assert "measured on <code>bound</code>" in html
    assert "http" not in html.split("</style>")[1]
    assert (out / "curves-mlp-xs.png").read_bytes().startswith(b"\x89PNG")


def test_an_archive_gives_the_same_report(done, tmp_path):
    made, out = done
    write_report(made, out)
    packed = tmp_path / "a.tar.xz"
    assert write_archive(made, out, packed) == len(made.tasks)
    with pytest.raises(SystemExit) as stop:
        main(["archive", str(out), "-o", str(tmp_path / "b.tar.xz")])
    assert stop.value.code == 0
    assert packed.read_bytes() == (tmp_path / "b.tar.xz").read_bytes()
    with tarfile.open(packed) as tar:
        tar.extractall(tmp_path / "again", filter="data")
    again = read_plan(tmp_path / "again")
    assert all(task.done for task in again.tasks)
    write_report(again, tmp_path / "again")
    assert (tmp_path / "again" / "report.md").read_text() == (out / "report.md").read_text()
    shorter = [read_trace(t.out / "trace.jsonl", whole=False) for t in again.tasks]
    assert sum(map(len, shorter)) < sum(len(read_trace(t.out / "trace.jsonl")) for t in made.tasks)
    with pytest.raises(RunError, match="stands where"):
        read_trace(again.tasks[0].out / "trace.jsonl")


def test_an_archive_of_nothing_is_refused(tmp_path):
    write_plan(plan(SUITE, SOLVERS, tmp_path), tmp_path)
    with pytest.raises(RunError, match="holds no finished run"):
        write_archive(read_plan(tmp_path), tmp_path, tmp_path / "a.tar.xz")
    with pytest.raises(SystemExit) as stop:
        main(["archive", str(tmp_path / "none"), "-o", str(tmp_path / "a.tar.xz")])
    assert stop.value.code == 2
    assert not (tmp_path / "a.tar.xz").exists()


@pytest.mark.parametrize("forged_lines", [20, 50])
def test_a_report_refuses_what_was_not_measured(forged_lines, done, tmp_path):
    """What a run says of its smaller budget included."""
    made, out = done
    task = next(one for one in made.tasks if (one.label, one.config.budget) == ("random", 50))
    others = [one for one in made.tasks if one is not task]
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in task.out.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    trace = (copy / "trace.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in trace]
    for line in lines[:forged_lines]:  # a solver that says of itself to be a picosecond faster
        line["step_times_ps"][0] -= 1
        line["latency_ps"] -= 1
    (copy / "trace.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    forged = replace(made, tasks=(replace(task, out=copy), *others))
    with pytest.raises(RunError, match=r"the best mapping of .* its trace says"):
        read_results(forged, out)


def test_a_report_names_what_is_missing(tmp_path):
    made = plan(SUITE, SOLVERS, tmp_path)
    with pytest.raises(RunError, match="11 of 11 runs"):
        read_results(made, tmp_path)
    with pytest.raises(RunError, match="holds no comparison"):
        read_plan(tmp_path)


def test_another_search_in_a_runs_directory_is_left_alone(tmp_path):
    task = plan(SUITE, ["random"], tmp_path).tasks[0]
    run_task(task)
    with pytest.raises(RunError, match="holds another search"):
        run_task(replace(task, config=replace(task.config, budget=99)))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (["random", "random"], LoihiGymError, "stands twice"),
        (["rondom"], UnknownNameError, "did you mean 'random'"),
        (["ga:seeded"], LoihiGymError, "--seeded"),
        (["nested-es:start"], LoihiGymError, "--start needs a value"),
        (["ga:unseeded=false"], LoihiGymError, "--unseeded takes no value"),
    ],
)
def test_what_cannot_be_compared_is_named(tmp_path, labels, error, message):
    with pytest.raises(error, match=message):
        plan(SUITE, labels, tmp_path)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("sb3_contrib", r"solver 'dqn' needs sb3_contrib: pip install \"loihi-gym\[rl\]\""),
        ("matplotlib", r"comparing needs matplotlib: pip install \"loihi-gym\[compare\]\""),
        ("ray", r"--executor ray needs ray: pip install \"loihi-gym\[ray\]\""),
    ],
)
def test_a_missing_package_is_named_before_any_search(tmp_path, monkeypatch, module, message):
    """And not hours later, when its turn has come."""
    made = plan(SUITE, ["random", "dqn"], tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(LoihiGymError, match=message):
        run_all(made, 1, "ray" if module == "ray" else "local")
    assert not any(task.out.exists() for task in made.tasks)


def test_a_worker_ends_with_its_comparison(tmp_path):
    """It would go on writing to what is resumed."""
    task = plan(SUITE, ["random"], tmp_path).tasks[0]
    with pytest.raises(RunError, match="the comparison was killed"):
        run_task(task, master=-1)  # neither this process nor the one that started it
    assert not task.done
    assert run_task(task, master=os.getppid()).done


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_comparison_goes_on(jobs, tmp_path):
    out = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "loihi_gym.cli", "compare", "sparse-mlp-v1"),
        *("--problems", "mlp-xs", "--solvers", "random,hillclimb", "--budgets", "300"),
        *("--seeds", "2", "--jobs", str(jobs), "--out", str(out)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.rglob("result.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = {path: path.stat().st_mtime_ns for path in out.rglob("result.json")}
    assert 0 < len(finished) < 4
    with pytest.raises(SystemExit) as end:
        main(command[3:])
    assert end.value.code == 0
    assert len(list(out.rglob("result.json"))) == 4
    assert all(path.stat().st_mtime_ns == when for path, when in finished.items())
    assert (out / "report.html").exists()


def test_tensorboard_sees_all_runs_side_by_side(done):
    made, out = done
    events = EventMultiplexer().AddRunsFromDirectory(str(out))
    events.Reload()
    names = {str(task.out.relative_to(out)) for task in made.tasks}
    assert names == {"mlp-xs/" + name.removeprefix("mlp-xs/") for name in events.Runs()}
    for task in made.tasks:
        run = str(task.out.relative_to(out))
        tags = events.Runs()[run]
        assert {"latency_us", "best/latency_us", "best/reduction"} <= set(tags["scalars"])
        assert tags["images"] == ["best/mesh"]
        best = min(line.latency_ps for line in read_trace(task.out / "trace.jsonl"))
        assert events.Scalars(run, "best/latency_us")[-1].value == pytest.approx(best * 1e-6)
        assert len(events.Scalars(run, "latency_us")) == task.config.budget


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "nope"], "unknown suite 'nope'"),
        (["compare", "sparse-mlp-v1", "--jobs", "0"], "--jobs': 0 is not in"),
        (["compare", "sparse-mlp-v1", "--budgets", "1,x"], "not whole numbers"),
        (["compare", "sparse-mlp-v1", "--seeds", "1,2"], "give one number, or one for each"),
        (["compare", "sparse-mlp-v1", "--problems", "mlp-zz"], "not in suite"),
        (["report", "nowhere"], "holds no comparison"),
        (["tensorboard", "nowhere"], "no directory nowhere"),
    ],
)
def test_bad_input_ends_with_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert list(Path().iterdir()) == []


def test_ray_does_the_same_work(tmp_path):
    """A local Ray of two workers."""
    ray = pytest.importorskip("ray", reason="needs the extra 'ray'")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        suite = replace(SUITE, seeds={20: 2})
        made = plan(suite, ["random", "hillclimb"], tmp_path / "ray")
        run_all(made, 2, "ray")
    finally:
        ray.shutdown()
    local = plan(suite, ["random", "hillclimb"], tmp_path / "local")
    run_all(local, 1, "local")
    for a, b in zip(made.tasks, local.tasks, strict=True):
        assert (a.out / "trace.jsonl").read_bytes() == (b.out / "trace.jsonl").read_bytes()
