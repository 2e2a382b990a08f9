"""Environments on sets of plausible chips: on all at once, or on one that each reset draws."""

import pickle
from dataclasses import replace
from functools import partial
from math import log, prod
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from loihi_gym.backends import Bound, MeshBackend, make_backend
from loihi_gym.backends.robust import RobustBackend
from loihi_gym.benchmarks.references import fastest_heuristic
from loihi_gym.chip import load_chip
from loihi_gym.chip.hypotheses import hypotheses_names, load_hypotheses
from loihi_gym.envs import CHIP_FEATURES, observation
from loihi_gym.envs.chip_features import BUILT, RANGES, chip_features
from loihi_gym.envs.place_vector import BoundPlaceVectorEnv
from loihi_gym.envs.vector import LoihiVectorEnv
from loihi_gym.errors import (
    ChipFileError,
    IllegalMappingError,
    LoihiGymError,
    UnknownNameError,
)
from loihi_gym.mapping import Mapping, heuristic
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
from tests.envs.test_vector import assert_equal_walks, singles, vector
from tests.toys import built, toy_chip, toy_problem

PROBLEM = slack_problem()
SET = "loihi2-hypotheses"
OVER = load_hypotheses(SET).over(PROBLEM.chip)
NAMES = OVER.names
ALL = {"benchmark": PROBLEM, "chips": SET}
DRAWN = {**ALL, "randomize_chip": True}
WAYS = {"all": ALL, "drawn": DRAWN}
MAPPING_SEEN = [one for one in FORMS if one[0] != "LoihiRefine-v0"]
every_id = pytest.mark.parametrize("env_id", IDS)
measured_ids = pytest.mark.parametrize("env_id", [one for one in IDS if one != "LoihiRefine-v0"])
"""Ids of which every step is measured."""
both_ways = pytest.mark.parametrize("arguments", WAYS.values(), ids=WAYS)


def on(name):
    """The problem on a chip of the set."""
    return replace(PROBLEM, chip=OVER.chips[NAMES.index(name)])


def each_ps(backend, mapping):
    """Latency on each chip."""
    return [make_backend(backend, on(name)).evaluate(mapping).latency_ps for name in NAMES]


def changes(env, rng, count):
    """Steps that changed the mapping: (reward, info, mapping before)."""
    while count:
        if env.state.over:
            env.reset()
        before = env.mapping
        _, reward, _, _, info = env.step(legal_action(env, rng))
        if env.mapping != before:
            count -= 1
            yield reward, info, before


# Measured on all


@measured_ids
@pytest.mark.parametrize("backend", BACKENDS)
def test_rewards_are_the_geometric_means_over_all_chips(env_id, backend):
    env = make(env_id, backend=backend, **ALL)
    reference = each_ps(backend, PROBLEM.reference_mapping)

    def mean(mapping):
        ratios = np.divide(each_ps(backend, mapping), reference)
        return float(prod(ratios) ** (1 / len(ratios)))

    env.reset(seed=0)
    for reward, info, before in changes(env, np.random.default_rng(0), 4):
        assert reward == pytest.approx(mean(before) - mean(env.mapping), abs=2e-6)
        assert info["reduction"] == pytest.approx(1 - mean(env.mapping), abs=2e-6)
        assert info["latency_s"] == pytest.approx(mean(env.mapping) * reference[0] * 1e-12)


@every_id
def test_each_chip_is_told_and_counts_as_an_evaluation(env_id):
    env = make(env_id, backend="mesh", start="random", **ALL)
    _, info = env.reset(seed=1)
    assert info["evaluations"] == len(NAMES) == 13
    assert "chip" not in info
    _, info = env.reset(seed=1, options={"mapping": "reference"})
    assert info["evaluations"] == 0
    mapping = heuristic(PROBLEM, "packed/row-major")
    _, info = env.reset(options={"mapping": mapping})
    assert info["latencies_s"] == dict(
        zip(NAMES, [ps * 1e-12 for ps in each_ps("mesh", mapping)], strict=True)
    )


