"""A small version of `perf/server_load.py`, as a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "perf" / "server_load.py"
linux = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")


@linux
def test_a_server_holds_under_load_and_under_kills(tmp_path):
    words = ("--requests", "400", "--kills", "4", "--state", str(tmp_path / "state"))
    done = subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "20 mappings measured, each once, all equal to local ones" in done.stdout
    assert "killed -9: " in done.stdout
