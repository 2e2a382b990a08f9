"""Run directories that were damaged or edited, and disks that are full."""

import errno
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loihi_gym.cli import main
from loihi_gym.errors import LoihiGymError, RunError
from loihi_gym.search import storage
from loihi_gym.search.costs import read_costs
from loihi_gym.search.run import Config, free_directory, resume, search
from loihi_gym.search.storage import LineFile
from loihi_gym.search.trace import read_trace

CONFIG = Config("random", "mlp-xs", 200, backend="bound")
SETTINGS = {"solver": "random", "benchmark": "mlp-xs", "budget": 9, "backend": "bound"}
COSTS = (
    '{"measured": 3, "seconds": 1.5, "cpu_seconds": 1.25, "surrogate_calls": 0, '
    '"surrogate_cpu_seconds": 0.0, "pretraining": null}'
)


def settings(**changes) -> str:
    return json.dumps({"config": SETTINGS | changes})


def assert_one_line(capsys, *words: str) -> None:
    """The command line ends with exit code 2 and one short line."""
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert len(line) < 500


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is not the directory of a run"),
        ("{", r"config\.json cannot be read"),
        ("\0", r"config\.json cannot be read"),
        ("[" * 50_000, r"config\.json cannot be read: .*recursion"),
        ("9" * 5_000, r"config\.json cannot be read: .*digits"),
        ("[]", "is not the config of a run"),
        ("{}", "is not the config of a run"),
        ('{"config": {"solver": "ga"}}', "is not the config of a run"),
        ('{"config": []}', "is not the config of a run"),
        (settings(depth=3), "is not the config of a run.*depth"),
        (settings(budget="x"), "budget = 'x': must be a whole number"),
        (settings(budget=True), "budget = True"),
        (settings(budget=1.5), r"budget = 1\.5"),
        (settings(budget=10**30), "budget = 1000"),
        (settings(seed=-1), "seed = -1"),
        (settings(seconds=float("nan")), "seconds = nan"),
        (settings(solver=["ga"]), r"solver = \['ga'\]: must be a name"),
        (settings(benchmark="a\0b"), "benchmark = 'a.*must be a name"),
        (settings(options=["unseeded"]), "options = "),
        (settings(solver="ga", options={"unseeded": "yes"}), "'unseeded' .* takes bool"),
        (settings(options={"a": [[1]]}), "option a = "),
        (settings(count_unique=1), "count_unique = 1"),
    ],
)
def test_a_malformed_config_is_named_in_one_line(tmp_path, capsys, text, message):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    with pytest.raises(LoihiGymError, match=message):
        resume(tmp_path)
    assert_one_line(capsys, "solve", "--resume", str(tmp_path))


@pytest.mark.parametrize("name", ["config.json", "trace.jsonl", ".lock", "costs.jsonl"])
def test_a_directory_in_a_files_place_is_named(tmp_path, capsys, name):
    if name != "config.json":
        (tmp_path / "config.json").write_text(settings())
    (tmp_path / name).mkdir()
    with pytest.raises(RunError, match=rf"{name} cannot be (read|written)"):
        resume(tmp_path)
    assert_one_line(capsys, "solve", "--resume", str(tmp_path))


@pytest.mark.parametrize("content", [b"\xff\n", b"{}\n", b"[" * 50_000 + b"\n"])
def test_a_malformed_trace_is_named_and_left_as_it_is(tmp_path, capsys, content):
    (tmp_path / "config.json").write_text(settings())
    (tmp_path / "trace.jsonl").write_bytes(content)
    assert_one_line(capsys, "solve", "--resume", str(tmp_path))
    assert (tmp_path / "trace.jsonl").read_bytes() == content


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_a_path_that_cannot_be_is_named(tmp_path, name):
    for use in (resume, lambda out: search(CONFIG, out)):
        with pytest.raises(RunError, match=r"cannot be (read|written)|is not the directory"):
            use(tmp_path / name)


def test_a_benchmark_of_any_length_has_a_directory(tmp_path):
    long = replace(CONFIG, benchmark=f"generator://mlp?layers={'1' * 300}")
    free_directory(long, tmp_path).mkdir(parents=True)
    assert free_directory(long, tmp_path).name == "random-seed0-2"


