"""What is no argument, option or seed is refused by name, wherever it is given."""

import inspect
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from loihi_gym.backends import Bound
from loihi_gym.envs import SaveEpisodes
from loihi_gym.envs.vector import LoihiVectorEnv
from loihi_gym.errors import LoihiGymError, UnknownNameError
from loihi_gym.mapping import Mapping
from loihi_gym.registering import environment_class
from tests.envs.rollouts import IDS, make, slack_problem, walk

PROBLEM = slack_problem()
OWN = {"passes": 1, "max_steps": 8, "undo": True}
MODES = ("vector_entry_point", "sync", "async")
every_id = pytest.mark.parametrize("env_id", IDS)


def made_by(way, env_id, **arguments):
    arguments = {"benchmark": PROBLEM, "backend": "bound"} | arguments
    if way == "make":
        return gymnasium.make(env_id, **arguments)
    return gymnasium.make_vec(env_id, num_envs=2, vectorization_mode=way, **arguments)


@pytest.mark.parametrize("way", ["make", *MODES])
@pytest.mark.parametrize(
    ("wrong", "right"),
    [("benchmrk", "benchmark"), ("objectiv", "objective"), ("max_layer", "max_layers")],
)
def test_a_misspelt_argument_is_named_with_the_likely_word(way, wrong, right):
    with pytest.raises(UnknownNameError, match=rf"LoihiPlace has no argument '{wrong}'.*'{right}'"):
        made_by(way, "LoihiPlace-v0", **{wrong: "mlp-xs"})


@every_id
@pytest.mark.parametrize("way", ["make", "vector_entry_point"])
@pytest.mark.parametrize("name", OWN)
def test_an_argument_of_another_environment_is_refused(env_id, way, name):
    if name in inspect.signature(environment_class(env_id)).parameters:
        made_by(way, env_id, **{name: OWN[name]}).close()
        return
    with pytest.raises(UnknownNameError, match=f"has no argument '{name}'"):
        made_by(way, env_id, **{name: OWN[name]})


