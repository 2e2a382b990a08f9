"""Odd chips: refused with one line, or the kernel follows the rules and is not below `bound`."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.backends import Bound, MeshBackend
from loihi_gym.backends.mesh.mesh_kernel import MOST_CORES_PER_ROUTER, simulate
from loihi_gym.backends.mesh.mesh_reference import simulate_reference
from loihi_gym.backends.mesh.packing import delays, kernel_load, make_mesh, tick_ps
from loihi_gym.bounds import lower_bound
from loihi_gym.chip import ChipSpec, load_chip
from loihi_gym.errors import BackendError, ChipFileError, LoihiGymError
from loihi_gym.mapping import Mapping, Problem
from tests.backends.test_mesh import problem_on, seeds, single_message, some_mapping
from tests.toys import examples, toy_chip, toy_problem

COSTS = [name for name in load_chip("loihi2").constants if name.startswith("costs.")]
times = st.sampled_from([0, 1, 2, 3, 1160, 10**6, 10**13, 2**57, 2**62, 2**63 - 1])
sizes = st.sampled_from([0, 1, 2, 3, 8, 70_000, 10**9, 2**63 - 1])
ODD_GRIDS = [
    {"routers": (1, 1), "cores_per_router": 59},
    {"routers": (1, 1), "cores_per_router": 60},
    {"routers": (2, 1), "cores_per_router": 59},
    {"routers": (4097, 1), "cores_per_router": 1},
    {"routers": (2, 2), "coreless": ((0, 0), (0, 1), (1, 0), (1, 1))},
    {"routers": (10**6, 10**6)},
    {"chips": (2, 2), "routers": (2, 1), "cores_per_router": 1},
    {"routers": (3, 2)},
]


@st.composite
def odd_chips(draw) -> ChipSpec:
    """A small or absurd mesh on which up to four constants are absurd."""
    chip = toy_chip(**draw(st.sampled_from(ODD_GRIDS)))
    for name in draw(st.lists(st.sampled_from(COSTS), max_size=3)):
        chip = chip.with_constant(name, draw(times))
    if draw(st.booleans()):
        name = draw(st.sampled_from(["fabrics", "router_buffer", "receiver_queue"]))
        chip = chip.with_constant(f"network.{name}", draw(sizes))
    return chip


def is_one_line(error: Exception) -> None:
    assert str(error).isprintable()
    assert len(str(error)) < 400


def measured(problem: Problem, mapping: Mapping) -> list[int] | None:
    """Step times on `mesh`, after comparing them with the slow twin; None if it is refused."""
    try:
        found = MeshBackend(problem).evaluate(mapping).step_times_ps
    except (BackendError, ChipFileError) as error:
        return is_one_line(error)
    chip = problem.chip
    load = kernel_load(problem.traffic(mapping.cores_per_layer), chip)
    mesh = make_mesh(chip)
    slow = simulate_reference(delays(chip), mesh, load, mapping.placement)
    assert list(found) == (slow * tick_ps(chip) + chip.costs.barrier_ps).tolist()
    return list(found)


@examples(80)
@given(odd_chips(), seeds, st.booleans())
def test_odd_chips_are_refused_or_simulated_by_the_rules(chip, seed, graded):
    problem = problem_on(chip, seed, graded)
    try:
        mapping = some_mapping(problem, seed)
        bound = Bound(problem).evaluate(mapping)
        placed = Bound(problem).place(mapping)
    except (BackendError, ChipFileError) as error:
        is_one_line(error)
        return
    assert placed.latency_ps == bound.latency_ps >= 0
    assert placed.energy_fj == bound.energy_fj >= 0
    found = measured(problem, mapping)
    if found is not None:
        for least, step in zip(bound.step_times_ps, found, strict=True):
            assert least <= step


ODD = {
    "costs.link_ps": (0, "costs.link_ps = 0, and it takes 1 to"),
    "network.fabrics": (0, "network.fabrics = 0, and it takes 1 to 16"),
    "network.router_buffer": (0, "network.router_buffer = 0, and it takes 1 to 65536"),
    "network.receiver_queue": (10**9, "network.receiver_queue = 1000000000, and it takes 1 to"),
    "costs.hop_x_ps": (10**13, "costs.hop_x_ps = 10000000000000, and it takes 0 to"),
    "costs.synop_ps": (2**62, "costs.synop_ps = 4611686018427387904 may count"),
    "costs.barrier_ps": (2**62, "costs.barrier_ps = 4611686018427387904 may count 2"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_refusal_names_chip_constant_value_and_limits(name):
    value, text = ODD[name]
    problem = toy_problem(chip=toy_chip(constants={name: value}))
    with pytest.raises(BackendError, match=re.escape(text)) as refused:
        MeshBackend(problem).evaluate(some_mapping(problem, 0))
    assert "chip toy" in str(refused.value)


@pytest.mark.parametrize(
    ("grid", "text"),
    [
        ({"routers": (1, 1), "cores_per_router": 200}, "topology.cores_per_router = 200"),
        ({"routers": (5000, 1)}, "routers along x = 5000, and it takes 1 to 4096"),
        ({"routers": (1, 3000)}, "routers along y = 3000, and it takes 1 to 2048"),
        ({"routers": (2000, 1000)}, "bytes for all routers, buffers and queues"),
    ],
)
def test_a_mesh_beyond_the_kernel_is_refused(grid, text):
    with pytest.raises(BackendError, match=text):
        make_mesh(toy_chip(**grid))


@pytest.mark.parametrize(
    ("grid", "text"),
    [
        ({"routers": (2, 1), "coreless": ((0, 0), (1, 0))}, "chip toy has 0 cores"),
        ({"routers": (10**9, 10**9)}, "has 2000000000000000000 cores"),
    ],
)
def test_a_chip_without_cores_or_with_too_many_is_refused(grid, text):
    with pytest.raises(ChipFileError, match=text):
        _ = toy_problem(chip=toy_chip(**grid)).topology


def test_a_router_may_have_as_many_cores_as_there_are_bits():
    """All cores of one router send to each other: every input port is wanted."""
    chip = toy_chip(routers=(1, 1), cores_per_router=MOST_CORES_PER_ROUTER)
    problem = toy_problem((30, 29), density=0.3, chip=chip, steps=1)
    assert measured(problem, Mapping([30, 29], np.arange(59)))


def test_the_far_corner_of_the_widest_mesh_has_an_address():
    """A message crosses all 4,096 columns."""
    chip = toy_chip(routers=(4096, 1), cores_per_router=1)
    problem = single_message(chip)
    ends = [MeshBackend(problem).evaluate(Mapping([1, 1], [0, x])).latency_ps for x in (1, 4095)]
    assert ends[1] - ends[0] == 4094 * chip.costs.hop_x_ps


@pytest.mark.parametrize("link_ps", [1, 2, 3])
def test_links_may_take_a_picosecond(link_ps):
    problem = toy_problem(chip=toy_chip(constants={"costs.link_ps": link_ps}))
    mapping = some_mapping(problem, 1)
    bound = Bound(problem).evaluate(mapping).step_times_ps
    assert all(least <= t for least, t in zip(bound, measured(problem, mapping), strict=True))


@pytest.mark.parametrize("fabrics", [2, 3])
def test_fabrics_side_by_side_are_not_faster_than_bound(fabrics):
    """Everything through one link: two fabrics carry it in half the time."""
    constants = {"network.fabrics": fabrics, "costs.link_ps": 30_000, "costs.synop_ps": 1}
    chip = toy_chip(routers=(6, 1), cores_per_router=1, constants=constants)
    problem = toy_problem((40, 40, 40), density=1.0, chip=chip)
    for placement in ([0, 1, 4, 5, 2, 3], [0, 5, 1, 4, 2, 3]):
        mapping = Mapping([2, 2, 2], placement)
        bound = Bound(problem).evaluate(mapping).latency_ps
        assert bound <= MeshBackend(problem).evaluate(mapping).latency_ps
        assert lower_bound(problem).on_bound_ps <= bound


def test_energies_beyond_64_bits_are_refused_by_the_kernels():
    chip = load_chip("loihi2-16").with_constant("energy.static_mw", 2**50)
    problem = toy_problem(chip=chip)
    mapping = some_mapping(problem, 0)
    assert Bound(problem).evaluate(mapping).energy_fj > 2**63
    with pytest.raises(BackendError, match="chip loihi2-16: energies of this problem may exceed"):
        Bound(problem).place(mapping)


@pytest.mark.parametrize("names", [["costs.chip_link_ps"], ["costs.link_ps"], COSTS])
def test_the_proof_holds_where_links_take_no_time(names):
    chip = toy_chip(chips=(2, 1), routers=(2, 2), cores_per_router=1)
    for name in names:
        chip = chip.with_constant(name, 0)
    problem = toy_problem(chip=chip)
    mapping = some_mapping(problem, 3)
    assert lower_bound(problem).on_bound_ps <= Bound(problem).latencies([mapping])[0]


def test_a_problem_on_which_nothing_takes_time_is_not_measured():
    chip = toy_chip(constants=dict.fromkeys(COSTS, 0))
    problem = toy_problem(chip=chip)
    with pytest.raises(LoihiGymError, match="chip toy: a step takes no time"):
        Bound(problem).evaluate(some_mapping(problem, 0))


def test_simulate_takes_a_replaced_problem():
    """A study moves one constant after the other on the same network."""
    problem = toy_problem()
    mapping = some_mapping(problem, 0)
    for value in (1, 2, 1160):
        moved = replace(problem, chip=problem.chip.with_constant("costs.link_ps", value))
        load = kernel_load(moved.traffic(mapping.cores_per_layer), moved.chip)
        assert simulate(delays(moved.chip), make_mesh(moved.chip), load, mapping.placement)[0]
