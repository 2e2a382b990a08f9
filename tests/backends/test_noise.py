import statistics

import numpy as np
import pytest

from loihi_gym.backends import Noisy, make_backend
from loihi_gym.backends.noise import standard_normal
from loihi_gym.errors import LoihiGymError
from loihi_gym.mapping import heuristic, random_mapping
from tests.toys import toy_problem

PROBLEM = toy_problem()
MAPPING = heuristic(PROBLEM, "balanced/strided")
MAPPINGS = [random_mapping(PROBLEM, np.random.default_rng(seed)) for seed in range(6)]


def latencies(backend, mappings=MAPPINGS) -> list[int]:
    return [result.latency_ps for result in backend.evaluate_batch(mappings)]


@pytest.mark.parametrize("name", ["bound", "mesh"])
def test_the_same_seed_gives_the_same_integers(name):
    first, again, other = (make_backend(name, PROBLEM, noise=0.02, seed=s) for s in (7, 7, 8))
    assert first.name == f"{name}+noise"
    batch = latencies(first)
    assert all(type(ps) is int for ps in batch)
    assert batch == [again.evaluate(mapping).latency_ps for mapping in MAPPINGS]
    assert batch != latencies(other)
    assert batch != latencies(first)  # the draws go on


def test_a_search_can_be_resumed():
    whole, resumed = (make_backend("bound", PROBLEM, noise=0.02) for _ in range(2))
    resumed.evaluations = 3
    assert latencies(whole)[3:] == latencies(resumed, MAPPINGS[3:])


def test_latency_scatters_as_told():
    exact = make_backend("bound", PROBLEM).evaluate(MAPPING).latency_ps
    noisy = make_backend("bound", PROBLEM, noise=0.05)
    ratios = [ps / exact for ps in latencies(noisy, [MAPPING] * 2000)]
    assert statistics.mean(ratios) == pytest.approx(1.0, abs=0.005)
    assert statistics.stdev(ratios) == pytest.approx(0.05, rel=0.1)


def test_nothing_tells_the_exact_latency():
    exact = make_backend("mesh", PROBLEM).evaluate(MAPPING)
    noisy = make_backend("mesh", PROBLEM, noise=0.05).evaluate(MAPPING)
    assert noisy.latency_ps == sum(noisy.step_times_ps) != exact.latency_ps
    assert noisy.energy.static_fj == noisy.latency_ps * PROBLEM.chip.energy.static_mw
    assert all(a != b for a, b in zip(noisy.step_times_ps, exact.step_times_ps, strict=True))
    step = exact.bottleneck.step
    busy = [m.bottleneck.share * m.step_times_ps[step] for m in (exact, noisy)]
    assert busy[0] == pytest.approx(busy[1])
    assert (noisy.link_messages == exact.link_messages).all()


def test_no_noise_changes_nothing():
    exact, silent = make_backend("mesh", PROBLEM), Noisy(make_backend("mesh", PROBLEM), 0.0)
    assert latencies(exact) == latencies(silent)
    assert make_backend("mesh", PROBLEM, noise=0.0).name == "mesh"


@pytest.mark.parametrize("noise", [-0.1, 0.2, float("nan")])
def test_a_noise_out_of_range_is_named(noise):
    with pytest.raises(LoihiGymError, match=r"noise = .*from 0 to 0\.1"):
        make_backend("bound", PROBLEM, noise=noise)


def test_draws_are_about_normal_and_the_same_everywhere():
    draws = np.array([standard_normal(0, index) / 2**32 for index in range(5000)])
    assert abs(draws.mean()) < 0.05
    assert draws.std() == pytest.approx(1.0, abs=0.03)
    assert np.abs(draws).max() < 6
    assert [standard_normal(1, index) for index in range(3)] == GOLDEN


GOLDEN = [-7085338120, 747643036, 6037546711]
