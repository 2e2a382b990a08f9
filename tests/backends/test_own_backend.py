"""docs/own-backend.md, done as it says, in an environment of its own."""

import json
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "own-backend.md").read_text()
PLAIN = """
[project.entry-points."loihi_gym.backends"]
mesh = "nowhere:Nothing"
broken = "nowhere:Nothing"
number = "math:pi"
"""
SUITE = """
description = "A torus"
backend = "torus"
problems = [{ name = "mlp-xs" }]
seeds = { 20 = 1 }
"""
EPISODE = """
import gymnasium, loihi_gym, numpy as np
from torus_backend import TorusBackend
env = gymnasium.make("LoihiPlace-v0", benchmark="mlp-xs", backend="torus", render_mode="ansi")
_, info = env.reset(seed=0)
backend = loihi_gym.make_backend("torus", loihi_gym.load("mlp-xs"))
assert type(backend) is TorusBackend
reference = backend.evaluate(backend.problem.reference_mapping)
assert round(info["latency_s"] * 1e12) == reference.latency_ps, info
assert info["bottleneck_kind"] == -1 and reference.energy_fj is None
for _ in range(5):
    observation, _, *_, info = env.step(env.action_space.sample(info["action_mask"]))
now = backend.evaluate(env.unwrapped.mapping)
assert round(info["latency_s"] * 1e12) == now.latency_ps
assert observation["links"].max() > 0
print(env.render())
"""


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def install(home: Path, name: str, project: str, module: str | None) -> None:
    (home / name).mkdir()
    (home / name / "pyproject.toml").write_text(project)
    if module is not None:
        (home / name / "torus_backend.py").write_text(module)
    words = [sys.executable, "-m", "pip", "--python", str(home / "env" / "bin" / "python")]
    words += ["install", "--quiet", "--no-deps", str(home / name)]
    subprocess.run(words, check=True)


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> str:
    """Python where the backend of the page is installed, and a package with faults."""
    home = tmp_path_factory.mktemp("own")
    venv.create(home / "env", with_pip=False)
    site = home / "env" / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    paths = [sysconfig.get_paths()["purelib"], str(ROOT)]
    lines = "".join(f"import site; site.addsitedir({path!r})\n" for path in paths)
    (site / "shared.pth").write_text(lines)
    install(home, "page", block("toml"), block("python"))
    faulty = '[project]\nname = "faulty"\nversion = "1"\n[tool.setuptools]\npy-modules = []\n'
    install(home, "faulty", faulty + PLAIN, None)
    return str(home / "env" / "bin" / "python")


def run(python: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [python, "-m", "loihi_gym.cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def good(python: str, folder: Path, *words: str) -> str:
    done = run(python, folder, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_backend_of_the_page_is_forty_lines():
    code = [line for line in block("python").splitlines() if line and '"""' not in line]
    assert len(code) <= 40


def test_an_environment_runs_on_it(python, tmp_path):
    done = subprocess.run([python, "-c", EPISODE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "bottleneck: not measured" in done.stdout


def test_it_measures_one_mapping(python, tmp_path):
    out = good(python, tmp_path, "evaluate", "mlp-xs", "balanced/strided", "--backend", "torus")
    assert "on torus" in out
    for word in ("energy", "bottleneck", "lower bound", "messages"):
        assert word not in out
    words = ("evaluate", "mlp-xs", "balanced/strided", "--backend", "torus", "--json")
    found = json.loads(good(python, tmp_path, *words))
    assert found["energy_fj"] is found["bottleneck"] is found["lower_bound_ps"] is None
    assert found["latency_ps"] == sum(found["step_times_ps"])


@pytest.mark.parametrize("solver", ["ga", "greedy"])
def test_solvers_search_on_it(python, tmp_path, solver):
    words = ("solve", solver, "mlp-xs", "--backend", "torus", "--budget", "60", "--out", "run")
    out = good(python, tmp_path, *words)
    assert "lower bound" not in out
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["backend"] == "torus"
    # Interrupted and resumed it gives the same bytes.
    trace = (tmp_path / "run" / "trace.jsonl").read_bytes()
    (tmp_path / "run" / "trace.jsonl").write_bytes(b"".join(trace.splitlines(True)[:30]))
    (tmp_path / "run" / "result.json").unlink()
    good(python, tmp_path, "solve", "--resume", "run")
    assert (tmp_path / "run" / "trace.jsonl").read_bytes() == trace
    assert json.loads((tmp_path / "run" / "result.json").read_text()) == result


def test_map_replay_and_render(python, tmp_path):
    words = ("--backend", "torus", "--budget", "20", "-o", "found.json", "--out", "run")
    good(python, tmp_path, "map", "mlp-xs", *words)
    good(python, tmp_path, "render", "mlp-xs", "found.json", "--backend", "torus", "-o", "a.png")
    good(python, tmp_path, "replay", "run", "-o", "a.gif", "--frames", "2")


def test_solvers_are_compared_on_it(python, tmp_path):
    (tmp_path / "torus.toml").write_text(SUITE)
    good(python, tmp_path, "compare", "torus.toml", "--solvers", "random,packed", "--out", "whole")
    report = (tmp_path / "whole" / "report.md").read_text()
    assert "measured on `torus`" in report
    assert "| random |" in report
    words = ("--solvers", "random", "--budgets", "10", "--seeds", "1", "--problems", "mlp-xs")
    good(python, tmp_path, "compare", "sparse-mlp-v1", "--backend", "torus", *words, "--out", "b")
    assert "--backend torus" in (tmp_path / "b" / "report.md").read_text()
    words = ("compare-backends", "mlp-xs", "--backends", "torus,bound", "--mappings", "6")
    assert "torus / bound" in good(python, tmp_path, *words)


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("mesh", "backend 'mesh' is declared by faulty and by loihi-gym: uninstall one"),
        ("broken", "cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ("number", "backend 'number' is 3.14"),
        ("tours", "unknown backend 'tours'; did you mean 'torus'?"),
    ],
)
def test_a_plugin_with_a_fault_is_one_line(python, tmp_path, backend, message):
    done = run(python, tmp_path, "evaluate", "mlp-xs", "balanced/strided", "--backend", backend)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
