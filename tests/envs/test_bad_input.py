"""Wrong actions, states and files: one clear line each, and the environment goes on as before."""

import json
import sys
from types import ModuleType

import gymnasium
import numpy as np
import pytest

from loihi_gym.envs import Episode, SaveEpisodes
from loihi_gym.errors import IllegalMappingError, InvalidActionError, LoihiGymError, RunError
from loihi_gym.mapping import Mapping
from tests.envs.rollouts import IDS, assert_same, legal_action, make, slack_problem, walk
from tests.envs.test_vector import vector

PROBLEM = slack_problem()
every_id = pytest.mark.parametrize("env_id", IDS)
WRONG = [
    *(10**30, -1, 0.5, np.nan, np.array(3.0), "x", b"x", None, {}, object(), slice(1)),
    *([[1], [2, 3]], [10**30, 1], [None, None], ["a", "b"], [0.5, 1.5], list(range(100_000))),
    *(np.array([np.nan, 1]), np.array([0, 10**18], object), np.datetime64("2020")),
]


def refused(act, env, action):
    with pytest.raises(InvalidActionError) as caught:
        act(action)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@every_id
def test_wrong_actions_are_refused_in_one_line(env_id):
    env = make(env_id)
    before = env.reset(seed=0)
    for action in WRONG:
        refused(env.step, env, action)
    assert_same((env._observe(), env._info()), before)


@every_id
@pytest.mark.parametrize("backend", ["bound", "mesh"])
def test_vectors_refuse_them_too(env_id, backend):
    native, twin = (vector(env_id, 2, backend=backend) for _ in range(2))
    native.reset(seed=0)
    twin.reset(seed=0)
    for action in WRONG:
        refused(native.step, native, action)
    rng = np.random.default_rng(0)
    actions = np.stack([legal_action(env, rng) for env in twin.envs])
    assert_same(native.step(actions), twin.step(actions))


def test_keys_must_be_numbers_within_the_box():
    env = make("LoihiOneShot-v0")
    env.reset(seed=0)
    for key in (np.nan, np.inf, 1.5):
        keys = np.zeros(env.action_space.shape, np.float32)
        keys[3] = key
        refused(env.step, env, keys)


def test_whole_numbers_of_any_kind_are_actions():
    results = []
    for action in (3, np.int64(3), np.array(3), np.uint8(3)):
        env = make("LoihiPlace-v0")
        env.reset(seed=0)
        results.append(env.step(action))
        assert_same(results[-1], results[0])
    env = make("LoihiSwap-v0")
    env.reset(seed=0)
    env.step([0, 5])


@every_id
def test_a_step_wants_a_reset_first(env_id):
    env = make(env_id, start="random")
    action = legal_action(env, np.random.default_rng(0))
    for one in (env, env.fork()):
        with pytest.raises(InvalidActionError, match=r"no episode is under way: call reset\(\)"):
            one.step(action)


def test_states_of_others_are_refused():
    env = make("LoihiPlace-v0", benchmark="mlp-xs")
    env.reset(seed=0)
    with pytest.raises(LoihiGymError, match="5 is not what get_state"):
        env.set_state(5)
    with pytest.raises(LoihiGymError, match="mlp-deep is of another mesh"):
        env.set_state(make("LoihiPlace-v0", benchmark="mlp-deep").get_state())
    walk(env, 3)
    with pytest.raises(IllegalMappingError):
        make("LoihiOneShot-v0").encode(Mapping([1, 1], [0, 1]))


def test_pictures_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in [name for name in sys.modules if name.startswith(("matplotlib.", "loihi_gym.dra"))]:
        monkeypatch.delitem(sys.modules, name)
    for mode in ("rgb_array", "human"):
        with pytest.raises(LoihiGymError, match=r"loihi-gym\[plot\]"):
            make("LoihiSwap-v0", render_mode=mode).render()
    assert make("LoihiSwap-v0", render_mode="ansi").render()


def test_videos_get_a_frame_per_step(monkeypatch, tmp_path):
    clips = []

    class Clip:
        """Stands for moviepy's, which the tests do without."""

        def __init__(self, frames, fps):
            clips.append((frames, fps))

        def write_videofile(self, path, **_):
            """Write nothing."""

    for name in ("moviepy", "moviepy.video", "moviepy.video.io"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    writer = ModuleType("moviepy.video.io.ImageSequenceClip")
    writer.ImageSequenceClip = Clip
    monkeypatch.setitem(sys.modules, writer.__name__, writer)
    env = gymnasium.make(
        "LoihiSwap-v0", benchmark=PROBLEM, backend="bound", max_steps=2, render_mode="rgb_array"
    )
    env = gymnasium.wrappers.RecordVideo(env, str(tmp_path / "videos"), disable_logger=True)
    env.reset(seed=0)
    for _ in range(2):
        env.step(np.array([0, 5]))
    env.close()
    ((frames, fps),) = clips
    assert (len(frames), fps) == (3, 4)
    assert {(frame.shape, frame.dtype) for frame in frames} == {
        (frames[0].shape, np.dtype(np.uint8))
    }


# Episode files


@pytest.fixture
def lines():
    header = {"format": "loihi-gym-episode", "version": 1, "benchmark": "toy", "backend": "bound"}
    visit = {"number": 0, "step_times_ps": [5], "cores_per_layer": [1], "placement": [0]}
    return [header, visit]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        *[(0, name, value) for name in ("benchmark", "backend") for value in (3, None, ["x"])],
        *[(0, "version", value) for value in (True, "1", 2)],
        *[(1, "number", value) for value in (True, 1.5, "0", None)],
        *[(1, "step_times_ps", value) for value in ("12", [1.5], [True], [-1], [2**63], {}, 7)],
        *[(1, "placement", value) for value in ("12", [0.5], [[0]], [-1], [2**40], None)],
        *[(1, "cores_per_layer", value) for value in ([None], ["1"], "1")],
    ],
)
def test_wrong_types_in_an_episode_file_are_named(tmp_path, lines, line, field, value):
    path = tmp_path / "episode.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    Episode.load(path)
    lines[line][field] = value
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    with pytest.raises(RunError, match=r"episode\.jsonl is not a saved episode"):
        Episode.load(path)


@pytest.mark.parametrize(
    "text", ["[" * 50_000, '{"a":' * 50_000, "9" * 6000, "\x00", "\xff", "null", "{}", '"x"\n3']
)
def test_odd_files_are_refused_in_one_line(tmp_path, text):
    path = tmp_path / "episode.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError, match="is not a saved episode") as caught:
        Episode.load(path)
    assert len(str(caught.value).splitlines()) == 1


def test_paths_are_checked_before_an_episode_is_played(tmp_path):
    with pytest.raises(RunError, match="null byte"):
        Episode.load("a\x00b")
    for directory in (tmp_path / "none", None, 3, "a\x00b"):
        with pytest.raises(RunError, match="is not a directory"):
            SaveEpisodes(make("LoihiSwap-v0"), directory)
