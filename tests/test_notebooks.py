"""The notebooks of the docs: each runs from top to bottom, and says what it promises."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SAID = {
    "map-your-network": r"Outcome\(map on mine: latency \d+\.\d% below .*over 13 chips",
    "submit-to-the-board": r"score 1\.\d+: accepted",
    "train-an-agent": r"\d+\.\d% below the reference",
}
"""What an output has to have."""


@pytest.fixture
def badges(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    return import_module("badges")


def test_each_notebook_is_listed_and_looked_at():
    page = (ROOT / "docs" / "notebooks.md").read_text()
    assert [path.stem for path in NOTEBOOKS] == sorted(SAID)
    assert all(f"(notebooks/{path.name})" in page for path in NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path):
    copy = Path(shutil.copy(path, tmp_path))
    places = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    settings = os.environ | dict.fromkeys(places, str(tmp_path / "home"))
    settings["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{settings['PATH']}"
    program = Path(sys.executable).with_name("jupyter-execute")
    command = [str(program), "--inplace", "--kernel_name=python3", str(copy)]
    done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(SAID[path.stem], said(copy))


def said(path: Path) -> str:
    """Everything that the cells printed and ended with, as text."""
    cells = json.loads(path.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    texts = [out.get("text") or out.get("data", {}).get("text/plain", "") for out in outputs]
    return "".join("".join(text) for text in texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    cells = json.loads(path.read_text())["cells"]
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_button_opens_it_in_colab_once_there_is_an_address(badges, tmp_path, path):
    copy = tmp_path / path.name
    address = "https://github.com/somebody/loihi_gym"
    copy.write_text(badges.with_badge(path, address))
    opened = f"{badges.COLAB}/github/somebody/loihi_gym/blob/main/docs/notebooks/{path.name}"
    assert copy.read_text().count(f"({opened})") == 1
    assert badges.with_badge(copy, address) == copy.read_text()
    assert badges.with_badge(copy, "") == path.read_text()
