"""What a command is to write is looked at before it works, and named if it cannot be written."""

import pytest

from loihi_gym import files
from loihi_gym.errors import LoihiGymError
from tests.toys import DATA

WRITING = {
    "render": ["mlp-xs", "packed/hilbert", "-o", "{out}.png"],
    "robustness": ["mlp-xs", "-o", "{out}.png"],
    "replay": ["run", "-o", "{out}.gif"],
    "import": [str(DATA / "mlp-xs.npz"), "-o", "{out}.npz"],
    "export": ["mlp-xs", "packed/hilbert", "-o", "{out}.csv"],
    "measure": ["mlp-xs", "-o", "{out}.jsonl"],
    "calibrate": ["measured.jsonl", "--chip", "loihi2", "-o", "{out}.toml"],
    "archive": ["runs", "-o", "{out}.tar.xz"],
    "map": ["mlp-xs", "-o", "{out}.json"],
}
DIRECTORIES = {
    "solve": ["ga", "mlp-xs", "--out", "{out}"],
    "map": ["mlp-xs", "--out", "{out}"],
    "compare": ["sparse-mlp-v1", "--out", "{out}"],
    "pretrain": ["refine", "--out", "{out}"],
    "serve": ["--state", "{out}"],
    "leaderboard": ["pack", "runs", "--author", "A", "-o", "{out}"],
}


@pytest.fixture
def at_work(monkeypatch):
    """Makes every beginning of work a failure."""
    for module in ("problems", "rankings", "replay", "networks", "calibrate", "search"):
        monkeypatch.setattr(f"loihi_gym.cli.{module}.load", None)


@pytest.mark.parametrize("command", WRITING)
def test_a_missing_folder_is_said_before_the_work(run, tmp_path, monkeypatch, at_work, command):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(command, *(word.format(out="no/such/x") for word in WRITING[command]))
    assert (code, out) == (2, "")
    assert "cannot write to no/such/x" in err
    assert "there is no directory" in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", DIRECTORIES)
def test_a_file_in_the_way_is_said_before_the_work(run, tmp_path, monkeypatch, at_work, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    code, out, err = run(command, *(word.format(out="file/x") for word in DIRECTORIES[command]))
    assert (code, out) == (2, "")
    assert "cannot write to file/x" in err
    assert "file is no directory" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "directory", "message"),
    [
        ("folder", False, "it is a directory"),
        ("file", True, "it is no directory"),
        ("file/x", False, "file is no directory"),
        ("none/x", False, "there is no directory"),
        ("file/x/y", True, "file is no directory"),
        ("a\0b", False, "null"),
        ("x" * 999, False, "too long"),
    ],
)
def test_what_cannot_be_written_is_named(tmp_path, monkeypatch, path, directory, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(LoihiGymError, match=message):
        files.require_writable(path, directory)


@pytest.mark.parametrize(("path", "directory"), [("file", False), ("folder", True), ("a/b", True)])
def test_what_can_be_written_is_not_made(tmp_path, monkeypatch, path, directory):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    files.require_writable(path, directory)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("name", ["none/x.json", "a\0b", "x" * 999, "."])
def test_an_error_of_writing_names_the_file_asked_for(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=r".") as error:
        files.write_text(name, "{}")
    assert error.value.filename == name
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "mapping.json"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Path, "replace", full)
    with pytest.raises(OSError, match="No space left") as error:
        files.write_text(path, "new")
    assert error.value.filename == str(path)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]
