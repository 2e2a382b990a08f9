"""Whatever an environment returns may be written to, or cannot be: the next step is the same."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from loihi_gym.envs.observation import Layout
from tests.envs.rollouts import FORMS, IDS, assert_same, legal_action, make, slack_problem
from tests.envs.test_vector import singles, vector

PROBLEM = slack_problem()
KEPT = ("placement", "occupant", "busy_ps")
VECTORS = [("mesh", "flat"), ("bound", "flat"), ("bound", "graph")]


def spoil(value):
    """Write into every array of a nested result that lets itself be written to."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        if value.flags.writeable:
            value[...] = 1 - value if value.dtype != np.bool_ else ~value
    elif isinstance(value, dict):
        for one in list(value.values()):
            spoil(one)
        value.clear()
    elif isinstance(value, tuple | list | np.ndarray):
        for one in value:
            spoil(one)


def spoil_state(state):
    for measured in (state.measured, state.undo):
        if measured is not None:
            spoil([getattr(measured, name) for name in KEPT])
            spoil([measured.mapping.placement, measured.mapping.cores_per_layer])


@pytest.mark.parametrize(("env_id", "observation"), FORMS)
@pytest.mark.parametrize("backend", ["bound", "mesh"])
def test_single_environments(env_id, observation, backend):
    env, twin = (
        make(env_id, observation=observation, backend=backend, start="random") for _ in range(2)
    )
    rng = np.random.default_rng(0)
    spoil(env.reset(seed=0))
    twin.reset(seed=0)
    for _ in range(6):
        if twin.state.over:
            spoil(env.reset())
            twin.reset()
        action = legal_action(twin, rng)
        snapshot = env.get_state()
        spoil(env.action_masks())
        spoil_state(env.state)
        spoil_state(snapshot.episode)
        spoil(snapshot.generator)
        ours, theirs = env.step(action.copy()), twin.step(action)
        assert_same(ours, theirs)
        spoil(ours)
        assert_same(env.action_masks(), twin.action_masks())


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize(
    ("env_id", "backend", "observation"),
    [(env_id, b, form) for env_id in IDS for b, form in VECTORS if (env_id, form) in FORMS],
)
def test_vectors(env_id, mode, backend, observation):
    ours, theirs = (
        vector(env_id, 3, mode, backend=backend, observation=observation, start="random")
        for _ in range(2)
    )
    rng = np.random.default_rng(0)
    spoil(ours.reset(seed=0))
    theirs.reset(seed=0)
    for _ in range(30):
        actions = np.stack([legal_action(env, rng) for env in masked(theirs)])
        spoil(ours.action_masks())
        for state in ours.get_attr("state"):
            spoil_state(state)
        results = ours.step(actions.copy()), theirs.step(actions)
        assert_same(*results)
        over = results[1][2].copy()
        spoil(results[0])
        assert_same(ours.action_masks(), theirs.action_masks())
        if mode == AutoresetMode.DISABLED and over.any():
            options = {"reset_mask": over}
            results = ours.reset(options=options), theirs.reset(options=options)
            assert_same(*results)
            spoil(results[0])


def masked(envs):
    """The single environments, brought up to date."""
    envs.call("problem")
    return envs.envs


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasiums_vectors(env_id):
    ours, theirs = singles(env_id, 2), singles(env_id, 2)
    rng = np.random.default_rng(0)
    spoil(ours.reset(seed=0))
    theirs.reset(seed=0)
    for _ in range(20):
        actions = np.stack([legal_action(env.unwrapped, rng) for env in theirs.envs])
        spoil(ours.call("action_masks"))
        results = ours.step(actions), theirs.step(actions)
        assert_same(*results)
        spoil(results[0])


def test_the_arrays_of_a_state_refuse():
    env = make("LoihiSwap-v0", benchmark=PROBLEM, start="random")
    env.reset(seed=0)
    env.step(np.array([0, 5]))
    state = env.state
    for measured in (state.measured, state.undo, state.task.reference):
        for name in KEPT:
            with pytest.raises(ValueError, match="read-only"):
                getattr(measured, name)[...] = 0
        for part in measured.partition.table[:-1]:
            assert not part.flags.writeable


def test_sampling_does_not_show_the_masks():
    env = make("LoihiPartition-v0")
    env.reset(seed=0)
    env.action_masks()[:] = False
    env.action_space.seed(0)
    assert env.action_masks()[env.action_space.sample()]
    assert isinstance(env.layout, Layout)
