import gc
import pickle
import resource
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loihi_gym
from loihi_gym.backends import Bound
from loihi_gym.envs.base import TERMS
from loihi_gym.envs.place import LoihiPlace
from loihi_gym.errors import InvalidActionError, LoihiGymError, UnknownNameError
from loihi_gym.mapping import Mapping, heuristic
from loihi_gym.search.session import BudgetSpent, Session
from tests.envs.rollouts import (
    BACKENDS,
    FORMS,
    IDS,
    Failing,
    assert_same,
    digest,
    legal_action,
    make,
    slack_problem,
    steps_time,
    walk,
)
from tests.toys import examples

PROBLEM = slack_problem()
every_id = pytest.mark.parametrize("env_id", IDS)


def test_every_id_is_registered_once_and_with_a_vector_entry_point():
    loihi_gym.register()
    for env_id in IDS:
        spec = gymnasium.spec(env_id)
        assert spec.vector_entry_point is not None
        assert gymnasium.make(f"loihi_gym:{env_id}", benchmark=PROBLEM).spec.id == env_id


@every_id
@pytest.mark.parametrize("backend", BACKENDS)
def test_same_seed_and_actions_give_the_same_trajectory(env_id, backend):
    first, second = (walk(make(env_id, backend=backend, start="random"), 25) for _ in range(2))
    assert_same(first, second)


SCRIPT = """
from tests.envs.rollouts import FORMS, digest, make, walk
print(digest([walk(make(env_id, observation=o, start="random"), 20)
    for env_id, o in FORMS if o != "graph" and env_id != "LoihiRefine-v0"]))
"""
GOLDEN = "9b3e5e52df1e354381b16a0ebe027cde2574a07e84a54a834f7415bb8d6f9641"


def test_trajectories_are_the_same_in_other_processes_and_pythons():
    here = digest(
        [
            walk(make(env_id, observation=o, start="random"), 20)
            for env_id, o in FORMS
            if o != "graph" and env_id != "LoihiRefine-v0"  # it observes logarithms
        ]
    )
    other = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == here
    # Computed once: the same on every OS and Python.
    assert here == GOLDEN


@every_id
@pytest.mark.parametrize("objective", ["latency", "energy", "edp", steps_time])
def test_rewards_add_up_to_the_reduction(env_id, objective):
    env = make(env_id, objective=objective)
    _, info = env.reset(seed=1)
    rng, total = np.random.default_rng(1), 0.0
    assert info["reduction"] == info["best_reduction"] == 0.0
    while not env.state.over:
        action = legal_action(env, rng)
        _, reward, _, _, info = env.step(action)
        total += reward
    if env_id != "LoihiRefine-v0":  # its rewards are of logarithms
        assert total == pytest.approx(info["reduction"], abs=1e-12)
    measured = Bound(env.problem).evaluate(env.mapping)
    reference = Bound(env.problem).evaluate(env.problem.reference_mapping)
    value = {
        "latency": lambda m: m.latency_ps,
        "energy": lambda m: m.energy_fj,
        "edp": lambda m: m.energy_fj * m.latency_ps,
    }.get(objective, objective)
    assert info["reduction"] == pytest.approx(1 - value(measured) / value(reference), abs=1e-12)
    assert info["latency_s"] == measured.latency_s
    term, index, _, _, share = measured.bottleneck
    assert TERMS[info["bottleneck_kind"]] == term
    assert (info["bottleneck_index"], info["bottleneck_share"]) == (index, share)
    assert env.describe_bottleneck() == str(measured.bottleneck)
    assert info["best_reduction"] >= info["reduction"]


@every_id
@examples(15)
@given(seed=st.integers(0, 10_000), start=st.sampled_from(["reference", "random"]))
def test_allowed_actions_keep_the_mapping_legal(env_id, seed, start):
    env = make(env_id, benchmark=PROBLEM, start=start)
    rng = np.random.default_rng(seed)
    env.reset(seed=seed)
    for _ in range(12):
        if env.state.over:
            env.reset()
        env.step(legal_action(env, rng))
        assert PROBLEM.check(env.mapping) == []


@every_id
def test_sampled_actions_are_legal(env_id):
    env = make(env_id)
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(200):
        if env.state.over:
            env.reset()
        env.step(env.action_space.sample())