def test_a_step_that_changes_nothing_costs_nothing_on_several_chips():
    env = make("LoihiSwap-v0", undo=True, **ALL)
    env.reset(seed=0)
    spent = []
    for action in ([0, 5], [3, 3], [3, 3], [1, 6]):  # a swap, undone, nothing to undo, a swap
        spent.append(env.step(np.array(action))[4]["evaluations"])
    assert spent == [13, 13, 13, 26]


def test_it_is_the_robust_backend_of_the_name_and_of_the_object():
    by_argument = walk(make("LoihiMap-v0", **ALL), 15)
    robust = RobustBackend(PROBLEM, hypotheses=SET, measure_by="bound")
    assert_same(walk(make("LoihiMap-v0", benchmark=None, backend=robust), 15), by_argument)
    by_name = make("LoihiMap-v0", benchmark=PROBLEM, backend="robust")
    assert by_name.problem.alternatives
    assert by_name.reset()[1]["latencies_s"].keys() == set(NAMES)
    assert make("LoihiMap-v0", **ALL).backend_name == "robust"


def test_sets_are_given_as_a_name_some_members_a_file_or_themselves(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[far]\nwhy = "a test"\n"costs.hop_x_ps" = 50000\n')
    for chips, names in (
        (f"{SET},fast-links,default", ["default", "fast-links"]),
        (f"{SET},-multicast", [name for name in NAMES if name != "multicast"]),
        (str(file), ["default", "far"]),
        (f"{file},far", ["far"]),
        (load_hypotheses(SET), list(NAMES)),
    ):
        env = make("LoihiPlace-v0", benchmark=PROBLEM, chips=chips)
        assert list(env.reset(seed=0)[1]["latencies_s"]) == names
        env = make("LoihiPlace-v0", benchmark=PROBLEM, chips=chips, randomize_chip=True)
        assert {env.reset(seed=seed)[1]["chip"] for seed in range(100)} == set(names)


TIGHT = """
[small]
why = "a test"
"capacity.neurons" = 3
"""


@pytest.fixture
def tight(tmp_path):
    """A set one of whose chips holds less."""
    file = tmp_path / "tight.toml"
    file.write_text(TIGHT)
    return str(file)


@pytest.mark.parametrize("env_id", ["LoihiPartition-v0", "LoihiMap-v0", "LoihiOneShot-v0"])
def test_what_is_legal_is_legal_on_every_chip(env_id, tight):
    env = make(env_id, benchmark=PROBLEM, chips=tight)
    small = replace(PROBLEM, chip=PROBLEM.chip.with_constant("capacity.neurons", 3))
    env.reset(seed=0)
    for _ in changes(env, np.random.default_rng(0), 20):
        assert small.check(env.mapping) == []
    if env_id != "LoihiOneShot-v0":
        env.reset(options={"mapping": heuristic(small, "packed/row-major")})
        legal = env.action_masks()[env.max_layers :][:3].tolist()
        assert legal == [False, False, False]  # with 4, 6 and 4 cores; the large chip needs 3, 4, 3


def test_no_energy_is_measured_on_several_chips():
    for objective in ("energy", "edp"):
        with pytest.raises(LoihiGymError, match=r"measures no energy.*on a set of chips none does"):
            make("LoihiPlace-v0", objective=objective, **ALL)
        make("LoihiPlace-v0", objective=objective, **DRAWN).reset(seed=0)
    env = make("LoihiPlace-v0", objective=steps_time, **ALL)
    env.reset(seed=0)


def test_what_is_on_several_chips_can_be_drawn():
    for mode in ("ansi", "rgb_array"):
        for arguments in (ALL, DRAWN):
            env = make("LoihiSwap-v0", render_mode=mode, **arguments)
            env.reset(seed=0)
            env.step(np.array([0, 5]))
            assert len(env.render())


# Drawn


@measured_ids
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_chip_drawn_measures(env_id, backend):
    env = make(env_id, backend=backend, start="random", **DRAWN)
    seen = set()
    for seed in range(12):
        _, info = env.reset(seed=seed)
        one, name = on(info["chip"]), info["chip"]
        seen.add(name)
        measuring = make_backend(backend, one)
        assert info["evaluations"] == 1
        assert info["latency_s"] == measuring.evaluate(env.mapping).latency_s
        reference = measuring.evaluate(PROBLEM.reference_mapping).latency_ps
        before = measuring.evaluate(env.mapping).latency_ps
        _, reward, _, _, info = env.step(legal_action(env, np.random.default_rng(seed)))
        after = measuring.evaluate(env.mapping)
        assert info["latency_s"] == after.latency_s
        assert env.describe_bottleneck() == str(after.bottleneck)
        assert info["chip"] == name
        assert "latencies_s" not in info
        assert reward == (before - after.latency_ps) / reference
        assert env.problem.chip == one.chip
    assert len(seen) > 5


def test_draws_follow_the_seed_and_reach_every_chip():
    env, twin = (make("LoihiPlace-v0", **DRAWN) for _ in range(2))
    drawn = []
    for one in (env, twin):
        one.reset(seed=5)
        drawn.append([one.reset()[1]["chip"] for _ in range(150)])
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == set(NAMES)
    rng = np.random.default_rng(9)
    expected = NAMES[int(rng.integers(13))]  # after the problem, of which there is but one
    assert env.reset(seed=9)[1]["chip"] == expected


def test_problems_are_drawn_as_without_chips_and_then_the_chip():
    problems = [PROBLEM, slack_problem(1), toy_problem(steps=3)]
    env = make("LoihiPlace-v0", **{**DRAWN, "benchmark": problems})
    for seed in range(20):
        _, info = env.reset(seed=seed)
        rng = np.random.default_rng(seed)
        drawn = problems[int(rng.integers(3))]
        assert env.problem.network is drawn.network
        assert info["chip"] == NAMES[int(rng.integers(13))]


@every_id
def test_a_chip_can_be_chosen(env_id):
    env = make(env_id, backend="mesh", **DRAWN)
    for name in NAMES:
        _, info = env.reset(seed=0, options={"chip": name})
        measured = make_backend("mesh", on(name)).evaluate(PROBLEM.reference_mapping)
        assert (info["chip"], info["latency_s"]) == (name, measured.latency_s)
    mapping = heuristic(PROBLEM, "packed/row-major")
    _, info = env.reset(options={"chip": "multicast", "mapping": mapping})
    assert (info["chip"], info["evaluations"], env.mapping) == ("multicast", 1, mapping)


def test_chips_chosen_with_one_seed_start_from_one_random_mapping():
    env = make("LoihiPlace-v0", start="random", **DRAWN)
    starts = []
    for name in ("default", "slow-links"):
        env.reset(seed=3, options={"chip": name})
        starts.append(env.mapping)
    assert starts[0] == starts[1]


def test_a_reference_that_does_not_fit_gives_way_to_the_fastest(tight):
    problem = toy_problem((12, 16, 13), chip=toy_chip(constants={"capacity.neurons": 4}))
    env = make("LoihiPlace-v0", benchmark=problem, chips=tight, randomize_chip=True)
    env.reset(options={"chip": "default"})
    assert env.problem.reference == problem.reference == "lava-default/row-major"
    env.reset(options={"chip": "small"})
    assert env.problem.reference == fastest_heuristic(env.problem)
    assert not env.problem.reference.startswith("lava-default")
    assert env.mapping == env.problem.reference_mapping


def test_resets_find_their_chip_made_already():
    env = make("LoihiPlace-v0", **DRAWN)
    tasks = {}
    for seed in range(200):
        env.reset(seed=seed)
        assert tasks.setdefault(env.state.task.hypothesis, env.state.task) is env.state.task
    assert len(tasks) == 13


def test_tasks_do_not_pile_up(tmp_path):
    file = tmp_path / "many.toml"
    members = [f'[n{ps}]\nwhy = "a test"\n"costs.link_ps" = {ps}\n' for ps in range(1, 100)]
    file.write_text("".join(members))
    env = make("LoihiPlace-v0", benchmark=PROBLEM, chips=str(file), randomize_chip=True)
    for ps in range(1, 100):
        env.reset(options={"chip": f"n{ps}"})
        assert env.problem.chip.costs.link_ps == ps
    assert len(env._tasks._tasks) == 64


def test_a_maker_measures_the_chip_drawn():
    env = make("LoihiSwap-v0", backend=MeshBackend, **DRAWN)
    by_name = make("LoihiSwap-v0", backend="mesh", **DRAWN)
    assert_same(walk(env, 15), walk(by_name, 15))


# What is seen


def hand(**named):
    """Features of Loihi 2's chip file by hand, some of them otherwise."""
    default = {
        "costs.synop_ps": log(700 / 370) / log(2000 / 370),
        "costs.neuron_active_ps": log(4200 / 590) / log(4900 / 590),
        "costs.neuron_inactive_ps": log(2650 / 590) / log(4900 / 590),
        "costs.spike_ps": 3000 / 5100,
        "costs.synmem_word_ps": log(2) / log(8),
        "costs.link_ps": log(4) / log(2300 / 290),
        "costs.hop_x_ps": 1.0,
        "costs.hop_y_ps": 1.0,
        "costs.chip_link_ps": 0.0,
        "costs.chip_hop_ps": log(5) / log(25),
        "costs.barrier_ps": log(6.5) / log(9),
        "costs.axon_ps": 0.0,
        "network.fabrics": 0.0,
        "network.router_buffer": 1 / 4,
        "network.receiver_queue": 1 / 8,
        "structure.multicast=tree": 0.0,
        "structure.rows=dense": 0.0,
        "structure.phases=update-first": 0.0,
        "structure.message_size=layer": 0.0,
        "structure.message_size=short": 0.0,
    }
    return default | {name.replace("__", "."): value for name, value in named.items()}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default", hand()),
        ("fast-links", hand(costs__link_ps=0.0, costs__hop_x_ps=0.0, costs__hop_y_ps=0.0)),
        ("update-first", hand(costs__axon_ps=0.5) | {"structure.phases=update-first": 1.0}),
        ("two-fabrics", hand(costs__link_ps=1.0, network__fabrics=1.0)),
        ("deep-queues", hand(network__router_buffer=1.0, network__receiver_queue=0.5)),
        (
            "fast-multicast",
            hand(costs__link_ps=0.0) | {"structure.multicast=tree": 1.0},
        ),
    ],
)
def test_features_by_hand(name, expected):
    (chip,) = load_hypotheses(f"{SET},{name}").chips
    features = chip_features(chip)
    assert features.dtype == np.float32
    assert tuple(expected) == CHIP_FEATURES
    np.testing.assert_allclose(features, list(expected.values()), rtol=1e-6)


