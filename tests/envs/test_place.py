import numpy as np
import pytest

from loihi_gym.mapping import swap
from tests.envs.rollouts import legal_action, make, slack_problem

PROBLEM = slack_problem()


def test_an_episode_goes_over_the_logical_cores_in_layer_order():
    env = make("LoihiPlace-v0", benchmark=PROBLEM)
    observation, _ = env.reset(seed=0)
    rng = np.random.default_rng(0)
    n = env.mapping.n_logical_cores
    for piece in range(n):
        core = env.mapping.placement[piece]
        assert np.flatnonzero(observation["cursor"]).tolist() == [core]
        expected = swap(env.mapping, int(core), int(action := legal_action(env, rng)))
        observation, _, terminated, truncated, _ = env.step(action)
        assert env.mapping == expected
        assert env.mapping.placement[piece] == action
        assert (terminated, truncated) == (piece == n - 1, False)
    assert not observation["cursor"].any()
    assert not observation["own"].any()


@pytest.mark.parametrize("passes", [1, 2, 3])
def test_passes(passes):
    env = make("LoihiPlace-v0", passes=passes)
    env.reset(seed=0)
    steps, over = 0, False
    while not over:
        _, _, over, _, _ = env.step(legal_action(env, np.random.default_rng(steps)))
        steps += 1
    assert steps == passes * env.mapping.n_logical_cores


def test_the_mask_leaves_out_other_pieces_of_the_layer():
    env = make("LoihiPlace-v0", benchmark=PROBLEM)
    _, info = env.reset(seed=0)
    layers = np.repeat(np.arange(PROBLEM.n_layers), env.mapping.cores_per_layer)
    for piece, layer in enumerate(layers):
        mask = env.action_masks()
        assert mask.dtype == np.bool_
        np.testing.assert_array_equal(info["action_mask"], mask.astype(np.int8))
        assert info["action_mask"].dtype == np.int8
        others = np.flatnonzero((layers == layer) & (np.arange(len(layers)) != piece))
        masked = set(range(16)) - set(np.flatnonzero(mask).tolist())
        assert masked == set(env.mapping.placement[others].tolist())
        *_, info = env.step(legal_action(env, np.random.default_rng(piece)))


def test_staying_costs_no_evaluation():
    env = make("LoihiPlace-v0")
    env.reset(seed=0)
    _, reward, _, _, info = env.step(int(env.mapping.placement[0]))
    assert (reward, info["evaluations"]) == (0.0, 0)
    elsewhere = next(
        core for core in range(16) if env.action_masks()[core] and core != env.mapping.placement[1]
    )
    assert env.step(elsewhere)[4]["evaluations"] == 1
