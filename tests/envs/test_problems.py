import numpy as np
import pytest

from loihi_gym.envs import Family
from loihi_gym.envs.problem_source import Problems
from loihi_gym.errors import LoihiGymError
from tests.envs.rollouts import IDS, assert_same, make, slack_problem, walk
from tests.toys import toy_problem

TEMPLATE = "generator://mlp?layers=2&width=48&inputs=24&density=0.5&chip=loihi2-16&seed={seed}"
TOYS = [slack_problem(seed) for seed in range(3)]


def drawn(env, resets=12, seed=0):
    env.reset(seed=seed)
    found = [env.problem]
    for _ in range(resets - 1):
        env.reset()
        found.append(env.problem)
    return found


@pytest.mark.parametrize("env_id", IDS)
def test_a_list_gives_another_problem_at_each_reset_by_seed(env_id):
    env = make(env_id, benchmark=TOYS)
    first = drawn(env)
    assert {id(problem) for problem in first} == {id(problem) for problem in TOYS}
    assert drawn(env) == first
    assert drawn(env, seed=1) != first
    for problem in first:
        assert env._tasks.of(problem).problem is problem
    assert env.reset(seed=0)[1]["reduction"] == 0.0


def test_names_and_samplers():
    name = TEMPLATE.replace("{seed}", "1")
    same_mesh = toy_problem()  # on loihi2-16, as the generated one
    env = make("LoihiPlace-v0", benchmark=[name, same_mesh])
    named = [problem for problem in drawn(env) if problem is not same_mesh]
    assert 0 < len(named) < 12
    assert len({id(problem) for problem in named}) == 1  # loaded once
    env = make("LoihiPlace-v0", benchmark=lambda rng: TOYS[int(rng.integers(2))])
    assert {id(problem) for problem in drawn(env)} == {id(problem) for problem in TOYS[:2]}


def test_families_of_generated_benchmarks():
    seen = make("LoihiPlace-v0", benchmark=Family(TEMPLATE, range(3)))
    held_out = make("LoihiPlace-v0", benchmark=Family(TEMPLATE, range(3, 5)))
    training = {problem.name for problem in drawn(seen)}
    assert len(training) == 3
    assert training.isdisjoint(problem.name for problem in drawn(held_out))
    assert [problem.name for problem in drawn(seen)] == [problem.name for problem in drawn(seen)]
    assert seen.observation_space == held_out.observation_space
    assert list(Family(TEMPLATE, [7])) == [TEMPLATE.replace("{seed}", "7")]
    by_string = Problems(TEMPLATE)
    rng = np.random.default_rng(0)
    assert by_string.draw(rng).name != by_string.draw(rng).name


def test_an_episode_on_a_set_is_reproducible():
    assert_same(*(walk(make("LoihiMap-v0", benchmark=TOYS), 60) for _ in range(2)))


def test_one_environment_has_one_mesh():
    env = make("LoihiPlace-v0", benchmark=[toy_problem(), toy_problem(chip="loihi2")])
    with pytest.raises(LoihiGymError, match="different meshes"):
        drawn(env)


@pytest.mark.parametrize(
    ("benchmark", "message"),
    [((), "benchmark"), ([3], "benchmark 3"), (lambda rng: None, "benchmark None")],
)
def test_wrong_sets_are_named(benchmark, message):
    with pytest.raises(LoihiGymError, match=message):
        Problems(benchmark)


def test_wrong_families_are_named():
    with pytest.raises(LoihiGymError, match=r"no \{seed\} in it"):
        Family("generator://mlp?seed=3", range(3))
    with pytest.raises(LoihiGymError, match="no seeds"):
        Family(TEMPLATE, [])