@pytest.mark.parametrize("name", hypotheses_names())
def test_features_tell_all_chips_of_a_set_apart(name):
    seen = {chip_features(chip).tobytes() for chip in load_hypotheses(name).chips}
    assert len(seen) == 13


def test_features_stay_within_their_range():
    far = {name: 10**9 for name in RANGES if name != "network.fabrics"}
    assert chip_features(toy_chip(constants=far))[: len(RANGES)].max() == 1.0
    assert chip_features(toy_chip(constants=dict.fromkeys(RANGES, 0))).tolist() == [0.0] * 20
    for field, option in BUILT:
        features = chip_features(built(load_chip("loihi2"), **{field: option}))
        assert features[CHIP_FEATURES.index(f"structure.{field}={option}")] == 1.0


def test_every_feature_is_documented_with_its_scale():
    text = observation.__doc__
    for name, (lowest, highest) in RANGES.items():
        assert f"| `{name}` | {lowest} | {highest} |" in text
    for field, option in BUILT:
        assert f"| `structure.{field}={option}` | no | yes |" in text
    at = [text.index(f"| `{name}` |") for name in CHIP_FEATURES]
    assert at == sorted(at)
    assert f"| `chip` | ({len(CHIP_FEATURES)},) |" in text
    assert "(N, 33)" in text
    ranged = [
        name
        for name, constant in load_chip("loihi2").constants.items()
        if constant.range and name.startswith(("costs.", "network."))
    ]
    assert set(RANGES) == {*ranged, "network.fabrics"}


