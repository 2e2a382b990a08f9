"""Compiling where nothing can be kept, on a full disk, or with numba switched off."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import numpy as np
from loihi_gym.compiled import kernel
from loihi_gym.mapping.loads_kernel import receive_rows

rows = np.zeros((1, 2), np.int64)
receive_rows(np.array([[0, 3]]), (20, 1, 560, 370), rows)
print(rows.tolist(), receive_rows.stats.cache_path)
"""
NOWHERE = """
from numba.core import caching

def refuse(self):
    raise PermissionError("read-only")

caching._CacheLocator.ensure_cache_path = refuse
"""
FULL = """
import errno
from numba.core import caching

def refuse(self, *args):
    raise OSError(errno.ENOSPC, "No space left on device")

caching.Cache._save_overload = refuse
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
    )


@pytest.mark.parametrize("nuisance", [NOWHERE, FULL])
def test_kernels_compile_where_nothing_can_be_kept(nuisance, tmp_path):
    done = python(nuisance + MEASURE, NUMBA_CACHE_DIR=str(tmp_path / "new"), HOME="/nonexistent")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[[0, 2230]]")
    assert not list(tmp_path.rglob("*.nbc"))


def test_a_cache_directory_that_is_a_file(tmp_path: Path):
    taken = tmp_path / "taken"
    taken.write_text("a file")
    done = python(MEASURE, NUMBA_CACHE_DIR=str(taken), HOME=str(taken))
    assert done.stdout.startswith("[[0, 2230]]"), done.stderr


def test_kernels_are_kept_where_numba_is_told_to(tmp_path):
    done = python(MEASURE, NUMBA_CACHE_DIR=str(tmp_path))
    assert str(tmp_path) in done.stdout, done.stderr
    assert list(tmp_path.rglob("*.nbc"))


def test_a_torn_file_is_compiled_anew(tmp_path):
    python(MEASURE, NUMBA_CACHE_DIR=str(tmp_path))
    for index in tmp_path.rglob("*.nbi"):
        index.write_bytes(index.read_bytes()[:10])
    done = python(MEASURE, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.stdout.startswith("[[0, 2230]]"), done.stderr


def test_switched_off_numba_is_refused_in_one_line():
    solve = "import loihi_gym.cli as cli; cli.main(['solve', 'packed', 'mlp-xs'])"
    done = python(solve, NUMBA_DISABLE_JIT="1")
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "NUMBA_DISABLE_JIT is set" in done.stderr
    assert python("import loihi_gym, loihi_gym_baselines", NUMBA_DISABLE_JIT="1").returncode == 0


SLOW = """
import time
from loihi_gym import compiled
compiled.PATIENCE_S = 0.0
with compiled.told("a kernel"):
    time.sleep(0.2)
"""


@pytest.mark.parametrize(("nuisance", "how"), [("", "(once,"), (NOWHERE, "(in every process,")])
def test_long_compiling_is_told_once(nuisance, how):
    code = nuisance + "import loihi_gym.mapping.loads_kernel\n" + SLOW
    done = python(code)
    assert done.stderr.count("\n") == 1
    assert f"loihi-gym: compiling a kernel {how}" in done.stderr
    assert ("NUMBA_CACHE_DIR" in done.stderr) == bool(nuisance)


TOGETHER = """
import os, pathlib, sys, time
import numpy as np
from numba.core.caching import IndexDataCacheFile
from loihi_gym.compiled import kernel
from tests.test_compiled import doubled

mine, other = sys.argv[1:]
here = pathlib.Path(os.environ["NUMBA_CACHE_DIR"])
save = IndexDataCacheFile._save_index

def meet(where, seconds):
    (here / f"{mine} {where}").touch()
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (here / f"{other} {where}").exists():
        time.sleep(0.01)

def together(self, names):
    meet("saves", 3)
    save(self, names)

IndexDataCacheFile._save_index = together
meet("starts", 60)
print(kernel(doubled)(np.ones(1, mine)).dtype)
"""


def doubled(values):
    return values * 2


def test_two_processes_that_compile_at_once_do_not_take_each_others_code(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    kinds = ("float32", "complex64")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", TOGETHER, mine, other],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for mine, other in (kinds, kinds[::-1])
    ]
    assert [process.communicate(timeout=300)[0].strip() for process in running] == list(kinds)
    assert len(list(tmp_path.rglob("*doubled*.nbc"))) == 2
