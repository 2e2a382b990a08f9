"""`LoihiRefine-v0`: candidates described as by hand, chains, commits, rewards."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.backends import Bound
from loihi_gym.backends.congestion_kernel import FEATURES, LEAST_US, NEAR
from loihi_gym.chip.near import near
from loihi_gym.envs.measured_mapping import Unmeasured
from loihi_gym.envs.objective import latency
from loihi_gym.envs.refine_moves import CONTEXT_FEATURES, MOVE_FEATURES, TRIES, draw
from loihi_gym.envs.task import EpisodeTask
from loihi_gym.errors import InvalidActionError, LoihiGymError
from loihi_gym.mapping import random_mapping, swap
from tests.baselines.test_surrogate import PROBLEMS, features_by_hand, loads_by_hand
from tests.envs.rollouts import assert_same, legal_action, make, slack_problem
from tests.toys import examples

PROBLEM = slack_problem()
K = 16
TASKS = [EpisodeTask(problem, Bound(problem), latency, 16) for problem in PROBLEMS]


def times_by_hand(problem, mapping):
    found = features_by_hand(*loads_by_hand(problem, mapping))
    return np.log([max(found[name], 0.0) + LEAST_US for name in FEATURES])


def pair_by_hand(problem, mapping, draws):
    """The first pair of cores worth exchanging, None if there is none."""
    occupant = {int(core): index for index, core in enumerate(mapping.placement)}
    layer = np.repeat(np.arange(problem.n_layers), mapping.cores_per_layer)
    for first, second in draws:
        a = int(mapping.placement[int(first * len(layer))])
        close = near(problem.topology).to(a)
        if second < NEAR:
            b = int(close[int(second / NEAR * len(close))])
        else:
            b = int((second - NEAR) / (1 - NEAR) * problem.topology.n_cores)
        if b not in occupant or layer[occupant[a]] != layer[occupant[b]]:
            return a, b
    return None


def described_by_hand(problem, mapping, start, pair):
    if pair is None:
        return np.zeros(len(MOVE_FEATURES))
    traffic, mesh = problem.traffic(mapping.cores_per_layer), problem.topology
    after = times_by_hand(problem, swap(mapping, *pair))
    against = [after - times_by_hand(problem, one) for one in (mapping, start)]
    pieces = []
    for core in pair:
        where = np.flatnonzero(mapping.placement == core)
        said = [0.0, 0.0, 0.0]
        if len(where):
            (index,) = where
            send, receive = traffic.send_ps.sum(axis=0), traffic.receive_ps.sum(axis=0)
            shares = [one[index] / max(one.max(), 1) for one in (send, receive)]
            said = [(traffic.layer[index] + 1) / problem.n_layers, *shares]
        pieces += said
    (ax, bx), (ay, by) = mesh.core_x[[*pair]], mesh.core_y[[*pair]]
    apart = abs(int(ax) - int(bx)) + abs(int(ay) - int(by))
    return np.array([*np.clip(10 * np.concatenate(against), -5, 5), *pieces, apart / (apart + 4)])


@examples(40)
@given(st.sampled_from(TASKS), st.integers(0, 2**32))
def test_candidates_are_drawn_and_described_as_by_hand(task, seed):
    problem, rng = task.problem, np.random.default_rng(seed)
    start = task.evaluate(random_mapping(problem, rng))
    first = draw(task, start, None, np.random.default_rng(seed), 5)
    moved = next((pair for pair in first.cores.tolist() if pair[0] >= 0), (0, 0))
    mapping = swap(start.mapping, *moved)
    now = task.unmeasured(start, mapping, start)
    found = draw(task, now, first, np.random.default_rng(seed + 1), 5)
    draws = np.random.default_rng(seed + 1).random((5, TRIES, 2))
    assert (first.chain, found.chain) == (0, 1)
    np.testing.assert_array_equal(first.base, first.here)
    np.testing.assert_array_equal(found.base, first.here)
    assert found.here == pytest.approx(times_by_hand(problem, mapping), abs=1e-4)
    for cores, numbers, tries in zip(found.cores, found.features, draws, strict=True):
        pair = pair_by_hand(problem, mapping, tries)
        assert tuple(cores.tolist()) == (pair or (-1, -1))
        by_hand = described_by_hand(problem, mapping, start.mapping, pair)
        assert numbers == pytest.approx(by_hand, abs=2e-3)


def test_names_are_as_many_as_numbers():
    env = make("LoihiRefine-v0")
    space = env.observation_space
    assert space["candidates"].shape == (K, len(MOVE_FEATURES))
    assert space["context"].shape == (len(CONTEXT_FEATURES),)


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("backend", ["bound", "mesh"])
def test_moves_are_free_and_commits_are_measured(hold, backend):
    env = make("LoihiRefine-v0", hold=hold, backend=backend, start="random")
    env.reset(seed=0)
    rng, spent, taken_back = np.random.default_rng(0), env.state.evaluations, 0
    while not env.state.over:
        before, action = env.state, int(legal_action(env, rng))
        observation, reward, over, _, info = env.step(action)
        assert observation in env.observation_space
        if action < K and not over:
            assert env.mapping == swap(before.measured.mapping, *before.offer.cores[action])
            assert (reward, info["evaluations"]) == (0.0, spent)
            assert info["latency_s"] == before.committed.latency_ps * 1e-12
            continue
        tried = before.measured.mapping
        if action < K:
            tried = swap(tried, *before.offer.cores[action])
        found = before.task.backend.evaluate(tried).latency_ps
        gain = 100 * math.log(before.committed.latency_ps / found)
        assert reward == pytest.approx(min(max(gain, -3), 5))
        worse = found > before.committed.latency_ps
        taken_back += worse
        assert env.mapping == (before.committed.mapping if hold and worse else tried)
        assert info["evaluations"] - spent in (0, 1)
        spent = info["evaluations"]
    assert not isinstance(env.state.measured, Unmeasured)
    assert taken_back
    assert spent > 10


def test_chains_are_bounded_and_an_empty_one_is_not_committed():
    env = make("LoihiRefine-v0", chain=2)
    env.reset(seed=0)
    assert not env.action_masks()[K]
    for _ in range(2):
        action = int(np.flatnonzero(env.action_masks())[0])
        env.step(action)
    assert np.flatnonzero(env.action_masks()).tolist() == [K]
    _, reward, *_, info = env.step(action)  # illegal: nothing happens
    assert (reward, info["evaluations"], env.state.offer.chain) == (0.0, 0, 2)
    env.step(K)
    assert not env.action_masks()[K]
    *_, info = env.step(K)  # known already
    assert info["evaluations"] == 1
    strict = make("LoihiRefine-v0", chain=1, on_illegal="raise")
    strict.reset(seed=0)
    strict.step(action)
    with pytest.raises(InvalidActionError, match="commit after 1 moves"):
        strict.step(action)


def test_the_next_chain_can_begin_from_the_best():
    env = make("LoihiRefine-v0", hold=False, restart="best", backend="mesh", start="random")
    env.reset(seed=0)
    rng, lowest = np.random.default_rng(0), env.state.value
    for _ in range(60):
        before = env.state
        env.step(legal_action(env, rng))
        if not isinstance(env.state.measured, Unmeasured):
            lowest = min(lowest, env.state.best)
            assert env.state.value == env.state.task.value(env.state.measured) == lowest
        else:
            assert env.state.value == before.value


def test_shapes_do_not_depend_on_the_network():
    small, large = (make("LoihiRefine-v0", benchmark=name) for name in ("mlp-xs", "mlp-deep"))
    assert small.observation_space == large.observation_space
    assert small.action_space == large.action_space


def test_other_forms_are_refused():
    with pytest.raises(LoihiGymError, match="unknown observation 'image'"):
        make("LoihiRefine-v0", observation="image")


def test_what_is_offered_is_not_the_users_to_change():
    env, twin = make("LoihiRefine-v0"), make("LoihiRefine-v0")
    observation, _ = env.reset(seed=0)
    twin.reset(seed=0)
    for part in observation.values():
        part[:] = 3.0
    assert_same(env.step(0), twin.step(0))