@pytest.mark.parametrize(("env_id", "form"), MAPPING_SEEN)
def test_the_episodes_chip_is_observed_in_every_form(env_id, form):
    env = make(env_id, observation=form, **DRAWN)
    plain = make(env_id, observation=form, benchmark=PROBLEM)
    for name in ("two-fabrics", "update-first", "fast-multicast"):
        for seen in (
            env.reset(options={"chip": name})[0],
            env.step(legal_action(env, np.random.default_rng(0)))[0],
        ):
            features = chip_features(on(name).chip)
            assert seen in env.observation_space
            assert env.state.task.hypothesis == name
            if form == "flat":
                np.testing.assert_array_equal(seen["chip"], features)
                assert env.observation_space["chip"].shape == (20,)
            elif form == "image":
                shown = np.rint(features * np.float32(255)).astype(np.uint8)
                assert (seen[17:] == shown[:, None, None]).all()
                assert min(seen.shape[1:]) >= len(seen) == 37
            else:
                assert seen.nodes.shape[1] == 33
                assert (seen.nodes[:, 13:] == features).all()
    # All else is as without: on the problem's own chip there is no difference.
    ours, theirs = env.reset(options={"chip": "default"})[0], plain.reset()[0]
    if form == "flat":
        ours = dict(ours)
        del ours["chip"]
        assert_same(ours, theirs)
    elif form == "image":
        assert [channel.max() for channel in ours[:17]] == [channel.max() for channel in theirs]
    else:
        assert_same(ours.nodes[:, :13].copy(), theirs.nodes)


