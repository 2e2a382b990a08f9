import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.chip import topology_of
from loihi_gym.errors import UnknownNameError
from loihi_gym.mapping import Mapping, Problem, heuristic, heuristic_names, random_mapping
from loihi_gym.mapping.fewest import packed
from loihi_gym.mapping.heuristics import (
    FIRST_RELEASE,
    PARTITIONINGS,
    balanced,
    balanced_over,
    core_positions,
    lava_default,
)
from loihi_gym.mapping.orders import ORDERS
from tests.mapping.conftest import BUNDLED
from tests.toys import (
    bundled_problem,
    examples,
    problem_of,
    silent_problem,
    toy_chip,
    toy_network,
    toy_problem,
)

MANY = toy_chip(chips=(3, 2), routers=(4, 2), cores_per_router=2, coreless=((0, 0),))
"""Six chips of 14 cores."""


def legal(problem: Problem, counts) -> bool:
    return problem.check(Mapping(counts, np.arange(int(np.sum(counts))))) == []


def test_every_partitioning_goes_with_every_order():
    assert len(heuristic_names()) == len(set(heuristic_names())) == 51 * 5
    assert len(heuristic_names(FIRST_RELEASE)) == 7 * 5
    assert heuristic_names()[0] == "lava-default/row-major"


@pytest.mark.parametrize("percent", [90, 80, 70, 60])
def test_balanced_takes_its_part_of_the_cores(percent):
    deep = bundled_problem("mlp-deep", BUNDLED["mlp-deep"])
    counts = PARTITIONINGS[f"balanced-{percent}"](deep)
    assert counts.sum() == 152 * percent // 100
    assert (counts >= packed(deep)).all()


ONE_CHIP = [name for name in heuristic_names() if not name.startswith("by-chip")]


@pytest.mark.parametrize("name", ONE_CHIP)
def test_every_heuristic_is_legal_on_the_bundled_networks(bundled, name):
    mapping = heuristic(bundled, name)
    assert bundled.check(mapping) == []
    partitioning, order = name.split("/")
    assert (mapping.cores_per_layer == PARTITIONINGS[partitioning](bundled)).all()
    places = ORDERS[order](bundled.topology)
    assert (mapping.placement == places[: mapping.n_logical_cores]).all()


@pytest.mark.parametrize("name", ONE_CHIP)
def test_every_heuristic_is_legal_when_a_resource_is_scarce(tight, name):
    assert tight.check(heuristic(tight, name)) == []


def test_a_sweep_grows_by_the_same_factor_from_the_fewest_cores_to_all():
    deep = bundled_problem("mlp-deep", BUNDLED["mlp-deep"])
    fewest = int(packed(deep).sum())
    for number in range(1, 40):
        counts = PARTITIONINGS[f"sweep-{number}"](deep)
        size = fewest * (152 / fewest) ** (number / 40)
        assert counts.sum() == int(size)
        assert counts.tolist() == balanced_over(deep, int(size)).tolist()


def test_sizes_of_a_sweep_do_not_depend_on_the_order_in_which_they_are_asked_for():
    up, down = (toy_problem((40, 60, 20), chip=toy_chip(routers=(6, 5))) for _ in range(2))
    found = {n: PARTITIONINGS[f"sweep-{n}"](up).tolist() for n in range(1, 40)}
    assert found == {n: PARTITIONINGS[f"sweep-{n}"](down).tolist() for n in range(39, 0, -1)}


def test_golden_partitionings():
    deep = bundled_problem("mlp-deep", BUNDLED["mlp-deep"])
    assert lava_default(deep).tolist() == [1] + [8] * 9 + [1]
    assert packed(deep).tolist() == [1, 5] + [6] * 8 + [1]
    assert balanced(deep).tolist() == [15, 22, 8, 10, 11, 13, 15, 19, 17, 21, 1]


def test_lava_default_halves_cores(bundled):
    for count, width in zip(lava_default(bundled), bundled.network.widths, strict=True):
        assert count == width or count.bit_count() == 1


def test_lava_default_halves_scarce_cores(tight):
    counts = lava_default(tight)
    for count, width in zip(counts, tight.network.widths, strict=True):
        assert count == width or count.bit_count() == 1
    assert counts.max() > 1


def assert_minimal(problem: Problem) -> None:
    counts = packed(problem)
    assert legal(problem, counts)
    for layer in range(problem.n_layers):
        fewer = counts.copy()
        fewer[layer] -= 1
        assert not legal(problem, fewer), layer


def test_packed_is_minimal(bundled):
    assert_minimal(bundled)


def test_packed_is_minimal_when_a_resource_is_scarce(tight):
    assert_minimal(tight)
    assert packed(tight).max() > 1


def test_balanced_uses_all_cores(bundled):
    counts = balanced(bundled)
    assert counts.sum() == bundled.topology.n_cores
    assert (counts >= packed(bundled)).all()


def test_balanced_cuts_no_further_than_neurons():
    problem = toy_problem((3, 4, 2), chip="loihi2-16")
    assert balanced(problem).tolist() == [3, 4, 2]


