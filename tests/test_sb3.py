"""Training with SB3 and sb3-contrib; short, and with one thread."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.evaluation import evaluate_policy
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env as sb3_make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv, VecMonitor

from loihi_gym.envs.swap import LoihiSwap
from loihi_gym.envs.vector import LoihiVectorEnv
from loihi_gym.errors import LoihiGymError
from loihi_gym.sb3 import LoihiVecEnv, make_vec_env
from tests.envs.rollouts import IDS, assert_same, slack_problem

PROBLEM = slack_problem()
SMALL = {"n_steps": 16, "batch_size": 32, "n_epochs": 1, "device": "cpu", "seed": 0}


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def env_of(env_id="LoihiPlace-v0", **arguments):
    arguments = {"n_envs": 4, "seed": 0, "benchmark": PROBLEM, "backend": "bound"} | arguments
    return make_vec_env(env_id, **arguments)


def policy_for(env):
    if isinstance(env.observation_space, gymnasium.spaces.Dict):
        return "MultiInputPolicy"
    return "CnnPolicy"


@pytest.mark.parametrize("env_id", [one for one in IDS if "OneShot" not in one])
def test_maskable_ppo_trains(env_id):
    env = env_of(env_id)
    assert is_masking_supported(env)
    assert get_action_masks(env).shape[0] == 4
    model = MaskablePPO(policy_for(env), env, **SMALL).learn(128)
    assert model.num_timesteps >= 128
    evaluate_policy(model, env, n_eval_episodes=2)


@pytest.mark.parametrize("env_id", ["LoihiPlace-v0", "LoihiSwap-v0", "LoihiOneShot-v0"])
def test_ppo_trains(env_id):
    env = env_of(env_id)
    PPO(policy_for(env), env, **SMALL).learn(128)


def test_maskable_ppo_trains_on_images_and_on_mesh():
    env = env_of(n_envs=2, observation="image", backend="mesh")
    MaskablePPO("CnnPolicy", env, **SMALL).learn(32)


def test_masks_are_obeyed_and_training_is_reproducible():
    """The mask leaves out illegal actions, and LoihiPartition raises on those."""
    parameters = []
    for _ in range(2):
        env = env_of("LoihiPartition-v0")
        model = MaskablePPO("MultiInputPolicy", env, **SMALL).learn(256)
        parameters.append([p.detach().numpy().copy() for p in model.policy.parameters()])
    assert_same(*parameters)


@pytest.mark.parametrize("backend", ["bound", "mesh"])
def test_steps_are_the_native_environments(backend):
    env = env_of(backend=backend, monitor=False)
    assert isinstance(env, LoihiVecEnv)
    native = gymnasium.make_vec(
        "LoihiPlace-v0",
        num_envs=4,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.SAME_STEP,
        benchmark=PROBLEM,
        backend=backend,
    )
    assert_same(env.reset(), native.reset(seed=[0, 1, 2, 3])[0])
    rng = np.random.default_rng(0)
    for _ in range(30):
        actions = rng.integers(16, size=4)
        observations, rewards, dones, infos = env.step(actions)
        expected, theirs, terminated, _, all_infos = native.step(actions)
        assert_same(observations, expected)
        assert_same(rewards, theirs.astype(np.float32))
        assert_same(dones, terminated)
        np.testing.assert_array_equal(env.env_method("action_masks"), native.action_masks())
        for index, info in enumerate(infos):
            source = all_infos["final_info"] if dones[index] else all_infos
            assert info["reduction"] == source["reduction"][index]
            assert info["evaluations"] == source["evaluations"][index]
            if dones[index]:
                assert not info["TimeLimit.truncated"]
                assert_same(info["terminal_observation"], all_infos["final_obs"][index])


def test_returns_are_reported_and_are_the_reduction():
    env = env_of()
    assert isinstance(env, VecMonitor)
    env.reset()
    rng = np.random.default_rng(0)
    ended = []
    while len(ended) < 4:
        *_, infos = env.step(rng.integers(16, size=4))
        ended += [info for info in infos if "episode" in info]
    for info in ended:
        assert info["episode"]["r"] == pytest.approx(info["reduction"], abs=1e-5)
        assert info["episode"]["l"] == 12


def test_attributes_and_pictures():
    env = env_of(n_envs=2, render_mode="rgb_array", monitor=False)
    env.reset()
    assert [mapping.n_logical_cores for mapping in env.get_attr("mapping")] == [12, 12]
    assert env.get_attr("mapping", indices=1)[0] == PROBLEM.reference_mapping
    assert env.render().ndim == 3
    with pytest.raises(AttributeError, match="make_vec_env"):
        env.set_attr("mapping", None)
    env.close()


def test_other_environments_and_modes_are_refused():
    with pytest.raises(LoihiGymError, match="unknown environment 'CartPole-v1'"):
        make_vec_env("CartPole-v1")
    with pytest.raises(LoihiGymError, match="SameStep"):
        LoihiVecEnv(LoihiVectorEnv(LoihiSwap(benchmark=PROBLEM)))


def test_training_in_spawned_processes():
    env = sb3_make_vec_env(
        "loihi_gym:LoihiPlace-v0",
        n_envs=2,
        seed=0,
        vec_env_cls=SubprocVecEnv,
        vec_env_kwargs={"start_method": "spawn"},
        env_kwargs={"benchmark": "mlp-xs", "backend": "bound"},
    )
    try:
        MaskablePPO("MultiInputPolicy", env, **SMALL).learn(32)
        PPO("MultiInputPolicy", env, **SMALL).learn(32)
    finally:
        env.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"benchmrk": "mlp-xs"}, "no argument 'benchmrk' .did you mean 'benchmark'"),
        ({"num_envs": 3}, "no argument 'num_envs' .did you mean 'n_envs'"),
        ({"vectorization_mode": "sync"}, "no argument 'vectorization_mode'"),
        ({"max_steps": 3}, "no argument 'max_steps'"),
        ({"n_envs": 0}, "n_envs = 0"),
        ({"n_envs": "x"}, "n_envs = 'x'"),
        ({"seed": -1}, "seed -1"),
        ({"env_id": 3}, "unknown environment '3'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(LoihiGymError, match=message):
        make_vec_env(**{"benchmark": PROBLEM, "backend": "bound"} | arguments)


def test_reset_options_are_the_same_for_all_environments():
    env = env_of(n_envs=2, monitor=False)
    env.set_options({"mapping": "random"})
    env.reset()
    assert env.get_attr("mapping")[0] != PROBLEM.reference_mapping
    env.set_options([{"mapping": "random"}, {}])
    with pytest.raises(LoihiGymError, match="the same for all environments"):
        env.reset()
    env.set_options({"maping": "random"})
    with pytest.raises(LoihiGymError, match="no reset option 'maping'"):
        env.reset()