def test_refine_observes_the_chip_in_any_case():
    env = make("LoihiRefine-v0", **DRAWN)
    for name in ("two-fabrics", "update-first"):
        seen, _ = env.reset(options={"chip": name})
        np.testing.assert_array_equal(seen["context"][-20:], chip_features(on(name).chip))


@pytest.mark.parametrize(("env_id", "form"), MAPPING_SEEN)
def test_spaces_are_the_same_on_every_chip_and_change_only_where_chips_are_drawn(env_id, form):
    one = make(env_id, observation=form, **{**DRAWN, "chips": f"{SET},slow-memory"})
    other = make(env_id, observation=form, **{**DRAWN, "chips": f"{SET},multicast"})
    assert one.observation_space == other.observation_space
    plain = make(env_id, observation=form, benchmark=PROBLEM)
    on_all = make(env_id, observation=form, **ALL)
    assert on_all.observation_space == plain.observation_space != one.observation_space


# Gymnasium


@both_ways
@pytest.mark.parametrize(("env_id", "form"), FORMS)
def test_gymnasium_check(env_id, arguments, form):
    env = gymnasium.make(env_id, backend="bound", observation=form, **arguments)
    check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize(
    ("env_id", "form", "arguments"),
    [(*one, how) for one in MAPPING_SEEN if one[1] != "graph" for how in (ALL, DRAWN)],
)
def test_sb3_check(env_id, arguments, form):
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker", reason="the extra 'rl'")
    sb3.check_env(gymnasium.make(env_id, backend="bound", observation=form, **arguments))


def test_sb3_trains_and_tells_the_chip():
    adapter = pytest.importorskip("loihi_gym.sb3", reason="the extra 'rl'")
    envs = adapter.make_vec_env("LoihiSwap-v0", 3, seed=0, backend="bound", max_steps=2, **DRAWN)
    assert envs.reset()["chip"].shape == (3, 20)
    actions = np.array([[0, 5]] * 3)
    chips = [info["chip"] for info in envs.step(actions)[3]]
    assert chips == [envs.get_attr("state")[index].task.hypothesis for index in range(3)]
    ended = [info["chip"] for info in envs.step(actions)[3]]
    assert ended == chips
    assert len({*chips, *[state.task.hypothesis for state in envs.get_attr("state")]}) > 2


@every_id
@both_ways
@pytest.mark.parametrize("backend", BACKENDS)
def test_forks_states_and_pickles_remember_their_chips(env_id, arguments, backend):
    env = make(env_id, backend=backend, start="random", **arguments)
    walk(env, 3)
    env.reset()
    fork, twin, state = env.fork(), pickle.loads(pickle.dumps(env)), env.get_state()
    assert_same(twin._info(), env._info())
    assert_same(twin._observe(), env._observe())
    before = digest([env._observe(), env._info()])
    ahead = walk(fork, 25, seed=4, reset=False)
    assert digest([env._observe(), env._info()]) == before
    assert_same(walk(env, 25, seed=4, reset=False), ahead)
    assert_same(walk(twin, 25, seed=4, reset=False), ahead)
    env.set_state(state)
    assert digest([env._observe(), env._info()]) == before
    assert_same(walk(env, 25, seed=4, reset=False), ahead)


