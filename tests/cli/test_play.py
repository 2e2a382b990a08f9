"""The command that serves a game; the game itself is tested in tests/play."""

import signal
import subprocess
import sys

import httpx
import pytest

from loihi_gym.mapping import Mapping


def test_a_file_that_nobody_named_is_never_overwritten(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "played.json").write_text("mine")
    code, _, err = run("play", "mlp-xs", "--no-browser")
    assert code == 2
    assert "played.json is there already: name a file to save to by -o" in err
    assert (tmp_path / "played.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing",), "nothing"),
        (("mlp-xs", "--start", "nowhere.json"), "nowhere.json"),
        (("mlp-xs", "--ghost", "nowhere.json"), "nowhere.json"),
        (("mlp-xs", "--solver", "nobody"), "nobody"),
        (("mlp-xs", "-o", "a.txt"), "a.txt"),
    ],
)
def test_bad_input_is_one_line(run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("play", *words, "--no-browser")
    assert code == 2
    assert message in err
    assert not list(tmp_path.iterdir())


def test_it_searches_a_ghost_serves_and_ends(tmp_path):
    command = [sys.executable, "-m", "loihi_gym", "play", "mlp-xs", "--no-browser"]
    command += ["--solver", "random", "--budget", "5", "-o", str(tmp_path / "mine.json")]
    game = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = game.stdout.readline().split()[-1]
        url, _, token = address.partition("#")
        headers = {"Authorization": f"Bearer {token}"}
        opening = httpx.get(f"{url}v1/game", headers=headers, timeout=60).json()
        assert opening["ghost_name"] == "random, 5 evaluations"
        start = opening["start"]["picture"]
        sent = {"cores_per_layer": start["cores_per_layer"], "placement": list(range(16))}
        httpx.post(f"{url}v1/save", json=sent, headers=headers, timeout=60).raise_for_status()
        assert Mapping.load(tmp_path / "mine.json").placement.tolist() == sent["placement"]
        game.send_signal(signal.SIGINT)
        assert game.wait(30) == 0
    finally:
        game.kill()
        game.wait()
        game.stdout.close()
