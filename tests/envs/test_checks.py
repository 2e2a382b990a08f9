"""Gymnasium's and SB3's own checks, every warning an error (pyproject's filterwarnings)."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.envs.rollouts import BACKENDS, FORMS, IDS, legal_action, slack_problem, steps_time

PROBLEM = slack_problem()
OBJECTIVES = ("latency", "energy", "edp", steps_time)


def make(env_id, observation="flat", objective="latency", backend="bound"):
    return gymnasium.make(
        env_id, benchmark=PROBLEM, backend=backend, observation=observation, objective=objective
    )


every_choice = pytest.mark.parametrize(
    ("env_id", "observation", "objective", "backend"),
    [(*form, r, b) for form in FORMS for r in OBJECTIVES for b in BACKENDS],
    ids=lambda choice: getattr(choice, "__name__", choice),
)


@every_choice
def test_gymnasium_check(env_id, observation, objective, backend):
    env = make(env_id, observation, objective, backend)
    check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasium_check_of_rendering(env_id, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    check_env(make(env_id).unwrapped)


@every_choice
def test_passive_checker_through_an_episode(env_id, observation, objective, backend):
    env = make(env_id, observation, objective, backend)  # make() wraps it in the passive checker
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(5):
        *_, terminated, truncated, _ = env.step(legal_action(env.unwrapped, rng))
        if terminated or truncated:
            env.reset()


@every_choice
def test_sb3_check(env_id, observation, objective, backend):
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker", reason="the extra 'rl'")
    env = make(env_id, observation, objective, backend)
    if observation == "graph":
        # SB3 supports no Graph: its check says so and looks no further. That it says so is all
        # there is to test.
        with pytest.warns(UserWarning, match="Graph"):
            sb3.check_env(env)
    elif env_id == "LoihiRefine-v0":
        # It warns that rows of candidates are no image; networks of one's own take them.
        with pytest.warns(UserWarning, match="candidates has an unconventional shape"):
            sb3.check_env(env)
    else:
        sb3.check_env(env)
