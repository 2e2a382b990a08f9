import pickle

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import loihi_gym
from loihi_gym.envs.place import LoihiPlace
from loihi_gym.envs.problem_source import Problems
from loihi_gym.envs.vector_choice import make_vector
from loihi_gym.errors import LoihiGymError, UnknownNameError
from loihi_gym.sb3 import make_vec_env
from tests.envs.rollouts import IDS, assert_same, make, slack_problem, walk
from tests.toys import toy_problem

NAMES = [
    f"generator://sparse-mlp?widths=24-48-48-10&density=0.5&chip=loihi2-16&seed={seed}"
    for seed in range(3)
]
PART = "family://sparse-mlp/train?chip=loihi2-24"
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
    name = NAMES[1]
    same_mesh = toy_problem()  # on loihi2-16, as the generated one
    env = make("LoihiPlace-v0", benchmark=[name, same_mesh])
    named = [problem for problem in drawn(env) if problem is not same_mesh]
    assert 0 < len(named) < 12
    assert len({id(problem) for problem in named}) == 1  # loaded once
    env = make("LoihiPlace-v0", benchmark=lambda rng: TOYS[int(rng.integers(2))])
    assert {id(problem) for problem in drawn(env)} == {id(problem) for problem in TOYS[:2]}


def test_families_draw_another_member_at_each_reset():
    train = loihi_gym.family("sparse-mlp").train.on("loihi2-24")
    seen = make("LoihiPlace-v0", benchmark=train)
    held_out = make("LoihiPlace-v0", benchmark=PART.replace("train", "validation"))
    names = [problem.name for problem in drawn(seen, 5)]
    assert len(set(names)) == 5
    assert all(name.startswith("family://sparse-mlp/train/") for name in names)
    assert [problem.name for problem in drawn(make("LoihiPlace-v0", benchmark=PART), 5)] == names
    assert seen.observation_space == held_out.observation_space
    assert drawn(held_out, 1)[0].name.startswith("family://sparse-mlp/validation/")


def test_a_part_of_many_systems_is_refused_with_what_to_write():
    with pytest.raises(LoihiGymError, match=r"such as family://sparse-mlp/train\?chip=loihi2$"):
        make("LoihiPlace-v0", benchmark="family://sparse-mlp/train")


@pytest.mark.parametrize("env_id", IDS)
def test_an_episode_on_a_benchmark_by_name(env_id):
    env = make(env_id, benchmark=TOYS[0])
    _, info = env.reset(seed=0, options={"benchmark": TOYS[2]})
    assert env.problem is TOYS[2]
    assert info["benchmark"] == TOYS[2].name
    twin = pickle.loads(pickle.dumps(env))
    assert (twin.problem.digest, twin.mapping) == (TOYS[2].digest, env.mapping)
    assert env.reset()[1]["benchmark"] == TOYS[0].name
    _, info = make(env_id, benchmark=PART).reset(options={"benchmark": PART.replace("?", "/3?")})
    assert info["benchmark"] == "family://sparse-mlp/train/3?chip=loihi2-24"
    with pytest.raises(LoihiGymError, match="different meshes"):
        env.reset(options={"benchmark": toy_problem(chip="loihi2")})
    with pytest.raises(UnknownNameError, match="unknown benchmark 'mlp-xss'"):
        env.reset(options={"benchmark": "mlp-xss"})


@pytest.mark.parametrize("backend", ["bound", "mesh"])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_the_last_step_names_the_problem_that_ended(backend, mode):
    """Vector environments in every autoreset mode, compiled ones too."""
    envs = make_vector(LoihiPlace, num_envs=3, autoreset_mode=mode, benchmark=TOYS, backend=backend)
    _, infos = envs.reset(seed=0)
    names = infos["benchmark"].tolist()
    for _ in range(60):
        actions = [int(np.flatnonzero(mask)[0]) for mask in envs.action_masks()]
        _, _, over, _, infos = envs.step(np.array(actions))
        for index in np.flatnonzero(over):
            ended = infos["final_info"] if mode == AutoresetMode.SAME_STEP else infos
            assert ended["benchmark"][index] == names[index]
            if mode != AutoresetMode.SAME_STEP:
                assert envs.get_attr("problem")[index].name == names[index]
        if mode == AutoresetMode.DISABLED and over.any():
            infos = envs.reset(options={"reset_mask": over})[1]
        if mode != AutoresetMode.NEXT_STEP or not over.any():
            known = infos["benchmark"].tolist()
            names = [new or old for new, old in zip(known, names, strict=True)]


def test_sb3_is_told_the_problem_that_ended():
    envs = make_vec_env("LoihiPlace-v0", 2, monitor=False, benchmark=TOYS, backend="bound")
    envs.seed(0)
    envs.reset()
    names = [info["benchmark"] for info in envs.reset_infos]
    for _ in range(40):
        masks = envs.env_method("action_masks")
        _, _, over, infos = envs.step(np.array([int(np.flatnonzero(mask)[0]) for mask in masks]))
        for index in np.flatnonzero(over):
            assert infos[index]["benchmark"] == names[index]
            names[index] = envs.reset_infos[index]["benchmark"]


def test_an_episode_on_a_set_is_reproducible():
    assert_same(*(walk(make("LoihiMap-v0", benchmark=TOYS), 60) for _ in range(2)))


def test_one_environment_has_one_mesh():
    with pytest.raises(LoihiGymError, match="different meshes"):
        make("LoihiPlace-v0", benchmark=[toy_problem(), toy_problem(chip="loihi2")])
    with pytest.raises(LoihiGymError, match="pass max_layers="):
        make("LoihiPlace-v0", benchmark=[*TOYS, toy_problem()], max_layers=2)
    two = iter([toy_problem(), toy_problem(), toy_problem(chip="loihi2")])
    env = make("LoihiPlace-v0", benchmark=lambda rng: next(two))
    with pytest.raises(LoihiGymError, match="different meshes"):
        drawn(env, 3)


@pytest.mark.parametrize(
    ("benchmark", "message"),
    [((), "benchmark"), ([3], "benchmark 3"), (lambda rng: None, "benchmark None")],
)
def test_wrong_sets_are_named(benchmark, message):
    with pytest.raises(LoihiGymError, match=message):
        Problems(benchmark, 32)
