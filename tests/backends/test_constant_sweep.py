from dataclasses import replace

import numpy as np
import pytest

from loihi_gym import load, load_chip, make_backend
from loihi_gym.backends.constant_sweep import moved_chips, plot, sensitivity
from loihi_gym.errors import IllegalMappingError, LoihiGymError
from loihi_gym.mapping import Mapping, heuristic, random_mapping
from tests.toys import toy_chip, toy_problem


def some_mappings(problem, count: int) -> dict[str, Mapping]:
    rng = np.random.default_rng(1)
    return {f"m{k}": random_mapping(problem, rng) for k in range(count)}


def test_every_ranged_constant_is_moved_to_both_ends():
    chip = load_chip("kapoho-point")
    moved = [(name, value) for name, value, _ in moved_chips(chip)]
    expected = [
        (name, value)
        for name, constant in chip.constants.items()
        if constant.range and name.split(".")[0] in ("costs", "network")
        for value in constant.range
        if value != constant.value
    ]
    assert moved == expected
    assert ("costs.chip_hop_ps", 500_000) in moved
    for name, value, changed in moved_chips(chip):
        assert changed.constants[name].value == value
        section, key = name.split(".")
        assert getattr(getattr(changed, section), key) == value


def test_links_between_chips_are_left_alone_where_there_is_one_chip():
    names = {name for name, _, _ in moved_chips(load_chip("loihi2"))}
    assert "costs.link_ps" in names
    assert not any(name.startswith("costs.chip_") for name in names)


def test_latencies_are_those_of_the_moved_chip():
    problem = toy_problem()
    mappings = some_mappings(problem, 4)
    for shift in sensitivity(problem, mappings):
        moved = replace(problem, chip=problem.chip.with_constant(shift.constant, shift.value))
        backend = make_backend("mesh", moved)
        expected = [backend.evaluate(mapping).latency_ps for mapping in mappings.values()]
        assert list(shift.latencies_ps) == expected
        assert shift.fastest == f"m{expected.index(min(expected))}"
        assert shift.reduction(1, 0) == 1 - expected[1] / expected[0]


def test_dearer_work_makes_every_mapping_slower():
    problem = toy_problem()
    shifts = {(s.constant, s.value): s for s in sensitivity(problem, some_mappings(problem, 4))}
    for name in ("costs.synop_ps", "costs.neuron_inactive_ps"):
        low, high = problem.chip.constants[name].range
        cheap, dear = shifts[name, low].latencies_ps, shifts[name, high].latencies_ps
        assert all(a < b for a, b in zip(cheap, dear, strict=True))


def test_a_constant_that_decides_nothing_keeps_the_ranking():
    chip = toy_chip(routers=(6, 1), cores_per_router=1)
    problem = toy_problem(chip=chip)
    shifts = {(s.constant, s.value): s for s in sensitivity(problem, some_mappings(problem, 12))}
    barrier = shifts["costs.barrier_ps", 1_780_000]
    assert barrier.spearman == pytest.approx(1.0)
    added = problem.activity.steps * (1_780_000 - 200_000)
    longest = make_backend("mesh", problem).evaluate_batch(
        list(some_mappings(problem, 12).values())
    )
    assert barrier.latencies_ps == tuple(m.latency_ps + added for m in longest)


def test_at_least_two_legal_mappings_are_needed():
    problem = toy_problem()
    with pytest.raises(LoihiGymError, match="at least two mappings"):
        sensitivity(problem, some_mappings(problem, 1))
    with pytest.raises(IllegalMappingError):
        sensitivity(problem, some_mappings(problem, 1) | {"bad": Mapping([1, 1, 1], [0, 0, 0])})


def test_the_plot_is_written_or_refused(tmp_path):
    problem = load("mlp-xs")
    mappings = {"a": problem.reference_mapping, "b": heuristic(problem, "packed/hilbert")}
    shifts = sensitivity(problem, mappings)
    plot(tmp_path / "s.png", "mlp-xs", shifts, 1, 0)
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(LoihiGymError, match=r"picture .*s\.png"):
        plot(tmp_path / "none" / "s.png", "mlp-xs", shifts, 1, 0)
