"""The kernels against the `Bound` backend, which goes through numpy and is their slow twin."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.backends import Bound
from loihi_gym.backends.bound.bound_kernel import energy_fj, new_state, place, swap
from loihi_gym.errors import IllegalMappingError
from loihi_gym.mapping import Mapping, heuristic, random_mapping
from loihi_gym.mapping import swap as swapped
from tests.backends.test_bound import any_problem, draw, seeds
from tests.toys import built, bundled_problem, examples, silent_problem

idle = st.sampled_from(["powered", "off"])
"""Whether chips that hold nothing draw static power."""


@examples(100)
@given(any_problem, idle, seeds)
def test_a_placed_mapping_has_the_measured_latency_and_energy(problem, idle, seed):
    problem = replace(problem, chip=built(problem.chip, idle_chips=idle))
    mapping = draw(problem, seed)
    placed, result = Bound(problem).place(mapping), Bound(problem).evaluate(mapping)
    assert placed.latency_ps == result.latency_ps
    assert placed.energy_fj == result.energy_fj
    assert placed.mapping == mapping
    service = placed.tables.link_ps
    assert (result.link_messages[:, : len(service)] * service == placed.state.busy_ps.T).all()


@examples(100)
@given(any_problem, idle, seeds)
def test_swaps_equal_full_evaluations(problem, idle, seed):
    problem = replace(problem, chip=built(problem.chip, idle_chips=idle))
    rng = np.random.default_rng(seed)
    backend, mapping = Bound(problem), draw(problem, seed)
    placed = backend.place(mapping)
    for core_a, core_b in rng.integers(problem.topology.n_cores, size=(10, 2)).tolist():
        mapping = swapped(mapping, core_a, core_b)
        latency, full = placed.swap(core_a, core_b), backend.evaluate(mapping)
        assert latency == placed.latency_ps == full.latency_ps
        assert placed.energy_fj == full.energy_fj
        assert placed.mapping == mapping


@examples(50)
@given(any_problem, seeds, seeds)
def test_the_same_swap_again_takes_it_back(problem, seed, pair):
    placed = Bound(problem).place(draw(problem, seed))
    before = [np.array(part) for part in placed.state]
    core_a, core_b = np.random.default_rng(pair).integers(problem.topology.n_cores, size=2)
    placed.swap(core_a, core_b)
    placed.swap(core_a, core_b)
    for name, old, now in zip(placed.state._fields, before, placed.state, strict=True):
        assert name == "changed" or (old == now).all(), name


@pytest.mark.parametrize(("name", "chip"), [("mlp-deep", "loihi2"), ("mlp-wide", "kapoho-point")])
def test_100_000_moves_stay_equal_to_a_full_evaluation(name, chip):
    problem = bundled_problem(name, chip)
    tables = Bound(problem).tables(heuristic(problem, "lava-default/strided").cores_per_layer)
    rng = np.random.default_rng(0)
    start = rng.permutation(problem.topology.n_cores)[: len(tables.fan_out)]
    moved, fresh = new_state(tables), new_state(tables)
    place(tables, moved, start)
    moves = rng.integers(problem.topology.n_cores, size=(100_000, 2))
    for index, (core_a, core_b) in enumerate(moves.tolist()):
        latency = swap(tables, moved, core_a, core_b)
        if index % 10 == 0 or index > 99_000:
            assert place(tables, fresh, moved.placement) == latency
            assert energy_fj(tables, fresh) == energy_fj(tables, moved)
    for name, a, b in zip(moved._fields, moved, fresh, strict=True):
        assert name == "changed" or (a == b).all(), name


@examples(30)
@given(any_problem, seeds)
def test_latencies_of_a_batch_are_those_of_each(problem, seed):
    rng = np.random.default_rng(seed)
    mappings = [random_mapping(problem, rng) for _ in range(4)]
    mappings += [Mapping(m.cores_per_layer, rng.permutation(m.placement)) for m in mappings]
    backend = Bound(problem)
    single = [backend.evaluate(mapping).latency_ps for mapping in mappings]
    assert backend.latencies(mappings).tolist() == single


def test_a_batch_may_be_empty():
    assert Bound(silent_problem()).latencies([]).tolist() == []


def test_illegal_mappings_are_refused():
    backend, illegal = Bound(silent_problem()), Mapping([1, 1, 1], [0, 0, 1])
    with pytest.raises(IllegalMappingError, match="core 0 has 2"):
        backend.latencies([illegal])
    with pytest.raises(IllegalMappingError, match="core 0 has 2"):
        backend.place(illegal)
