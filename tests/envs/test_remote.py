"""The same episodes on a backend on another machine: here, a server on loopback."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.envs.rollouts import IDS, assert_same, legal_action, make, slack_problem, walk
from tests.server.servers import running

PROBLEM = slack_problem()


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    with running(tmp_path_factory.mktemp("remote"), backend="mesh", real=True) as server:
        yield server.url


@pytest.mark.parametrize("env_id", IDS)
def test_episodes_are_those_on_mesh(env_id, remote):
    there = walk(make(env_id, benchmark=PROBLEM, backend=remote, start="random"), 12)
    assert_same(there, walk(make(env_id, benchmark=PROBLEM, backend="mesh", start="random"), 12))


@pytest.mark.parametrize("env_id", IDS)
def test_checks(env_id, remote):
    env = gymnasium.make(env_id, benchmark=PROBLEM, backend=remote)
    check_env(env.unwrapped, skip_render_check=True)
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker", reason="the extra 'rl'")
    if env_id != "LoihiRefine-v0":  # SB3 warns of its rows of candidates, wherever it measures
        sb3.check_env(env)


@pytest.mark.parametrize("env_id", IDS)
def test_a_board_that_fails_truncates(env_id, tmp_path):
    with running(tmp_path) as server:
        env = make(env_id, benchmark=PROBLEM, backend=server.url)
        env.reset(seed=0)
        before = env.mapping
        server.orders.write_text("fail")
        rng = np.random.default_rng(3)
        truncated = terminated = False
        while not (truncated or terminated):
            *_, reward, terminated, truncated, info = env.step(legal_action(env, rng))
        assert (truncated, terminated, reward) == (True, False, 0.0)
        assert "on fire" in info["error"]
        assert env.mapping == before
