import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.mapping import fitting, heuristic, random_mapping
from tests.envs.rollouts import make, slack_problem
from tests.toys import bundled_problem, examples, problem_of, toy_chip, toy_network

PROBLEM = slack_problem()


def test_one_step_measures_the_whole_mapping():
    env = make("LoihiOneShot-v0", benchmark=PROBLEM)
    env.reset(seed=0)
    target = heuristic(PROBLEM, "packed/hilbert")
    _, reward, terminated, truncated, info = env.step(env.encode(target))
    assert env.mapping == target
    assert (terminated, truncated) == (True, False)
    assert reward == pytest.approx(info["reduction"], abs=1e-12)
    assert info["evaluations"] == 1


@pytest.mark.parametrize(
    "problem",
    [PROBLEM, bundled_problem("mlp-xs", "loihi2-16"), bundled_problem("mlp-deep", "loihi2")],
    ids=["toy", "mlp-xs", "mlp-deep"],
)
def test_encoding_a_mapping_is_exact(problem):
    env = make("LoihiOneShot-v0", benchmark=problem)
    rng = np.random.default_rng(0)
    mappings = [*fitting(problem).values()]
    for mapping in mappings + [random_mapping(problem, rng) for _ in range(20)]:
        env.reset()
        keys = env.encode(mapping)
        assert keys in env.action_space
        env.step(keys)
        assert env.mapping == mapping


@examples(60)
@given(st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_every_vector_is_a_legal_mapping(seed, scale):
    chip = toy_chip(routers=(5, 4), constants={"capacity.output_axons": 20})
    for problem in (PROBLEM, problem_of(toy_network((20, 24, 10), density=0.3), chip)):
        env = make("LoihiOneShot-v0", benchmark=problem)
        env.reset(seed=0)
        keys = scale * np.random.default_rng(seed).uniform(-1, 1, env.action_space.shape)
        env.step(keys.astype(np.float32))
        assert problem.check(env.mapping) == []


@pytest.mark.parametrize("key", [-1.0, 0.0, 1.0])
def test_extreme_and_equal_keys(key):
    env = make("LoihiOneShot-v0", benchmark=PROBLEM)
    env.reset(seed=0)
    env.step(np.full(env.action_space.shape, key, np.float32))
    assert PROBLEM.check(env.mapping) == []
    assert env.mapping.placement.tolist() == list(range(env.mapping.n_logical_cores))
    if key == -1.0:
        packed = heuristic(PROBLEM, "packed/row-major")
        assert env.mapping.cores_per_layer.tolist() == packed.cores_per_layer.tolist()