def test_problems_that_differ_after_a_dot_have_directories_of_their_own(tmp_path):
    sparse, dense = (
        Config("random", f"generator://mlp?density=0.{digit}&seed=1", 3, 0) for digit in (1, 4)
    )
    assert free_directory(sparse, tmp_path).parent != free_directory(dense, tmp_path).parent
    assert free_directory(Config("random", "a/b.npz", 3, 0), tmp_path).parent.name == "b"


FULL_DISK = """
import resource, sys
from loihi_gym.cli import main
from loihi_gym.search.run import Config, search

search(Config("random", "mlp-xs", 200, backend="bound"))  # compiles what it needs
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
main(["solve", "random", "mlp-xs", "--budget", "200", "--backend", "bound", "--out", sys.argv[1]])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
@pytest.mark.parametrize(("room", "name"), [(100, "config.json"), (80_000, "trace.jsonl")])
def test_a_full_disk_is_named_and_the_run_goes_on_later(tmp_path, room, name):
    out, whole = tmp_path / "run", tmp_path / "whole"
    command = [sys.executable, "-c", FULL_DISK, str(out), str(room)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    line = done.stderr.splitlines()[-1]
    full = name if name == "config.json" else r"(trace\.jsonl|events\S+)"
    assert re.fullmatch(f"loihi-gym: {out}/{full} cannot be written: File too large", line)
    search(CONFIG, whole)
    if name == "config.json":
        assert list(out.iterdir()) == []
        search(CONFIG, out)
    else:
        assert (out / name).read_bytes().endswith(b"\n")
        assert 0 < len(read_trace(out / name)) < 200
        resume(out)
    assert (out / "trace.jsonl").read_bytes() == (whole / "trace.jsonl").read_bytes()


@pytest.mark.parametrize("full", ["events", "mapping.json", "result.json", "costs.jsonl"])
def test_a_disk_that_is_full_at_any_time_loses_nothing(tmp_path, monkeypatch, full):
    real_open, real_write = Path.open, storage.write_text

    def opened(path, *mode, **options):
        return no_space() if path.name.startswith(full) else real_open(path, *mode, **options)

    def written(path, text):
        return no_space() if Path(path).name == full else real_write(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", opened)
        patch.setattr(storage, "write_text", written)
        patch.setattr("loihi_gym.mapping.mapping.write_text", written)
        with pytest.raises(RunError, match=rf"{full}.* cannot be written: No space left"):
            search(CONFIG, tmp_path)
    assert not (tmp_path / "result.json").exists()
    assert resume(tmp_path).evaluations == 200
    assert len(read_costs(tmp_path / "costs.jsonl")) in (1, 2)
    assert len(list(tmp_path.glob("events*"))) == 1


def test_a_line_file_grows_by_whole_lines_or_not_at_all(tmp_path):
    path = tmp_path / "lines"
    path.write_text("first\ncut o")
    lines = LineFile(path)
    lines.add("second")
    lines.flush()
    assert path.read_text() == "first\nsecond\n"
    real = lines._file

    class Full:
        def __getattr__(self, name):
            return getattr(real, name)

        def write(self, data):
            real.write(data[:3])
            no_space()

    lines._file = Full()
    lines.add("third")
    with pytest.raises(RunError, match=f"{path} cannot be written"):
        lines.flush()
    lines._file = real
    lines.close()
    assert path.read_text() == "first\nsecond\n"


@pytest.mark.parametrize(
    "line",
    ["[" * 50_000, "[]", "{}", '{"measured": NaN}', COSTS.replace("1.5", "NaN"),
     COSTS.replace("1.5", '"1.5"'), COSTS.replace("null", '{"policy": 3}')],
)  # fmt: skip
def test_malformed_costs_are_named(tmp_path, line):
    path = tmp_path / "costs.jsonl"
    path.write_text(f"{COSTS}\n{COSTS[:9]}")  # the last line was cut off
    assert [costs.to_json() for costs in read_costs(path)] == [COSTS]
    path.write_text(f"{COSTS}\n{line}\n")
    with pytest.raises(RunError, match=r"costs\.jsonl, line 2 holds no costs"):
        read_costs(path)
