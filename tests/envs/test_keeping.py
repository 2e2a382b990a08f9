"""What is kept of steps and episodes: `hold`, `commit_every`, starts from what was found."""

import pickle

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from loihi_gym.backends import Bound
from loihi_gym.envs.measured_mapping import Unmeasured
from loihi_gym.envs.vector import LoihiVectorEnv
from loihi_gym.errors import LoihiGymError
from tests.envs.rollouts import assert_same, legal_action, make, slack_problem, walk
from tests.envs.test_vector import assert_equal_walks, singles, vector

PROBLEM = slack_problem()
MOVING = ["LoihiPlace-v0", "LoihiSwap-v0", "LoihiPartition-v0", "LoihiMap-v0"]
moving = pytest.mark.parametrize("env_id", MOVING)


def latency_of(mapping):
    return Bound(PROBLEM).evaluate(mapping).latency_ps


@moving
def test_hold_takes_worse_mappings_back(env_id):
    env = make(env_id, hold=True, backend="mesh", start="random")
    first = env.reset(seed=0)[1]["reduction"]
    free = make(env_id, backend="mesh")
    free.reset(seed=0)
    rng, held, total = np.random.default_rng(0), 0, 0.0
    while not env.state.over:
        before, action = env.state, legal_action(env, rng)
        free.set_state(env.get_state())
        free.step(action)
        observation, reward, *_, info = env.step(action)
        total += reward
        worse = free.state.value > before.value
        held += worse
        assert env.mapping == (before.measured.mapping if worse else free.mapping)
        assert info["evaluations"] == free.state.evaluations
        assert reward >= 0.0
        assert env.state.cursor == free.state.cursor or env_id == "LoihiMap-v0"
        assert observation in env.observation_space
    assert held
    assert total == pytest.approx(info["reduction"] - first, abs=1e-12)
    assert info["reduction"] == info["best_reduction"]


@moving
@pytest.mark.parametrize("backend", ["bound", "mesh"])
def test_only_every_mth_step_is_measured(env_id, backend):
    env = make(env_id, commit_every=3, backend=backend)
    _, info = env.reset(seed=0)
    rng, total, spent = np.random.default_rng(1), 0.0, 0
    while not env.state.over:
        before = env.state
        observation, reward, over, _, info = env.step(legal_action(env, rng))
        total += reward
        assert PROBLEM.check(env.mapping) == []
        assert observation in env.observation_space
        if env.state.steps % 3 and not over:
            assert (reward, info["evaluations"]) == (0.0, spent)
            assert env.state.committed is before.committed
            assert info["latency_s"] == before.committed.measurement.latency_s
        else:
            assert not isinstance(env.state.measured, Unmeasured)
            assert info["evaluations"] - spent in (0, 1)
            spent = info["evaluations"]
    assert total == pytest.approx(info["reduction"], abs=1e-12)
    assert info["latency_s"] == env.state.task.backend.evaluate(env.mapping).latency_s


def test_steps_between_show_the_changed_loads():
    env, twin = make("LoihiSwap-v0", commit_every=2), make("LoihiSwap-v0")
    for one in (env, twin):
        one.reset(seed=0)
    ours, theirs = (one.step(np.array([0, 9]))[0] for one in (env, twin))
    assert_same(ours["layer"], theirs["layer"])
    latencies = [one.state.measured.latency_ps for one in (env, twin)]
    links = theirs["links"] * (latencies[1] / latencies[0])
    np.testing.assert_allclose(ours["links"], links, rtol=1e-5)


def test_a_chain_that_leads_back_is_not_measured():
    env = make("LoihiSwap-v0", commit_every=2)
    env.reset(seed=0)
    env.step(np.array([0, 9]))
    _, reward, *_, info = env.step(np.array([9, 0]))
    assert (reward, info["evaluations"]) == (0.0, 0)
    assert env.mapping == PROBLEM.reference_mapping


def test_a_chain_is_taken_back_as_a_whole():
    env = make("LoihiSwap-v0", commit_every=3, hold=True, max_steps=60)
    env.reset(seed=0)
    rng, kept = np.random.default_rng(3), 0
    for _ in range(20):
        before = env.state.committed
        rewards = [env.step(legal_action(env, rng))[1] for _ in range(3)]
        if env.state.committed is before:
            assert env.mapping == before.mapping
            assert rewards[2] == 0.0
        else:
            kept += 1
            assert latency_of(env.mapping) <= before.latency_ps
    assert 0 < kept < 20