@every_id
def test_actions_outside_the_space_and_after_the_end_are_refused(env_id):
    env = make(env_id)
    env.reset(seed=0)
    for action in (10_000, -1, 0.5, "x", None, np.full(2, -1), np.full(env.action_space.shape, 99)):
        with pytest.raises(InvalidActionError, match="is not in"):
            env.step(action)
    rng = np.random.default_rng(0)
    action = legal_action(env, rng)
    while not env.state.over:
        action = legal_action(env, rng)
        env.step(action)
    with pytest.raises(InvalidActionError, match="reset"):
        env.step(action)


# Starts


@every_id
def test_starts(env_id):
    other = heuristic(PROBLEM, "packed/row-major")
    env = make(env_id, benchmark=PROBLEM)
    _, info = env.reset(seed=3)
    assert env.mapping == PROBLEM.reference_mapping
    assert info["evaluations"] == 0
    _, info = env.reset(options={"mapping": other})
    assert env.mapping == other
    assert info["evaluations"] == 1
    env.reset(seed=3, options={"mapping": "random"})
    drawn = env.mapping
    assert PROBLEM.check(drawn) == []
    env.reset(seed=3, options={"mapping": "random"})
    assert env.mapping == drawn
    env.reset(seed=4, options={"mapping": "random"})
    assert env.mapping != drawn
    env.reset()
    assert env.mapping == PROBLEM.reference_mapping
    by_argument = make(env_id, benchmark=PROBLEM, start=other)
    by_argument.reset()
    assert by_argument.mapping == other


def test_wrong_starts_are_refused():
    env = make("LoihiPlace-v0", benchmark=PROBLEM)
    with pytest.raises(LoihiGymError, match="'lowest'"):
        env.reset(options={"mapping": "lowest"})
    with pytest.raises(LoihiGymError, match="'lowest'"):
        make("LoihiPlace-v0", start="lowest")
    with pytest.raises(LoihiGymError, match="illegal mapping"):
        env.reset(options={"mapping": Mapping([1, 1, 1], [0, 0, 0])})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "mush"}, "unknown backend 'mush'"),
        ({"objective": "speed"}, "unknown objective 'speed'"),
        ({"objective": 3}, "objective 3"),
        ({"observation": "pixels"}, "unknown observation 'pixels'"),
        ({"passes": 0}, "passes = 0"),
        ({"benchmark": "mlp-nope"}, "unknown benchmark 'mlp-nope'"),
        ({"benchmark": []}, "benchmark"),
        ({"benchmark": 5}, "benchmark 5"),
        ({"max_layers": 2}, "pass max_layers=3"),
        ({"objective": lambda measurement: 0.0}, "gave 0.0: it must be a positive number"),
        ({"objective": lambda measurement: None}, "gave None: it must be a positive number"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(LoihiGymError, match=message):
        make("LoihiPlace-v0", **arguments)


# Backends


@pytest.mark.parametrize("env_id", IDS)
def test_a_backend_object_and_a_maker_measure_as_the_named_one(env_id):
    by_name = walk(make(env_id, benchmark=PROBLEM, backend="bound"), 15)
    assert_same(walk(make(env_id, benchmark=PROBLEM, backend=Bound), 15), by_name)
    assert_same(walk(make(env_id, benchmark=None, backend=Bound(PROBLEM)), 15), by_name)


def test_a_backend_for_another_problem_is_refused():
    with pytest.raises(LoihiGymError, match="measures 'toy' alone"):
        make("LoihiPlace-v0", benchmark="mlp-xs", backend=Bound(PROBLEM))


@every_id
def test_a_session_counts_and_its_end_comes_through(env_id):
    session = Session(Bound(PROBLEM), budget=20)
    env = make(env_id, benchmark=None, backend=session)
    assert session.evaluations == 0  # the reference is free
    with pytest.raises(BudgetSpent):
        walk(env, 200)
    assert session.evaluations == 20
    twin = make(env_id, benchmark=PROBLEM)
    assert_same(
        walk(make(env_id, benchmark=None, backend=Session(Bound(PROBLEM), 99)), 15), walk(twin, 15)
    )


@every_id
def test_a_failing_measurement_truncates(env_id):
    env = make(env_id, backend=lambda problem: Failing(problem, good=1))
    env.reset(seed=0)
    mapping = env.mapping
    rng = np.random.default_rng(5)
    while True:
        observation, reward, terminated, truncated, info = env.step(legal_action(env, rng))
        if terminated or truncated:
            break
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert info["error"] == "the board does not answer"
    assert info["evaluations"] == 0
    assert info["best_reduction"] == info["reduction"] == 0.0
    assert env.mapping == mapping
    assert observation in env.observation_space
    with pytest.raises(InvalidActionError, match="reset"):
        env.step(legal_action(env, rng))
    _, info = env.reset()
    assert "error" not in info


@every_id
def test_a_start_that_cannot_be_measured_gives_way_to_the_reference(env_id):
    env = make(env_id, backend=lambda problem: Failing(problem, good=1), start="random")
    _, info = env.reset(seed=0)
    assert info["error"] == "the board does not answer"
    assert info["evaluations"] == 0
    assert env.mapping == env.problem.reference_mapping
    assert not env.state.over


# States


@every_id
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fork_goes_on_alike_and_leaves_its_parent_untouched(env_id, backend):
    env = make(env_id, backend=backend, start="random")
    walk(env, 7)
    if env.state.over:
        env.reset()
    before = digest([env._observe(), env._info(), env.mapping.to_json()])
    fork, third = env.fork(), env.fork()
    ahead = walk(fork, 30, seed=8, reset=False)
    assert digest([env._observe(), env._info(), env.mapping.to_json()]) == before
    assert_same(walk(third, 30, seed=8, reset=False), ahead)
    assert digest([env._observe(), env._info(), env.mapping.to_json()]) == before
    assert_same(walk(env, 30, seed=8, reset=False), ahead)


@every_id
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_state_can_be_gone_back_to(env_id, backend):
    env = make(env_id, backend=backend, start="random")
    walk(env, 3)
    if env.state.over:
        env.reset()
    state = env.get_state()
    ahead = walk(env, 30, seed=2, reset=False)
    env.set_state(state)
    assert_same(walk(env, 30, seed=2, reset=False), ahead)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("env_id", "observation"), FORMS)
