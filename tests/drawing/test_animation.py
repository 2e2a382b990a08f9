import numpy as np
import pytest
from PIL import Image

from loihi_gym import make_backend
from loihi_gym.drawing import animation
from loihi_gym.drawing.animation import LINGER, animate, frames, thinned
from loihi_gym.errors import LoihiGymError
from loihi_gym.mapping import random_mapping
from loihi_gym.mapping.visit import Visit
from tests.toys import toy_problem

PROBLEM = toy_problem()
BACKEND = make_backend("mesh", PROBLEM)
REFERENCE = BACKEND.evaluate(PROBLEM.reference_mapping)


def visits(count):
    rng = np.random.default_rng(0)
    mappings = [random_mapping(PROBLEM, rng) for _ in range(count)]
    measured = BACKEND.evaluate_batch(mappings)
    return [
        Visit(number, mapping, result.step_times_ps)
        for number, (mapping, result) in enumerate(zip(mappings, measured, strict=True), 1)
    ]


def latencies(shown):
    return [visit.latency_ps for visit in shown]


def test_frames_show_each_mapping_and_linger_on_the_last():
    shown = visits(3)
    pictures = list(frames(PROBLEM, REFERENCE, shown, latencies(shown)))
    assert len(pictures) == 3 + LINGER
    assert all(picture.shape == pictures[0].shape for picture in pictures)
    assert pictures[0].shape[0] % 2 == pictures[0].shape[1] % 2 == 0
    assert not np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[2], pictures[-1])


def test_gif(tmp_path):
    shown = visits(3)
    animate(tmp_path / "a.gif", PROBLEM, REFERENCE, shown, latencies(shown), fps=5)
    with Image.open(tmp_path / "a.gif") as picture:
        picture.seek(2)
        assert picture.n_frames >= 3  # Pillow joins equal frames and adds up their times
        assert picture.info["duration"] >= 200


def test_mp4(tmp_path):
    pytest.importorskip("imageio_ffmpeg", reason="mp4 needs ffmpeg: the extra video")
    shown = visits(2)
    animate(tmp_path / "a.mp4", PROBLEM, REFERENCE, shown, latencies(shown))
    assert (tmp_path / "a.mp4").read_bytes()[4:8] == b"ftyp"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_without_ffmpeg_mp4_says_what_to_do(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr(animation.shutil, "which", lambda name: None)
    shown = visits(1)
    with pytest.raises(LoihiGymError, match=r"mp4 needs ffmpeg: pip install"):
        animate(tmp_path / "a.mp4", PROBLEM, REFERENCE, shown, latencies(shown))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.avi", "a", "nowhere/a.gif"])
def test_wrong_names_are_refused(tmp_path, name):
    shown = visits(1)
    with pytest.raises(LoihiGymError, match=name):
        animate(tmp_path / name, PROBLEM, REFERENCE, shown, latencies(shown))
    assert list(tmp_path.iterdir()) == []


def test_thinned_keeps_first_and_last():
    numbers = list(range(100))
    assert thinned(numbers, 100) == numbers
    assert thinned(numbers, 5) == [0, 25, 50, 74, 99]
    assert thinned(numbers, 1) == [0]
