"""The adapter; SANA-FE itself is an extra, and what needs it is skipped without."""

from importlib.util import find_spec

import numpy as np
import pytest

from loihi_gym.backends import MeshBackend, make_backend
from loihi_gym.backends.comparison import agreement, sample_mappings
from loihi_gym.backends.sanafe import peer as sanafe
from loihi_gym.chip import load_chip
from loihi_gym.chip.spec import OPTIONS
from loihi_gym.errors import BackendError
from loihi_gym.mapping import Mapping, Problem
from loihi_gym.network import Activity
from tests.toys import built, dense_network, spread_mapping, toy_chip, toy_problem

needs_sanafe = pytest.mark.skipif(find_spec("sanafe") is None, reason="SANA-FE is not installed")


def single_message() -> Problem:
    messages = (np.ones((1, 1), np.int32), np.zeros((1, 1), np.int32))
    return Problem("single", dense_network(1, 1), Activity(messages), load_chip("booksim-8x4"))


def test_scripts_hold_what_the_traffic_counts():
    problem = toy_problem(steps=2)
    mapping = spread_mapping(problem)
    traffic = problem.traffic(mapping.cores_per_layer)
    for step in range(2):
        cores = sanafe.scripts(problem, mapping, step)
        received = np.zeros(mapping.n_logical_cores, np.int64)
        synops = np.zeros(mapping.n_logical_cores, np.int64)
        for core, (neurons, tail) in enumerate(cores):
            assert len(neurons) == traffic.active[step, core]
            assert sum(silent for silent, _ in neurons) + tail == traffic.inactive[step, core]
            assert sum(len(m) for _, m in neurons) == traffic.messages_out[step, core]
            for _, messages in neurons:
                for target, synapses in messages:
                    received[target] += 1
                    synops[target] += synapses
        assert received.tolist() == traffic.messages_in[step].tolist()
        assert synops.tolist() == traffic.synops[step].tolist()


def test_without_sanafe_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(sanafe, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match=r'pip install "loihi-gym\[sanafe\]"'):
        make_backend("sanafe", single_message())


def test_several_chips_are_refused(monkeypatch):
    monkeypatch.setattr(sanafe, "find_spec", lambda name: object())
    with pytest.raises(BackendError, match="simulates one chip, and toy is 2"):
        make_backend("sanafe", toy_problem(chip=toy_chip(chips=(2, 1))))


@pytest.mark.parametrize("name", ["multicast", "rows", "phases"])
def test_a_chip_that_is_built_otherwise_is_refused(monkeypatch, name):
    monkeypatch.setattr(sanafe, "find_spec", lambda _: True)
    chip = built(toy_chip(), **{name: OPTIONS[name][1]})
    with pytest.raises(BackendError, match=f"chips with {name} = .* and toy has another"):
        make_backend("sanafe", toy_problem(chip=chip))


def test_agreement_of_latencies():
    first, second = np.array([10, 20, 30, 40, 50]), np.array([20, 40, 60, 100, 80])
    found = agreement(("a", "b"), first, second, n_heuristics=2)
    assert (found.first, found.second) == ("a", "b")
    assert found.spearman == pytest.approx(0.9)
    assert found.spearman_random == pytest.approx(0.5)
    assert found.ratio_median == pytest.approx(0.5)
    assert found.ratio_low <= found.ratio_median <= found.ratio_high


def test_sampled_mappings_are_heuristics_and_random_ones():
    problem = toy_problem()
    mappings, n_heuristics = sample_mappings(problem, 10, seed=0)
    assert (len(mappings), n_heuristics) == (10, 5)
    again, _ = sample_mappings(problem, 10, seed=0)
    assert [m.placement.tolist() for m in mappings] == [m.placement.tolist() for m in again]
    assert all(not problem.check(mapping) for mapping in mappings)


@needs_sanafe
def test_one_message_takes_as_long_in_sanafe_but_for_rounding():
    """39.7 + 5.1 and 16 + 4.7 are whole cycles there: 45 and 21."""
    problem = single_message()
    backend, mesh = make_backend("sanafe", problem), MeshBackend(problem)
    mappings = [Mapping([1, 1], [0, core]) for core in (1, 4, 127)]
    found = [result.latency_ps for result in backend.evaluate_batch(mappings)]
    assert found == [70_000, 74_000, 110_000]
    for mapping, latency in zip(mappings, found, strict=True):
        assert abs(mesh.evaluate(mapping).latency_ps - latency) <= 500


@needs_sanafe
def test_a_failing_worker_is_named():
    problem = single_message()
    runs = [{"cores": [[[], 0]], "placement": [[99, 0, 0]]}]
    with pytest.raises(BackendError, match="SANA-FE ended with code 1; it said: IndexError"):
        sanafe.run_jobs(problem.chip, "cycle", runs)