@every_id
def test_signatures_are_explicit_and_by_name(env_id):
    kind = environment_class(env_id)
    parameters = inspect.signature(kind).parameters.values()
    assert {one.kind for one in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    text = kind.__doc__.split("## Arguments")[1].split("##")[0]
    for one in parameters:
        assert f"`{one.name}`" in text
        assert one.default is not inspect.Parameter.empty
    with pytest.raises(TypeError):
        kind(PROBLEM)


def test_vectors_take_their_own_arguments_and_no_others():
    for name in ("max_episode_steps", "autoreset_mod"):
        with pytest.raises(UnknownNameError, match=f"LoihiSwap has no argument '{name}'"):
            made_by("vector_entry_point", "LoihiSwap-v0", **{name: 3})
    with pytest.raises(UnknownNameError, match="'autoreset_mode'"):
        made_by("make", "LoihiSwap-v0", autoreset_mode="SameStep")
    with pytest.raises(LoihiGymError, match="autoreset_mode 'Never' is none of NextStep"):
        made_by("vector_entry_point", "LoihiSwap-v0", autoreset_mode="Never")
    with pytest.raises(UnknownNameError, match="LoihiVectorEnv has no argument 'num_env'"):
        LoihiVectorEnv(make("LoihiSwap-v0"), num_env=3)
    for wrong in (0, -1, 2.5, "x", True):
        with pytest.raises(LoihiGymError, match="num_envs = "):
            LoihiVectorEnv(make("LoihiSwap-v0"), num_envs=wrong)


def test_savers_take_their_own_arguments_and_no_others(tmp_path):
    with pytest.raises(UnknownNameError, match="SaveEpisodes has no argument 'folder'"):
        SaveEpisodes(make("LoihiSwap-v0"), folder=tmp_path)


@pytest.mark.parametrize(
    ("env_id", "name", "values"),
    [
        ("LoihiPlace-v0", "passes", (True, 0, -1, 2.5, "x", None, 10**30)),
        ("LoihiSwap-v0", "max_steps", (True, 0, -1, 2.5, "x", [3])),
        ("LoihiSwap-v0", "undo", ("no", 1, None)),
        ("LoihiMap-v0", "max_layers", ("x", 0, -1, 2.5, None, True, 10**9)),
        ("LoihiMap-v0", "start", (3, None, "lowest", ["reference"], np.zeros(3))),
        ("LoihiMap-v0", "observation", (3, None, ["flat"], np.zeros(3), "pixels")),
        ("LoihiMap-v0", "objective", (3, None, ["latency"], "speed")),
        ("LoihiMap-v0", "benchmark", ([], [3], {}, 3, [PROBLEM, None], np.zeros(3), b"mlp-xs")),
        ("LoihiMap-v0", "backend", (3, None, ["mesh"], "mush")),
        ("LoihiMap-v0", "render_mode", (["ansi"], 3, "gif")),
    ],
)
def test_wrong_types_and_values_are_named(env_id, name, values):
    kind = environment_class(env_id)
    for value in values:
        with pytest.raises(LoihiGymError, match=name) as caught:
            kind(**{"benchmark": PROBLEM, "backend": "bound", name: value})
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


def test_numbers_of_numpy_are_numbers():
    env = make("LoihiSwap-v0", max_steps=np.int64(3), max_layers=np.int32(8), undo=np.True_)
    assert [type(walk(env, 3)[-1][2]), env.arguments.undo] == [bool, True]


def test_a_list_of_benchmarks_may_change_afterwards():
    given = [PROBLEM]
    env = make("LoihiPlace-v0", benchmark=given)
    given.clear()
    env.reset(seed=0)
    assert env.problem is PROBLEM


# reset


@pytest.mark.parametrize("way", ["make", "vector_entry_point", "sync"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maping": "random"}, "has no reset option 'maping' .did you mean 'mapping'"),
        ({3: 4}, "has no reset option 3"),
        ([1], "options"),
        ("random", "options"),
        ({"mapping": 3}, "start mapping 3"),
    ],
)
def test_wrong_reset_options_are_named(way, options, message):
    envs = made_by(way, "LoihiSwap-v0")
    if way != "sync" or isinstance(options, dict):  # Gymnasium's own vector looks into them
        with pytest.raises(LoihiGymError, match=message):
            envs.reset(options=options)
    envs.reset(seed=0)


@pytest.mark.parametrize("backend", ["bound", "mesh"])
def test_vectors_want_a_mask_of_bools_and_a_first_reset_of_all(backend):
    envs = made_by("vector_entry_point", "LoihiPlace-v0", backend=backend)
    one = np.array([True, False])
    with pytest.raises(LoihiGymError, match="all environments first"):
        envs.reset(options={"reset_mask": one})
    with pytest.raises(UnknownNameError, match=r"'reset_mas'.*'reset_mask'"):
        envs.reset(options={"reset_mas": one})
    for wrong in (3, "x", [1, 0], None, np.zeros(2, np.bool_), [True]):
        with pytest.raises(LoihiGymError, match="reset_mask must be 2 bools"):
            envs.reset(options={"reset_mask": wrong})
    options = {"reset_mask": ~one | one}
    envs.reset(options=options)
    assert list(options) == ["reset_mask"]


def test_a_mask_is_no_option_of_a_single_environment():
    with pytest.raises(UnknownNameError, match="LoihiSwap has no reset option 'reset_mask'"):
        make("LoihiSwap-v0").reset(options={"reset_mask": [True]})


@pytest.mark.parametrize("seed", [-1, 2.5, "x", True, np.int64(-3), np.zeros(2), [None, -1]])
@pytest.mark.parametrize("backend", ["bound", "mesh"])
def test_wrong_seeds_are_named_and_begin_nothing(seed, backend):
    envs = made_by("vector_entry_point", "LoihiPlace-v0", backend=backend)
    with pytest.raises(LoihiGymError, match="seed"):
        envs.reset(seed=seed)
    with pytest.raises(LoihiGymError, match=r"reset\(\) first"):
        envs.step(np.zeros(2, np.int64))
    if not isinstance(seed, list):
        with pytest.raises(LoihiGymError, match="is not a whole number from 0 on"):
            make("LoihiPlace-v0").reset(seed=seed)


def test_seeds_of_numpy_are_seeds():
    env = make("LoihiSwap-v0", start="random")
    env.reset(seed=3)
    drawn = env.mapping
    env.reset(seed=np.int64(3))
    assert env.mapping == drawn
    native = made_by("vector_entry_point", "LoihiSwap-v0", start="random")
    for seed in (np.int32(3), np.array([3, 4]), (3, 4), range(3, 5)):
        native.reset(seed=seed)
        assert native.get_attr("mapping")[0] == drawn


# Registration


def test_the_long_id_works_in_a_new_interpreter():
    code = """
import gymnasium
env = gymnasium.make_vec("loihi_gym:LoihiPlace-v0", num_envs=2, benchmark="mlp-xs", backend="bound")
env.reset(seed=0)
import loihi_gym
before = dict(gymnasium.registry)
loihi_gym.register()
assert before == gymnasium.registry
print(type(env).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "BoundPlaceVectorEnv"


def test_what_an_environment_was_made_with_can_be_made_again():
    start = Mapping([1, 1, 10], range(12))
    env = gymnasium.make("LoihiMap-v0", benchmark=PROBLEM, backend=Bound, start=start, max_steps=7)
    twin = gymnasium.make(env.spec)
    for name in ("backend", "start", "max_steps"):
        ours, theirs = (getattr(one.unwrapped.arguments, name) for one in (env, twin))
        assert ours == theirs
    vector = made_by("vector_entry_point", "LoihiMap-v0", autoreset_mode="SameStep")
    again = gymnasium.make_vec(vector.spec)
    assert (again.num_envs, again.autoreset_mode) == (2, AutoresetMode.SAME_STEP)