@both_ways
def test_pickles_of_drawn_problems_lay_the_set_over_the_same_chip(arguments):
    """The first chip of this set is not the problem's: laid over that, the others would change."""
    arguments = {**arguments, "chips": f"{SET},-default", "benchmark": [PROBLEM, slack_problem(1)]}
    env = make("LoihiSwap-v0", start="random", **arguments)
    for seed in range(3):
        env.reset(seed=seed)
        twin = pickle.loads(pickle.dumps(env))
        assert_same(walk(twin, 25, seed=4, reset=False), walk(env, 25, seed=4, reset=False))


@both_ways
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize(
    ("env_id", "backend"), [("LoihiPlace-v0", "bound"), *((env_id, "mesh") for env_id in IDS)]
)
def test_vectors_equal_single_ones(env_id, arguments, mode, backend):
    arguments = {**arguments, "backend": backend, "start": "random"}
    native = vector(env_id, num_envs=2, mode=mode, **arguments)
    assert type(native) is LoihiVectorEnv
    assert_equal_walks(native, singles(env_id, num_envs=2, mode=mode, **arguments), 14)


@both_ways
@pytest.mark.parametrize("form", ["image", "graph"])
def test_vectors_of_other_observations_equal_single_ones(arguments, form):
    arguments = {**arguments, "observation": form, "max_steps": 4}
    native = vector("LoihiSwap-v0", num_envs=3, **arguments)
    assert_equal_walks(native, singles("LoihiSwap-v0", num_envs=3, **arguments), 12)


@both_ways
def test_vectors_reset_by_hand(arguments):
    native, twin = (
        kind("LoihiPlace-v0", num_envs=3, mode=AutoresetMode.DISABLED, **arguments)
        for kind in (vector, singles)
    )
    assert_same(native.reset(seed=0), twin.reset(seed=0))
    for _ in range(12):
        native.step(np.zeros(3, np.int64))
        over = twin.step(np.zeros(3, np.int64))[2]
    options = {"reset_mask": over}
    assert over.all()
    if "randomize_chip" in arguments:
        options["chip"] = "deep-queues"
    ours, theirs = native.reset(options=dict(options)), twin.reset(options=dict(options))
    assert_same(ours, theirs)
    if "randomize_chip" in arguments:
        assert ours[1]["chip"].tolist() == ["deep-queues"] * 3


def test_a_failing_measurement_counts_no_evaluations():
    def maker(problem):
        return Failing(problem, good=2)

    env = make("LoihiSwap-v0", backend=maker, **DRAWN)
    env.reset(seed=0)
    env.step(np.array([0, 5]))
    *_, truncated, info = env.step(np.array([0, 6]))
    assert truncated
    assert (info["evaluations"], info["error"]) == (1, "the board does not answer")


def test_compiled_environments_say_so_where_a_chip_does_not_suit_them():
    other = replace(PROBLEM, chip=built(PROBLEM.chip, multicast="tree"))

    def turns(rng, order=iter([PROBLEM, *[other] * 9])):  # noqa: B008
        return next(order)

    native = vector(benchmark=turns)
    assert isinstance(native, BoundPlaceVectorEnv)
    with pytest.raises(LoihiGymError, match=r"chip toy cannot be stepped by compiled loops"):
        native.reset(seed=0)


# Bad input