def test_undo_goes_back_within_a_chain():
    env = make("LoihiSwap-v0", commit_every=4, undo=True)
    env.reset(seed=0)
    env.step(np.array([0, 9]))
    one = env.mapping
    env.step(np.array([2, 11]))
    env.step(np.array([4, 4]))
    assert env.mapping == one
    *_, info = env.step(np.array([4, 4]))
    assert (env.mapping, info["evaluations"]) == (one, 1)
    assert env.state.measured.latency_ps == latency_of(one)


@moving
def test_starts_from_what_was_found(env_id):
    env = make(env_id)
    env.reset(seed=0)
    found, rng = [], np.random.default_rng(0)
    while not env.state.over:
        env.step(legal_action(env, rng))
        found.append(env.mapping)
    last = env.mapping
    _, info = env.reset(options={"mapping": "incumbent"})
    assert (env.mapping, info["evaluations"]) == (last, 0)
    best = min([PROBLEM.reference_mapping, *found], key=latency_of)
    state = env.get_state()
    for twin in (env, env.fork(), pickle.loads(pickle.dumps(env))):
        twin.reset(options={"mapping": "best"})
        assert latency_of(twin.mapping) == latency_of(best)
    env.set_state(state)
    env.reset(options={"mapping": "best"})
    assert latency_of(env.mapping) == latency_of(best)
    env.reset(seed=0, options={"mapping": "best"})  # a seed forgets
    assert env.mapping == PROBLEM.reference_mapping


def test_what_was_found_is_of_one_problem():
    others = [PROBLEM, slack_problem(1)]
    env = make("LoihiSwap-v0", benchmark=others, start="incumbent")
    env.reset(seed=0, options={"benchmark": others[0]})
    env.step(np.array([0, 9]))
    moved = env.mapping
    env.reset(options={"benchmark": others[1]})
    assert env.mapping == others[1].reference_mapping
    twin = pickle.loads(pickle.dumps(env))
    for one in (env, twin):
        one.reset(options={"benchmark": one.arguments.benchmark[0]})
        assert one.mapping == moved


@pytest.mark.parametrize("env_id", ["LoihiPlace-v0", "LoihiSwap-v0"])
def test_a_random_placement_keeps_the_cores_per_layer(env_id):
    env = make(env_id, start="random")
    env.reset(seed=0)
    counts = PROBLEM.reference_mapping.cores_per_layer
    np.testing.assert_array_equal(env.mapping.cores_per_layer, counts)
    assert env.mapping != PROBLEM.reference_mapping


KEEPING = [
    {"hold": True},
    {"commit_every": 3, "hold": True},
    {"commit_every": 2, "start": "best"},
    {"start": "incumbent", "backend": "mesh"},
]


@moving
@pytest.mark.parametrize("arguments", KEEPING, ids=lambda a: "-".join(a))
def test_vectors_equal_single_ones(env_id, arguments):
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
        native = vector(env_id, mode=mode, **arguments)
        assert type(native) is LoihiVectorEnv
        assert_equal_walks(native, singles(env_id, mode=mode, **arguments), 40)


@moving
@pytest.mark.parametrize("arguments", KEEPING, ids=lambda a: "-".join(a))
def test_states_forks_and_pickles_go_on_alike(env_id, arguments):
    env = make(env_id, **arguments)
    walk(env, 7)
    if env.state.over:
        env.reset()
    fork, twin, state = env.fork(), pickle.loads(pickle.dumps(env)), env.get_state()
    ahead = walk(env, 40, seed=2, reset=False)
    assert_same(walk(fork, 40, seed=2, reset=False), ahead)
    assert_same(walk(twin, 40, seed=2, reset=False), ahead)
    env.set_state(state)
    assert_same(walk(env, 40, seed=2, reset=False), ahead)


def test_compiled_environments_say_that_they_keep_nothing():
    with pytest.raises(LoihiGymError, match="make them with start='best'"):
        vector().reset(options={"mapping": "best"})


@moving
def test_gymnasium_checks_hold(env_id):
    env = make(env_id, commit_every=3, hold=True, start="incumbent")
    check_env(env, skip_render_check=True)
