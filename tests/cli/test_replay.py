import gymnasium
import numpy as np
import pytest
from PIL import Image

from loihi_gym.envs import SaveEpisodes
from loihi_gym.search.run import Config, search


def frames(path):
    with Image.open(path) as picture:
        return picture.n_frames


def test_a_search_becomes_an_animation(run, tmp_path):
    search(Config("random", "mlp-xs", 20, backend="bound"), tmp_path / "run")
    code, out, _ = run("replay", str(tmp_path / "run"), "-o", str(tmp_path / "a.gif"))
    assert code == 0
    assert out == f"wrote {tmp_path / 'a.gif'}\n"
    assert frames(tmp_path / "a.gif") >= 1


def test_an_episode_becomes_an_animation(run, tmp_path):
    env = SaveEpisodes(
        gymnasium.make("LoihiSwap-v0", benchmark="mlp-xs", backend="bound", max_steps=4), tmp_path
    )
    env.reset(seed=0)
    for core in range(4):
        env.step(np.array([core, 15 - core]))
    path = str(tmp_path / "episode-0.jsonl")
    assert run("replay", path, "-o", str(tmp_path / "a.gif"), "--frames", "3")[0] == 0
    assert frames(tmp_path / "a.gif") == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing", "-o", "a.gif"), "nothing"),
        ((".", "-o", "a.gif"), "not the directory of a run"),
        (("nothing",), "--output"),
        (("nothing", "-o", "a.gif", "--fps", "0"), "--fps"),
    ],
)
def test_bad_input_is_one_line(run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("replay", *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
