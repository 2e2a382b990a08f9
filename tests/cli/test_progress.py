import threading

from loihi_gym.cli import progress as module
from loihi_gym.cli.progress import patience, progress


def test_progress_is_lines_where_there_is_no_terminal(capsys):
    with progress("runs", every_s=0.0) as update:
        update("ga \x1b[31m[red]", 1, 1_200)
        update("x" * 500, 2, 1_200)
    out, err = capsys.readouterr()
    first, second = err.splitlines()
    assert out == ""
    assert first == "1 of 1,200 runs: ga ?[31m[red]"
    assert len(second) < 130


def test_progress_is_seldom_by_default(capsys):
    with progress("runs") as update:
        for done in range(100):
            update("", done, 100)
    assert capsys.readouterr() == ("", "")


def test_what_takes_long_is_said(capsys, monkeypatch):
    said = threading.Event()
    monkeypatch.setattr(module, "SILENCE_S", 0.0)
    monkeypatch.setattr(module, "PLAIN_SECONDS", 1e6)
    show = module.show
    monkeypatch.setattr(module, "show", lambda *a, **k: (show(*a, **k), said.set()))
    with patience("importing net.nir"):
        assert said.wait(60)
    assert capsys.readouterr() == ("", "importing net.nir: 0 s so far\n")


def test_preparing_is_said_until_the_first_result(capsys, monkeypatch):
    said = threading.Event()
    monkeypatch.setattr(module, "SILENCE_S", 0.0)
    show = module.show
    monkeypatch.setattr(module, "show", lambda *a, **k: (show(*a, **k), said.set()))
    before = threading.active_count()
    with progress("runs") as update:
        assert said.wait(60)
        update("", 1, 2)
        assert threading.active_count() == before
    assert capsys.readouterr().err.startswith("preparing the runs: ")


def test_what_is_quick_says_nothing(capsys):
    with patience("measuring"):
        pass
    assert capsys.readouterr() == ("", "")
