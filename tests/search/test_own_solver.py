"""docs/own-solver.md, done as it says, in an environment of its own."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from loihi_gym.search import registry
from tests.pythons import fresh_python, install

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "own-solver.md").read_text()


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def command(tmp_path_factory) -> list[str]:
    """`loihi-gym` where the solver of the page is installed beside it."""
    home = tmp_path_factory.mktemp("own")
    (home / "package").mkdir()
    (home / "package" / "shuffle_solver.py").write_text(block("python"))
    (home / "package" / "pyproject.toml").write_text(block("toml"))
    python = fresh_python(home / "env", ROOT, ROOT / "baselines")
    install(python, home / "package")
    return [str(python), "-m", "loihi_gym.cli"]


def test_the_solver_of_the_page_is_fifteen_lines():
    code = [line for line in block("python").splitlines() if line and not line.startswith('"""')]
    assert len(code) <= 15


def test_it_runs_with_its_options_and_takes_something_off(command, tmp_path):
    words = ["solve", "shuffle", "mlp-xs", "--budget", "200", "--moved", "3", "--json"]
    done = subprocess.run(
        [*command, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["solver"] == "shuffle"
    assert result["evaluations"] == 200
    assert result["reduction"] > 0
    config = json.loads((tmp_path / "runs/mlp-xs/shuffle-seed0/config.json").read_text())
    assert config["config"]["options"] == {"moved": 3}


def test_annotations_may_be_strings(monkeypatch):
    """As in a module with ``from __future__ import annotations``."""

    def solve(session, fast: "bool" = False, moved: "int" = 4) -> None:
        """Of another package."""

    monkeypatch.setattr(registry, "load_solver", lambda _: solve)
    assert registry.parse_options("x", ["--fast", "--moved", "3"]) == {"fast": True, "moved": 3}


def test_it_is_listed_with_its_option(command):
    done = subprocess.run([*command, "solvers"], capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("shuffle "))
    assert "Shuffle a few cores at a time." in line
    assert line.rstrip().endswith("--moved")
