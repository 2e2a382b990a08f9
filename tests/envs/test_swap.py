import numpy as np

from loihi_gym.mapping import swap
from tests.envs.rollouts import legal_action, make, slack_problem

PROBLEM = slack_problem()


def free_cores(env):
    return np.setdiff1d(np.arange(16), env.mapping.placement)


def test_two_cores_exchange_what_is_on_them():
    env = make("LoihiSwap-v0", benchmark=PROBLEM)
    env.reset(seed=0)
    for a, b in [(0, 5), (3, 15), (7, 2)]:
        expected = swap(env.mapping, a, b)
        env.step(np.array([a, b]))
        assert env.mapping == expected


def test_the_horizon_is_free():
    for max_steps, expected in [(None, 16), (3, 3), (50, 50)]:
        env = make("LoihiSwap-v0", max_steps=max_steps)
        env.reset(seed=0)
        ends = [env.step(np.array([0, 1]))[2] for _ in range(expected)]
        assert ends == [False] * (expected - 1) + [True]


def test_the_mask_wants_a_piece_to_move():
    env = make("LoihiSwap-v0", benchmark=PROBLEM, start="random")
    env.reset(seed=2)
    first, second = np.split(env.action_masks(), 2)
    assert set(np.flatnonzero(first)) == set(env.mapping.placement.tolist())
    assert second.all()


def test_undo_takes_the_last_swap_back_for_free():
    env = make("LoihiSwap-v0", benchmark=PROBLEM, undo=True)
    env.reset(seed=0)
    env.step(np.array([0, 5]))
    mapping, best = env.mapping, env.state.best
    _, forth, _, _, info = env.step(np.array([1, 9]))
    evaluations = info["evaluations"]
    _, back, _, _, info = env.step(np.array([4, 4]))
    assert env.mapping == mapping
    assert back == -forth
    assert info["evaluations"] == evaluations == 2
    assert env.state.best <= best
    _, reward, _, _, _ = env.step(np.array([4, 4]))  # one deep
    assert env.mapping == mapping
    assert reward == 0.0


def test_without_undo_naming_a_core_twice_changes_nothing():
    env = make("LoihiSwap-v0", benchmark=PROBLEM)
    env.reset(seed=0)
    env.step(np.array([0, 5]))
    mapping = env.mapping
    _, reward, _, _, info = env.step(np.array([4, 4]))
    assert env.mapping == mapping
    assert (reward, info["evaluations"]) == (0.0, 1)


def test_swapping_free_cores_costs_no_evaluation():
    env = make("LoihiSwap-v0", benchmark=PROBLEM)
    env.reset(seed=2)
    a, b, *_ = free_cores(env)
    _, reward, _, _, info = env.step(np.array([a, b]))
    assert (reward, info["evaluations"]) == (0.0, 0)


def test_masked_walk_moves_a_piece_each_time():
    env = make("LoihiSwap-v0", benchmark=PROBLEM)
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(10):
        before, action = env.mapping, legal_action(env, rng)
        env.step(action)
        assert (env.mapping == before) == (action[0] == action[1])
