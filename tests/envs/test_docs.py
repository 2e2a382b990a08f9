"""The pages of docs/environments and the tutorials are what the code says and does."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from loihi_gym import load, make_backend
from loihi_gym.mapping import Mapping
from loihi_gym.registering import ENVIRONMENTS

DOCS = Path(__file__).parents[2] / "docs"
RECIPES = DOCS.parent / "baselines" / "recipes"
HEADINGS = (
    "Description",
    "Action Space",
    "Observation Space",
    "Rewards",
    "Starting State",
    "Episode End",
    "Info",
    "Arguments",
    "Vectorized environment",
    "Version History",
)


def build():
    spec = importlib.util.spec_from_file_location("build", DOCS / "environments" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_not_stale():
    pages = build().pages()
    found = {
        path.name: path.read_text(encoding="utf-8") for path in (DOCS / "environments").glob("*.md")
    }
    assert found.keys() == pages.keys()
    for name, text in pages.items():
        assert found[name] == text, f"{name}: run docs/environments/build.py"


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_every_page_has_gymnasiums_headings_and_a_film(env_id):
    text = build().page(env_id)
    assert tuple(re.findall(r"^## (.*)$", text, re.M)) == HEADINGS
    (film,) = re.findall(r"\((.*\.gif)\)", text)
    path = DOCS / "environments" / film
    with Image.open(path) as image:
        assert min(image.size) > 300
        assert image.n_frames > 20
    assert path.stat().st_size < 300_000


def run_tutorial(name, directory, *words):
    script = RECIPES / f"{name}.py"
    page = (DOCS / "tutorials" / f"{name.replace('_', '-')}.md").read_text(encoding="utf-8")
    assert script.read_text(encoding="utf-8").strip() in page, "the page shows another script"
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), *words],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def reduction(path):
    problem = load("mlp-xs")
    backend = make_backend("mesh", problem)
    measured = backend.evaluate(Mapping.load(path))
    return 1 - measured.latency_ps / backend.evaluate(problem.reference_mapping).latency_ps


def test_the_hand_written_loop_beats_the_reference(tmp_path):
    out = run_tutorial("hand_written_loop", tmp_path)
    found = reduction(tmp_path / "mapping.json")
    assert found > 0.01
    assert f"{found:.1%} below the reference" in out
    lines = (RECIPES / "hand_written_loop.py").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith('"""')]) <= 20


def test_the_trained_agent_beats_the_reference(tmp_path):
    # A quarter of the steps, in which it learns enough to tell.
    out = run_tutorial("train_maskable_ppo", tmp_path, "--steps", "6144")
    found = reduction(tmp_path / "mapping.json")
    assert found > 0.0
    assert f"best mapping: {found:.1%} below the reference" in out
    before, after = (float(number) for number in re.findall(r"mean return ([+-][0-9.]+)", out))
    assert after > before
    assert (tmp_path / "mapping.png").stat().st_size > 1000
