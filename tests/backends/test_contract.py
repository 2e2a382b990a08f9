"""What every backend may leave out, and what it may offer besides."""

import pickle

import gymnasium
import numpy as np
import pytest

from loihi_gym.backends import Backend, Bound, EnergyBreakdown, Measurement, Noisy, make_backend
from loihi_gym.backends.assembly import link_words, restored
from loihi_gym.envs.measured_mapping import BoundMeasured, PlacedMapping
from loihi_gym.errors import BackendError, LoihiGymError
from loihi_gym.mapping import random_mapping
from loihi_gym.mapping.moves import swap
from loihi_gym.search.recorder import Recorder
from loihi_gym.search.session import Session
from tests.toys import spread_mapping, toy_problem

PROBLEM = toy_problem()
MAPPING = spread_mapping(PROBLEM)


class Bare(Backend):
    """Measures a latency and nothing else."""

    name = "bare"

    def __init__(self, problem):
        self.problem = problem
        self.evaluations = 0

    def evaluate(self, mapping):
        self.problem.require(mapping)
        self.evaluations += 1
        places = mapping.placement.astype(np.int64)
        return Measurement(latency_ps=1000 + int(places @ np.arange(len(places))))


class BarePlaced:
    """What `Placing.place` returns."""

    energy_fj = None

    def __init__(self, backend, mapping):
        self.backend, self.mapping = backend, mapping
        self.latency_ps = Bare.evaluate(Bare(backend.problem), mapping).latency_ps

    def swapped(self, core_a, core_b):
        self.backend.swaps += 1
        return BarePlaced(self.backend, swap(self.mapping, core_a, core_b))


class Placing(Bare):
    """Goes on by swaps."""

    swaps = 0

    def place(self, mapping):
        return BarePlaced(self, mapping)


def test_a_latency_is_a_measurement():
    bare = Measurement(latency_ps=np.int64(7))
    assert (bare.latency_ps, bare.step_times_ps) == (7, (7,))
    assert type(bare.latency_ps) is int
    assert bare.energy is bare.energy_fj is bare.energy_j is bare.bottleneck is None
    assert not bare.counted
    assert Bound(PROBLEM).evaluate(MAPPING).counted


@pytest.mark.parametrize(
    "fields",
    [{"latency_ps": 1.5}, {"latency_ps": -1}, {"latency_ps": 3, "step_times_ps": (1, 1)}],
)
def test_times_that_are_none_are_refused(fields):
    with pytest.raises(BackendError, match="a backend gave"):
        Measurement(**fields)


def test_what_a_repeat_returns_has_what_the_backend_measures():
    whole = Bound(PROBLEM).evaluate(MAPPING)
    again = restored(PROBLEM, MAPPING, whole.step_times_ps, whole)
    assert (again.energy, again.bottleneck) == (whole.energy, whole.bottleneck)
    bare = restored(PROBLEM, MAPPING, (3, 4), Measurement(latency_ps=5))
    assert (bare.latency_ps, bare.step_times_ps, bare.energy, bare.counted) == (
        *(7, (3, 4)),
        *(None, False),
    )


def test_link_words_follow_from_the_mapping():
    whole = Bound(PROBLEM).evaluate(MAPPING)
    np.testing.assert_array_equal(
        link_words(PROBLEM, MAPPING, Measurement(latency_ps=5)), whole.link_words
    )


def test_a_session_and_its_trace(tmp_path):
    found = []
    for _ in range(2):  # the second goes on from the first one's trace
        backend = Bare(PROBLEM)
        with Session(backend, budget=8, listener=Recorder(tmp_path)) as session:
            mappings = [random_mapping(PROBLEM, session.rng) for _ in range(3)]
            batch = session.evaluate_batch([*mappings, mappings[0]])
            assert batch[0].step_times_ps == batch[3].step_times_ps
            assert batch[3].energy is None
        found.append([one.latency_ps for one in batch])
    assert found[0] == found[1]
    assert backend.evaluations == 1  # the reference mapping


