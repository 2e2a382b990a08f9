import errno
import os
import signal
import subprocess
import sys
import traceback
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import click
import pytest

from loihi_gym.cli import app
from loihi_gym.errors import LONGEST_MESSAGE, LoihiGymError

COMMAND = [sys.executable, "-m", "loihi_gym"]


def failing(monkeypatch, error):
    """Makes a command, `list`, that fails with an error."""

    def fail() -> None:
        raise error

    # A module that is imported only when its command is called would put its own in place.
    app.app.resolve_command(click.Context(app.app), ["list"])
    monkeypatch.setitem(app.app.commands, "list", click.Command("list", callback=fail))


TROUBLE = {
    "own": (LoihiGymError("net.npz: torn"), "net.npz: torn"),
    "file": (FileNotFoundError(errno.ENOENT, "No such file", "net.npz"), "net.npz: No such file"),
    "bytes": (PermissionError(errno.EACCES, "Permission denied", b"a\xff"), "denied"),
    "disk": (OSError(errno.ENOSPC, "No space left on device"), "output: No space left on device"),
    "bare": (OSError("cannot identify image"), "cannot identify image"),
    "nul": (ValueError("embedded null byte"), "NUL"),
    "surrogate": (
        UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogate"),
        "encoding",
    ),
    "depth": (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
    "memory": (MemoryError("Unable to allocate 9.3 TiB"), "not enough memory: Unable to"),
    "no memory": (MemoryError(), "not enough memory: try a smaller problem"),
    "worker": (BrokenProcessPool("ended"), "worker process was killed"),
    "module": (ModuleNotFoundError("No module named 'h5py'", name="h5py"), "this needs h5py"),
    "click": (click.ClickException("no"), "no"),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_what_a_user_can_mend_is_one_line(run, monkeypatch, kind):
    error, message = TROUBLE[kind]
    failing(monkeypatch, error)
    code, out, err = run("list")
    assert (code, out) == (2, "")
    assert err.startswith("loihi-gym: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_is_130(run, monkeypatch, error):
    failing(monkeypatch, error)
    code, out, err = run("list")
    assert (code, out, err.lstrip()) == (130, "", "loihi-gym: interrupted\n")


def test_a_reader_that_went_away_gets_no_complaint(run, monkeypatch):
    failing(monkeypatch, BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert run("list") == (1, "", "")


@pytest.mark.parametrize(
    "error", [KeyError("cores\x1b[31m"), ModuleNotFoundError("no", name="loihi_gym.gone")]
)
def test_a_fault_of_ours_keeps_its_traceback_and_asks_for_a_report(run, monkeypatch, error):
    failing(monkeypatch, error)
    code, out, err = run("list")
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert lines[0].startswith("Traceback")
    assert traceback.format_exception_only(error)[-1].split(":")[0] in err
    assert lines[-1].startswith("loihi-gym: this is a fault of loihi_gym itself; please report it")
    assert "\x1b" not in err


def test_a_line_is_bounded_and_holds_no_control_characters(run, monkeypatch):
    failing(monkeypatch, LoihiGymError("\x1b[2J\x07\u202e\x9b1m\n" + "x" * 9_000 + " do this"))
    _, _, err = run("list")
    assert len(err) <= LONGEST_MESSAGE + 20
    assert err.endswith("xxx do this\n")
    assert err.count("\n") == 1
    assert err.strip().isprintable()


@pytest.mark.parametrize(
    "words",
    [
        ["info", "a\0b.npz"],
        ["evaluate", "mlp-xs", "a\0b.json"],
        ["export", "mlp-xs", "packed/hilbert", "-o", "a\0b.csv"],
        ["info", "\udcff.npz"],
        ["info", "x" * 5_000 + ".npz"],
        ["render", "mlp-xs", "packed/hilbert", "-o", "x" * 5_000 + ".png"],
        ["evaluate", "mlp-xs", "deep.json"],
        ["calibrate", "deep.json", "--chip", "loihi2", "-o", "a.toml"],
        ["solve", "--resume", "deep"],
        ["replay", "deep.json", "-o", "a.gif"],
        ["chips", "deep.toml"],
        ["solve", "ga", "mlp-xs", "--seed", "-1"],
        ["solve", "ga", "mlp-xs", "--budget", "0"],
        ["solve", "ga", "mlp-xs", "--seconds", "nan"],
        ["solve", "ga", "mlp-xs", "--seconds", "-1"],
        ["map", "mlp-xs", "--seed", "-1"],
        ["measure", "mlp-xs", "--count", "-5", "-o", "a.jsonl"],
        ["calibrate", "a.jsonl", "--chip", "loihi2", "-o", "a.toml", "--next", "-1"],
        ["import", "net.nir", "-o", "a.npz", "--dt", "nan"],
        ["import", "net.nir", "-o", "a.npz", "--steps", "0"],
        ["robustness", "mlp-xs", "--seed", "-1"],
        ["robustness", "mlp-xs", "--chips", "deep.toml"],
        ["robustness", "mlp-xs", "--chips", "loihi2-hypotheses,-none"],
        ["solve", "ga", "mlp-xs", "--chips", "loihi3-hypotheses"],
        ["solve", "ga", "mlp-xs", "--chips", "loihi2-hypotheses", "--budget", "5"],
        ["solve", "ga", "mlp-wide", "--chips", "loihi2-hypotheses"],
        ["solve", "ga", "mlp-xs", "--chips", "a\0b.toml"],
        ["hypotheses", "deep.toml"],
        ["validate", "deep.toml"],
        ["probe", "-o", "deep"],
        ["probe", "-o", "new", "--chip", "loihi3"],
        ["measure", "deep", "-o", "a.jsonl"],
        ["compare", "sparse-mlp-v1", "--jobs", "-1"],
        ["serve", "--port", "99999"],
        ["serve", "--measure-s", "inf"],
        ["tensorboard", "deep", "--port", "-1"],
    ],
    ids=lambda words: " ".join(words)[:40].encode("ascii", "replace").decode().replace("\0", "?"),
)
def test_odd_names_files_and_numbers_are_one_line(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "config.json").write_text("[" * 50_000)
    (tmp_path / "deep.json").write_text("[" * 50_000)
    (tmp_path / "deep.toml").write_text("a = " + "[" * 50_000)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()
    assert len(err) <= LONGEST_MESSAGE + 20
    assert sorted(tmp_path.rglob("*")) == before


def done(*words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([*COMMAND, *words], stderr=subprocess.PIPE, text=True, **options)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["--help"], ["chips"]])
def test_a_full_disk_on_stdout_is_one_line(words):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ended = done(*words, stdout=full)
    assert ended.returncode == 2
    assert "No space left on device" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["chips"]])
def test_a_closed_pipe_ends_quietly(words):
    reading, writing = os.pipe()
    os.close(reading)
    ended = done(*words, stdout=writing, preexec_fn=lambda: signal.signal(signal.SIGPIPE, 1))
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_a_terminal_that_knows_ascii_alone_gets_what_it_can_show():
    code = (
        "from loihi_gym.cli.endings import ended; from loihi_gym.cli.output import show; "
        "ended(lambda: show('Gr\u00f6\u00dfe'))"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    printed = subprocess.check_output([sys.executable, "-c", code], env=environment)
    assert printed == b"Gr\\xf6\\xdfe\n"
