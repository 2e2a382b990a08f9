"""Native vector environments are, step for step, as many single ones."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from loihi_gym.backends import Bound
from loihi_gym.envs.place_vector import BoundPlaceVectorEnv
from loihi_gym.envs.vector import LoihiVectorEnv
from loihi_gym.errors import InvalidActionError, LoihiGymError
from loihi_gym.search.session import BudgetSpent, Session
from tests.envs.rollouts import (
    IDS,
    Failing,
    assert_same,
    legal_action,
    slack_problem,
    steps_time,
)
from tests.toys import toy_problem

PROBLEM = slack_problem()
MODES = (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)
COMPILED = [
    {"objective": "latency"},
    {"objective": "energy", "passes": 2},
    {"objective": "edp", "start": "random"},
    {"on_illegal": "raise"},
    {"benchmark": [PROBLEM, slack_problem(1), toy_problem(steps=3)], "start": "random"},
]
BATCHED = [
    ("LoihiPlace-v0", {"backend": "mesh", "start": "random"}),
    ("LoihiPlace-v0", {"backend": "bound", "observation": "image"}),
    ("LoihiPlace-v0", {"backend": "bound", "observation": "graph"}),
    ("LoihiPlace-v0", {"backend": "bound", "objective": steps_time}),
    ("LoihiSwap-v0", {"backend": "bound", "undo": True}),
    ("LoihiSwap-v0", {"backend": "mesh"}),
    ("LoihiPartition-v0", {"backend": "mesh", "on_illegal": "penalty"}),
    ("LoihiMap-v0", {"backend": "bound", "benchmark": [PROBLEM, slack_problem(1)]}),
    ("LoihiRefine-v0", {"backend": "mesh", "max_steps": 12}),
    ("LoihiRefine-v0", {"backend": "bound", "restart": "best", "hold": False}),
    ("LoihiOneShot-v0", {"backend": "mesh"}),
    ("LoihiOneShot-v0", {"backend": "bound", "observation": "image"}),
]


def vector(env_id="LoihiPlace-v0", num_envs=4, mode=AutoresetMode.NEXT_STEP, **arguments):
    arguments = {"benchmark": PROBLEM, "backend": "bound"} | arguments
    return gymnasium.make_vec(
        env_id,
        num_envs=num_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode,
        **arguments,
    )


def singles(env_id="LoihiPlace-v0", num_envs=4, mode=AutoresetMode.NEXT_STEP, **arguments):
    arguments = {"benchmark": PROBLEM, "backend": "bound"} | arguments
    return gymnasium.make_vec(
        env_id,
        num_envs=num_envs,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        **arguments,
    )


def without_bottleneck(info):
    """Compiled environments leave the bottleneck out."""
    return {
        key: without_bottleneck(value) if isinstance(value, dict) else value
        for key, value in info.items()
        if "bottleneck" not in key
    }


def assert_equal_walks(native, reference, steps, compiled=False):
    look = without_bottleneck if compiled else lambda info: info
    rng = np.random.default_rng(0)
    ours, theirs = native.reset(seed=7), reference.reset(seed=7)
    assert_same((ours[0], look(ours[1])), (theirs[0], theirs[1] and look(theirs[1])))
    for _ in range(steps):
        actions = [legal_action(env.unwrapped, rng) for env in reference.envs]
        actions = np.stack(actions)
        ours, theirs = native.step(actions), reference.step(actions)
        assert_same(ours[:4], theirs[:4])
        assert_same(look(ours[4]), look(theirs[4]))
        masks = np.stack([env.unwrapped.action_masks() for env in reference.envs])
        np.testing.assert_array_equal(native.action_masks(), masks)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("arguments", COMPILED, ids=lambda a: "-".join(map(str, a))[:40])
def test_compiled_place_equals_single_ones(mode, arguments):
    native = vector(num_envs=5, mode=mode, **arguments)
    assert isinstance(native, BoundPlaceVectorEnv)
    assert_equal_walks(native, singles(num_envs=5, mode=mode, **arguments), 45, compiled=True)


@pytest.mark.parametrize("mode", MODES)
def test_64_compiled_equal_64_single_ones(mode):
    native = vector(num_envs=64, mode=mode, benchmark="mlp-xs")
    assert_equal_walks(
        native, singles(num_envs=64, mode=mode, benchmark="mlp-xs"), 40, compiled=True
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("env_id", "arguments"), BATCHED)
def test_batched_equals_single_ones(env_id, arguments, mode):
    native = vector(env_id, mode=mode, **arguments)
    assert type(native) is LoihiVectorEnv
    assert_equal_walks(native, singles(env_id, mode=mode, **arguments), 30)


@pytest.mark.parametrize("env_id", IDS)
def test_modes_and_spaces_are_declared(env_id):
    for mode in AutoresetMode:
        native = vector(env_id, num_envs=3, mode=mode)
        assert native.metadata["autoreset_mode"] == mode
        observations, _ = native.reset(seed=0)
        assert observations in native.observation_space
        assert native.action_space == gymnasium.vector.utils.batch_space(
            native.single_action_space, 3
        )


@pytest.mark.parametrize("env_id", ["LoihiPlace-v0", "LoihiSwap-v0"])
def test_disabled_autoreset_resets_by_mask(env_id):
    native = vector(env_id, num_envs=3, mode=AutoresetMode.DISABLED)
    reference = singles(env_id, num_envs=3, mode=AutoresetMode.DISABLED)
    compiled = isinstance(native, BoundPlaceVectorEnv)
    look = without_bottleneck if compiled else lambda info: info
    rng = np.random.default_rng(0)
    for envs in (native, reference):
        envs.reset(seed=1)
    for _ in range(3):
        over = np.zeros(3, np.bool_)
        while not over.any():
            actions = np.stack([legal_action(env.unwrapped, rng) for env in reference.envs])
            ours, theirs = native.step(actions), reference.step(actions)
            assert_same(ours[:4], theirs[:4])
            over = ours[2]
        with pytest.raises(InvalidActionError, match="reset it first"):
            native.step(actions)
        ours = native.reset(options={"reset_mask": over})
        theirs = reference.reset(options={"reset_mask": over})
        assert_same(ours[0], theirs[0])
        assert_same(look(ours[1]), look(theirs[1]))
    with pytest.raises(LoihiGymError, match="reset_mask"):
        native.reset(options={"reset_mask": np.zeros(3, np.bool_)})


@pytest.mark.parametrize("arguments", [{}, {"backend": "mesh"}], ids=["compiled", "batched"])
def test_wrong_actions_move_nothing(arguments):
    native = vector(num_envs=3, **arguments)
    native.reset(seed=0)
    for actions in (np.array([0, 1]), np.array([0, 1, 99]), np.array([0, -1, 2])):
        with pytest.raises(InvalidActionError):
            native.step(actions)
    mappings = native.get_attr("mapping")
    assert all(mapping == PROBLEM.reference_mapping for mapping in mappings)
    with pytest.raises(InvalidActionError):
        vector(num_envs=3, **arguments).step(np.zeros(3, np.int64))


@pytest.mark.parametrize("env_id", IDS)
def test_actions_sampled_without_masks_are_taken(env_id):
    native, reference = vector(env_id, backend="mesh"), singles(env_id, backend="mesh")
    for envs in (native, reference):
        envs.reset(seed=0)
    native.action_space.seed(0)
    for _ in range(30):
        actions = native.action_space.sample()
        ours, theirs = native.step(actions), reference.step(actions)
        assert_same(ours, theirs)


def test_looking_at_compiled_environments_does_not_disturb_them():
    native, twin = vector(start="random"), vector(start="random")
    rng = np.random.default_rng(0)
    for envs in (native, twin):
        envs.reset(seed=0)
    for _ in range(30):
        actions = rng.integers(16, size=4)
        states = native.get_attr("state")
        assert [s.measured.latency_ps for s in states] == [
            Bound(s.task.problem).evaluate(m).latency_ps
            for s, m in zip(states, native.get_attr("mapping"), strict=True)
        ]
        assert_same(native.step(actions), twin.step(actions))


def test_failing_measurements_truncate_only_their_environment():
    def maker(problem):
        return Failing(problem, good=12)

    native = vector(num_envs=4, mode=AutoresetMode.DISABLED, backend=maker)
    native.reset(seed=0)
    rng = np.random.default_rng(0)
    while True:
        actions = np.stack([legal_action(env, rng) for env in native.envs])
        _, rewards, terminated, truncated, infos = native.step(actions)
        if truncated.any():
            break
    assert not terminated[truncated].any()
    assert (rewards[truncated] == 0).all()
    np.testing.assert_array_equal(infos["_error"], truncated)
    assert set(infos["error"][truncated]) == {"the board does not answer"}


def test_a_budget_that_ends_within_a_batch_comes_through():
    session = Session(Bound(PROBLEM), budget=10)
    native = vector(num_envs=4, benchmark=None, backend=session)
    native.reset(seed=0)
    rng = np.random.default_rng(0)

    def go_on():
        while True:
            native.step(np.stack([legal_action(env, rng) for env in native.envs]))

    with pytest.raises(BudgetSpent):
        go_on()
    assert session.evaluations == 10


def test_gymnasium_vectors_work_too_with_spawn():
    envs = gymnasium.make_vec(
        "loihi_gym:LoihiPlace-v0",
        num_envs=2,
        vectorization_mode="async",
        vector_kwargs={"context": "spawn"},
        benchmark="mlp-xs",
        backend="bound",
    )
    reference = singles(num_envs=2, benchmark="mlp-xs")
    try:
        assert_same(envs.reset(seed=3), reference.reset(seed=3))
        rng = np.random.default_rng(0)
        for _ in range(20):
            actions = rng.integers(16, size=2)
            assert_same(envs.step(actions), reference.step(actions))
    finally:
        envs.close()