def test_pickling_keeps_the_state(env_id, backend, observation):
    env = make(env_id, backend=backend, observation=observation, start="random")
    walk(env, 5)
    if env.state.over:
        env.reset()
    twin = pickle.loads(pickle.dumps(env))
    assert_same(twin._info(), env._info())
    assert_same(walk(twin, 20, seed=4, reset=False), walk(env, 20, seed=4, reset=False))


def test_what_is_returned_is_not_written_to_later():
    env = make("LoihiPlace-v0")
    results = [env.reset(seed=0)]
    rng = np.random.default_rng(0)
    kept = [digest(results[-1])]
    for _ in range(5):
        results.append(env.step(legal_action(env, rng)))
        kept.append(digest(results[-1]))
    assert [digest(result) for result in results] == kept
    observation, *_, info = results[-1]
    state = digest([env._observe(), env.mapping.to_json()])
    info["action_mask"][:] = 0
    for part in observation.values():
        part[:] = 7
    assert digest([env._observe(), env.mapping.to_json()]) == state


def test_an_unknown_render_mode_is_named():
    with pytest.raises(LoihiGymError, match="render_mode 'gif'"):
        LoihiPlace(benchmark=PROBLEM, render_mode="gif")


@pytest.mark.parametrize(
    ("env_id", "steps"),
    [("LoihiPlace-v0", 100_000), ("LoihiSwap-v0", 20_000), ("LoihiMap-v0", 20_000)],
)
def test_memory_does_not_grow(env_id, steps):
    """The peak after the first tenth of the random steps stays the peak."""
    unit = 1 if sys.platform == "darwin" else 1024
    env = make(env_id)
    rng = np.random.default_rng(0)

    def run(steps: int) -> int:
        for _ in range(steps):
            if env.state.over:
                env.reset()
            env.step(legal_action(env, rng))
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    env.reset(seed=0)
    early = run(steps // 10)
    assert run(steps - steps // 10) - early < 2_000_000


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'latency'"):
        make("LoihiPlace-v0", objective="latenzy")