@every_id
@pytest.mark.parametrize("way", ["make", "vector_entry_point"])
@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"randomize_chip": True}, LoihiGymError, "pass one, such as chips='loihi2-hypotheses'"),
        ({"chips": "loihi2-hypothesis"}, UnknownNameError, "did you mean 'loihi2-hypotheses'"),
        ({"chips": f"{SET},multicat"}, UnknownNameError, "did you mean 'multicast'"),
        ({"chips": f"{SET},multicast,-dense-rows"}, ChipFileError, "both names members and leaves"),
        ({"chips": "none.toml"}, ChipFileError, "No such file"),
        ({"chips": 3}, LoihiGymError, "chips 3 is neither the name of a set"),
        ({"chips": Path("mine.toml")}, LoihiGymError, "is neither the name of a set"),
        ({"chips": SET, "randomize_chip": 1}, LoihiGymError, "randomize_chip = 1: give True or"),
        ({"chips": SET, "backend": Bound(PROBLEM)}, LoihiGymError, "is no name: with chips= give"),
        ({"chips": SET, "backend": Bound}, LoihiGymError, "is no name: with chips= give"),
        ({"chips": SET, "backend": None}, LoihiGymError, "is no name: with chips= give"),
        ({"chips": SET, "backend": np.zeros(3)}, LoihiGymError, "is no name: with chips= give"),
        ({"chips": SET, "backend": "mush"}, UnknownNameError, "unknown backend 'mush'"),
        ({"chips": SET, "backend": "robust"}, LoihiGymError, "has a set of chips of its own"),
        ({**DRAWN, "backend": "robust"}, LoihiGymError, "has a set of chips of its own"),
        ({**DRAWN, "backend": Bound(PROBLEM)}, LoihiGymError, "measures on one chip alone"),
        ({**DRAWN, "backend": None}, LoihiGymError, "backend None is neither a name"),
        ({**DRAWN, "backend": "mush"}, UnknownNameError, "unknown backend 'mush'"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_wrong_arguments_are_one_line(env_id, way, arguments, kind, message):
    arguments = {"benchmark": PROBLEM, "backend": "bound"} | arguments
    made = gymnasium.make if way == "make" else partial(gymnasium.make_vec, vectorization_mode=way)
    with pytest.raises(kind, match=message) as caught:
        made(env_id, **arguments)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("randomize", [False, True])
def test_a_chip_that_cannot_hold_the_network_is_named(tmp_path, randomize):
    file = tmp_path / "tiny.toml"
    file.write_text(TIGHT.replace("3", "2"))
    given = {"benchmark": PROBLEM, "randomize_chip": randomize}
    with pytest.raises(IllegalMappingError, match="hypothesis small cannot hold") as caught:
        make("LoihiPlace-v0", chips=str(file), **given)
    assert "leave it out: tiny,-small" in str(caught.value)
    make("LoihiPlace-v0", chips=f"{file},-small", **given).reset(seed=0)


def test_wrong_chips_are_refused_by_reset():
    env = make("LoihiPlace-v0", **DRAWN)
    with pytest.raises(UnknownNameError, match="unknown chip 'fast-link'; did you mean 'fast-link"):
        env.reset(options={"chip": "fast-link"})
    for wrong in (3, ["default"], np.zeros(2)):
        with pytest.raises(LoihiGymError, match=r"chip .* is none of default, multicast"):
            env.reset(options={"chip": wrong})
    with pytest.raises(UnknownNameError, match=r"no reset option 'chp'.*'chip'.*, benchmark, ch"):
        env.reset(options={"chp": "default"})
    for arguments in ({"benchmark": PROBLEM}, ALL):
        for one in (make("LoihiPlace-v0", **arguments), vector("LoihiPlace-v0", **arguments)):
            with pytest.raises(UnknownNameError, match="has no reset option 'chip'"):
                one.reset(options={"chip": "default"})
    native = vector("LoihiPlace-v0", **DRAWN)
    with pytest.raises(UnknownNameError, match="unknown chip"):
        native.reset(options={"chip": "fast-link"})
    assert native.reset(seed=0, options={"chip": "multicast"})[1]["chip"].tolist() == [
        "multicast"
    ] * len(native.envs)


def test_a_start_that_the_chip_drawn_cannot_hold_is_refused(tight):
    start = Mapping([3, 4, 3], range(10))
    env = make("LoihiPlace-v0", benchmark=PROBLEM, chips=tight, randomize_chip=True, start=start)
    env.reset(options={"chip": "default"})
    with pytest.raises(IllegalMappingError, match="illegal mapping for toy"):
        env.reset(options={"chip": "small"})