def test_balanced_works_without_any_message():
    assert balanced(silent_problem()).sum() == 16


def test_balanced_shortens_the_longest_work():
    problem = toy_problem((40, 60, 20), density=1.0, chip="loihi2-16")

    def longest(counts) -> int:
        load = problem.traffic(counts)
        return int(np.maximum(load.send_ps, load.receive_ps).sum(axis=0).max())

    assert longest(balanced(problem)) < longest(packed(problem)) / 2


def test_balanced_stays_legal_when_cutting_takes_output_axons():
    chip = toy_chip(constants={"capacity.output_axons": 20})
    problem = problem_of(toy_network((12, 16, 10), density=1.0), chip)
    counts = balanced(problem)
    assert legal(problem, counts)


@pytest.mark.parametrize("name", ["packed", "packed/hilbret", "", "/", "packed/row-major/2"])
def test_an_unknown_heuristic_is_named(toy, name):
    with pytest.raises(UnknownNameError, match="unknown heuristic") as caught:
        heuristic(toy, name)
    assert repr(name) in str(caught.value)


@examples(100)
@given(st.integers(0, 2**32))
def test_random_mappings_are_legal(seed):
    problem = BOXED[seed % len(BOXED)]
    mapping = random_mapping(problem, np.random.default_rng(seed))
    assert problem.check(mapping) == []
    assert (mapping.cores_per_layer >= packed(problem)).all()
    assert mapping == random_mapping(problem, np.random.default_rng(seed))


BOXED = [
    problem_of(toy_network((20, 24, 10), density=0.3), toy_chip(routers=(5, 4), constants=limits))
    for limits in (
        {},
        {"capacity.neurons": 5},
        {"capacity.synmem_words": 40},
        {"capacity.output_axons": 20},
    )
]


def test_random_mappings_are_legal_on_the_bundled_networks(bundled):
    rng = np.random.default_rng(0)
    mappings = [random_mapping(bundled, rng) for _ in range(20)]
    assert all(bundled.check(mapping) == [] for mapping in mappings)
    assert len({mapping.n_logical_cores for mapping in mappings}) > 5


def test_random_mappings_reach_every_core():
    rng, problem = np.random.default_rng(0), BOXED[0]
    sizes = {random_mapping(problem, rng).n_logical_cores for _ in range(300)}
    assert {3, 40} <= sizes <= set(range(3, 41))


@examples(60)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.sampled_from(list(ORDERS)))
def test_a_layer_that_fits_on_a_chip_stays_on_one(counts, order):
    """Unless the cores left would not do for the layers after it."""
    mesh, counts = topology_of(MANY), np.array(counts, np.int32)
    hypothesis.assume(counts.sum() <= mesh.n_cores)
    positions = core_positions(counts, mesh)
    places = ORDERS[order](mesh)[positions]
    assert len(set(places.tolist())) == counts.sum()
    assert (np.diff(positions) >= 1).all()
    first = 0
    for layer, count in enumerate(counts.tolist()):
        own = slice(first, first + count)
        straddles = len(set(mesh.core_chip[places[own]].tolist())) > 1
        if straddles and count <= 14:
            rest = -int(positions[first]) % 14
            assert positions[first] + rest + counts[layer:].sum() > mesh.n_cores
        first += count


def test_cores_are_left_free_so_that_no_layer_straddles():
    mesh = topology_of(MANY)
    assert core_positions(np.array([10, 10, 4, 14], np.int32), mesh).tolist() == [
        *range(10),
        *range(14, 28),
        *range(28, 42),
    ]


def test_one_chip_leaves_no_gap():
    assert core_positions(np.array([2, 3], np.int32), topology_of(toy_chip())).tolist() == [
        *range(5)
    ]


def test_balanced_equals_giving_cores_one_by_one():
    """The heap gives the same counts as looking for the busiest layer each time."""
    problem = bundled_problem("mlp-xs", "loihi2")
    counts = packed(problem)
    while counts.sum() < problem.topology.n_cores:
        work = [int(problem.loads.work_ps(layer, counts).max()) for layer in range(5)]
        growing = [layer for layer in range(5) if counts[layer] < problem.network.widths[layer]]
        counts[max(growing, key=lambda layer: work[layer])] += 1
    assert balanced(problem).tolist() == counts.tolist()


def test_balanced_gives_many_cores_in_proportion():
    """On a system with far more cores than layers, as well as one by one, and much faster."""
    problem = problem_of(
        toy_network((400, 600, 300)), toy_chip(routers=(10, 10), cores_per_router=4)
    )
    counts, one_by_one = balanced(problem), packed(problem)
    assert counts.sum() == problem.topology.n_cores > 3 * 64

    def longest(counts) -> int:
        return max(int(problem.loads.work_ps(layer, counts).max()) for layer in range(3))

    while one_by_one.sum() < problem.topology.n_cores:
        work = [int(problem.loads.work_ps(layer, one_by_one).max()) for layer in range(3)]
        one_by_one[int(np.argmax(work))] += 1
    assert longest(counts) <= longest(one_by_one) * 1.05