@pytest.mark.parametrize("kind", [Bare, Placing])
@pytest.mark.parametrize("env_id", ["LoihiSwap-v0", "LoihiPlace-v0", "LoihiMap-v0"])
def test_environments_do_without(kind, env_id):
    env = gymnasium.make(env_id, backend=kind(PROBLEM), render_mode="ansi")
    _, info = env.reset(seed=1)
    assert info["bottleneck_kind"] == -1
    env.action_space.seed(1)
    for _ in range(4):
        mask = {"mask": info["action_mask"]} if env_id != "LoihiSwap-v0" else {}
        observation, _, terminated, _, info = env.step(env.action_space.sample(**mask))
        mapping = env.unwrapped.mapping
        assert info["latency_s"] == Bare(PROBLEM).evaluate(mapping).latency_ps * 1e-12
        assert observation["links"].max() > 0
        env.render()
        if terminated:
            break
    pickle.loads(pickle.dumps(env.unwrapped.state.measured.mapping))


def test_a_backend_that_places_is_asked_for_swaps_alone():
    backend = Placing(PROBLEM)
    env = gymnasium.make("LoihiPlace-v0", backend=backend)
    env.reset(seed=0)
    first = env.unwrapped.state.measured
    for core in (7, 6, 5):
        env.step(core)
    assert (type(first), backend.evaluations) == (PlacedMapping, 0)
    assert backend.swaps > 0
    assert first.latency_ps == Bare(PROBLEM).evaluate(first.mapping).latency_ps


def test_many_environments_go_on_by_swaps():
    backend = Placing(PROBLEM)
    envs = gymnasium.make_vec(
        "LoihiPlace-v0", num_envs=3, vectorization_mode="vector_entry_point", backend=backend
    )
    envs.reset(seed=0)
    envs.step(np.arange(3) + 5)
    assert backend.swaps > 0
    assert backend.evaluations == 0


def test_a_reference_that_is_known_is_not_measured():
    backend = Bare(PROBLEM)
    backend.reference = Measurement(latency_ps=4321)
    env = gymnasium.make("LoihiPlace-v0", backend=backend)
    assert backend.evaluations == 0
    assert env.reset()[1]["latency_s"] == pytest.approx(4321e-12)


def test_bound_is_placed_by_its_kernel_whatever_its_class():
    env = gymnasium.make("LoihiPlace-v0", backend=type("Mine", (Bound,), {})(PROBLEM))
    assert type(env.unwrapped.state.measured) is BoundMeasured


def test_a_placed_bound_stays_as_it_is():
    placed = Bound(PROBLEM).place(MAPPING)
    before = placed.latency_ps, placed.mapping
    after = placed.swapped(0, 5)
    assert (placed.latency_ps, placed.mapping) == before
    assert after.latency_ps == Bound(PROBLEM).evaluate(after.mapping).latency_ps


@pytest.mark.parametrize("objective", ["energy", "edp"])
def test_an_objective_without_energy_is_refused_when_made(objective):
    with pytest.raises(LoihiGymError, match="measures no energy: choose objective='latency'"):
        gymnasium.make("LoihiPlace-v0", backend=Bare(PROBLEM), objective=objective)


def test_noise_scatters_what_there_is():
    noisy = Noisy(Bare(PROBLEM), 0.05, seed=2).evaluate(MAPPING)
    assert noisy.latency_ps != Bare(PROBLEM).evaluate(MAPPING).latency_ps
    assert noisy.energy is noisy.bottleneck is None
    given = Bare(PROBLEM)
    given.evaluate = lambda _: Measurement(9000, energy=EnergyBreakdown(1, 2, 3, 4))
    assert sum(Noisy(given, 0.05, 2).evaluate_batch([MAPPING])[0].energy) == 10


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mesh", {"bord": 1}, "backend 'mesh' has no option 'bord'; it has: none"),
        ("lava", {"bord": 1}, "has no option 'bord'; it has: host, board, "),
        ("lava", {"runs": 0}, "runs must be at least 1"),
        ("http://h", {"tokn": "x"}, "has no option 'tokn'; it has: urls, token, patience_s"),
        ("http", {}, "is chosen by an address: http://HOST:PORT"),
        ("ftp://h", {}, "it does not begin with http:// or https://"),
    ],
)
def test_a_wrong_option_is_named_with_those_there_are(name, options, message):
    with pytest.raises(LoihiGymError, match=message):
        make_backend(name, PROBLEM, **options)
