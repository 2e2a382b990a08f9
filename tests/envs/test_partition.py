import numpy as np
import pytest

from loihi_gym.envs.base import PENALTY
from loihi_gym.errors import InvalidActionError, LoihiGymError
from loihi_gym.mapping import Mapping, heuristic, with_counts
from tests.envs.rollouts import legal_action, make
from tests.toys import problem_of, toy_chip, toy_network, toy_problem

PROBLEM = toy_problem()  # 12, 16 and 10 neurons on 16 cores
START = Mapping([1, 4, 2], [3, 1, 8, 12, 5, 0, 9])
L = 32


@pytest.fixture(params=["LoihiPartition-v0", "LoihiMap-v0"])
def env(request):
    made = make(request.param, benchmark=PROBLEM, start=START)
    made.reset(seed=0)
    return made


def changed(mapping, layer, by):
    counts = mapping.cores_per_layer.copy()
    counts[layer] += by
    return with_counts(mapping, counts, 16)


def test_a_core_is_given_or_taken_and_the_placement_follows(env):
    for action, layer, by in [(1, 1, 1), (0, 0, 1), (L + 1, 1, -1), (L + 2, 2, -1)]:
        expected = changed(env.mapping, layer, by)
        assert env.action_masks()[action]
        env.step(action)
        assert env.mapping == expected


@pytest.mark.parametrize(
    ("start", "action", "rule"),
    [
        (START, 3, "has no layer 3"),
        (START, L + 5, "has no layer 5"),
        (START, L, "layer 0 must keep its only core"),
        (Mapping([4, 6, 6], range(16)), 0, "no core is free"),
        (Mapping([1, 1, 10], range(12)), 2, "pieces per layer: layer 2 has 11, the limit is 10"),
    ],
)
@pytest.mark.parametrize("env_id", ["LoihiPartition-v0", "LoihiMap-v0"])
def test_illegal_changes_are_masked_and_refused_by_rule(env_id, start, action, rule):
    env = make(env_id, benchmark=PROBLEM, start=start, on_illegal="raise")
    env.reset(seed=0)
    before = env.mapping
    assert not env.action_masks()[action]
    with pytest.raises(InvalidActionError, match=rule):
        env.step(action)
    assert env.mapping == before
    assert env.state.steps == 0


@pytest.mark.parametrize(("on_illegal", "expected"), [("noop", 0.0), ("penalty", -PENALTY)])
@pytest.mark.parametrize("env_id", ["LoihiPartition-v0", "LoihiMap-v0"])
def test_illegal_changes_otherwise_take_a_step_and_change_nothing(env_id, on_illegal, expected):
    env = make(env_id, benchmark=PROBLEM, start=START, on_illegal=on_illegal, max_steps=2)
    env.reset(seed=0)
    for action in (L, 3):
        before, cursor = env.mapping, env.state.cursor
        _, reward, over, _, info = env.step(action)
        assert (reward, env.mapping, info["evaluations"]) == (expected, before, 1)
        assert env.state.cursor == (-1 if over else cursor)
    assert over


def test_a_legal_action_is_not_penalised():
    rewards = []
    for on_illegal in ("noop", "penalty"):
        env = make("LoihiMap-v0", benchmark=PROBLEM, start=START, on_illegal=on_illegal)
        env.reset(seed=0)
        rewards.append([env.step(action)[1] for action in (1, 2 * L + 5, L + 1)])
    assert rewards[0] == rewards[1]


@pytest.mark.parametrize("resource", ["neurons", "synmem_words", "input_axons", "output_axons"])
def test_the_mask_is_exactly_what_is_not_refused(resource):
    limits = {"neurons": 5, "synmem_words": 40, "input_axons": 15, "output_axons": 20}
    chip = toy_chip(routers=(5, 4), constants={f"capacity.{resource}": limits[resource]})
    problem = problem_of(toy_network((20, 24, 10), density=0.3), chip)
    start = heuristic(problem, "packed/row-major")
    env = make("LoihiPartition-v0", benchmark=problem, start=start, on_illegal="raise")
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    refused = set()
    for _ in range(30):
        if env.state.over:
            break
        allowed = []
        for action in range(2 * L):
            fork = env.fork()
            try:
                fork.step(action)
                allowed.append(action)
            except InvalidActionError as error:
                refused.add(str(error).split("breaks ")[-1].split(":")[0])
        assert np.flatnonzero(env.action_masks()).tolist() == allowed
        env.step(legal_action(env, rng))
    names = {
        "neurons": "neurons",
        "synmem_words": "synaptic memory words",
        "input_axons": "input axons",
        "output_axons": "output axons",
    }
    assert names[resource] in refused


def test_a_network_that_fills_the_chip_leaves_nothing_to_decide():
    chip = toy_chip(routers=(3, 1), cores_per_router=1)
    with pytest.raises(LoihiGymError, match="fills"):
        make("LoihiPartition-v0", benchmark=toy_problem(chip=chip))
    make("LoihiMap-v0", benchmark=toy_problem(chip=chip)).reset()


def test_map_places_the_piece_under_the_cursor_round_and_round():
    env = make("LoihiMap-v0", benchmark=PROBLEM, start=START, max_steps=40)
    env.reset(seed=0)
    for step in range(10):
        assert env.state.cursor == step % 7
        core = (5 * step + 1) % 16
        env.step(2 * L + core)
        assert env.mapping.placement[step % 7] == core
    cursor = env.state.cursor
    env.step(1)
    assert env.state.cursor == cursor
    assert env.mapping.n_logical_cores == 8


def test_map_keeps_the_cursor_on_a_piece_that_exists():
    env = make("LoihiMap-v0", benchmark=PROBLEM, start=START, max_steps=40)
    env.reset(seed=0)
    for core in range(6):
        env.step(2 * L + core)
    assert env.state.cursor == 6
    env.step(L + 2)
    assert env.state.cursor == 0
