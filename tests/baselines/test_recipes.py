"""The recipe that trains on a family goes its whole way: too short to learn anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra 'rl'")
RECIPES = Path(__file__).parents[2] / "baselines" / "recipes"


def test_refine_ppo_trains_and_writes_curves(tmp_path):
    words = ["--steps", "512", "--problems", "1", "--out", str(tmp_path / "run")]
    script = str(RECIPES / "refine_ppo.py")
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = re.findall(r"^(untrained|trained): +-?[0-9.]+% off the reference$", done.stdout, re.M)
    assert said == ["untrained", "trained"]
    (events,) = (tmp_path / "run").glob("events.out.tfevents.*")
    assert b"train/reward of a commit" in events.read_bytes()
