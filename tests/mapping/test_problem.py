from dataclasses import replace

import numpy as np
import pytest

from loihi_gym.errors import IllegalMappingError
from loihi_gym.mapping import Mapping, Problem, Violation, heuristic
from tests.toys import dense_network, problem_of, toy_chip

LEGAL = Mapping([1, 2, 1], [5, 0, 15, 7])


def problem(**capacity: int) -> Problem:
    """4, 4 and 2 neurons, all connected, on 16 cores of which one resource is scarce.

    A synapse takes 20 bits and an axon a word. In one piece, the first weight matrix takes
    16 synapses (5 words) and 4 axons; half of it takes 8 synapses (3 words) and 4 axons.
    """
    limits = {f"capacity.{name}": limit for name, limit in capacity.items()}
    return problem_of(dense_network(4, 4, 2), toy_chip(constants=limits))


def test_a_legal_mapping_violates_nothing():
    assert problem().check(LEGAL) == []
    problem().require(LEGAL)


@pytest.mark.parametrize(
    ("cores_per_layer", "placement", "violations"),
    [
        ([1, 2], [0, 1, 2], [("layers", "cores_per_layer", 2, 3)]),
        ([], [], [("layers", "cores_per_layer", 0, 3)]),
        ([1, 2, 1, 1], range(5), [("layers", "cores_per_layer", 4, 3)]),
        ([0, 2, 1], range(3), [("pieces per layer", "layer 0", 0, 4)]),
        (
            [5, 4, -1],
            range(8),
            [("pieces per layer", "layer 0", 5, 4), ("pieces per layer", "layer 2", -1, 2)],
        ),
        ([1, 2, 1], [0, 1, 2], [("placement length", "placement", 3, 4)]),
        ([1, 2, 1], range(5), [("placement length", "placement", 5, 4)]),
        ([1, 2, 1], [0, 1, 2, 16], [("absent core", "logical core 3", 16, 15)]),
        (
            [1, 2, 1],
            [-1, 1, 99, 2],
            [("absent core", "logical core 0", -1, 15), ("absent core", "logical core 2", 99, 15)],
        ),
        ([1, 2, 1], [0, 3, 3, 3], [("logical cores per core", "core 3", 3, 1)]),
        (
            [1, 2, 1],
            [9, 4, 9, 20],
            [
                ("absent core", "logical core 3", 20, 15),
                ("logical cores per core", "core 9", 2, 1),
            ],
        ),
    ],
)
def test_broken_counts_and_places_are_named(cores_per_layer, placement, violations):
    numbers = (np.array(list(some), np.int32) for some in (cores_per_layer, placement))
    found = problem().check(Mapping(*numbers))
    assert found == [Violation(*violation) for violation in violations]


FULL = [1, 2, 1]  # pieces of 4, 2 + 2 and 2 neurons


@pytest.mark.parametrize(
    ("resource", "constraint", "usage"),
    [
        ("neurons", "neurons", [4, 2, 2, 2]),
        # Layer 2: 8 synapses, 4 axons.
        ("synmem_words", "synaptic memory words", [0, 3 + 4, 3 + 4, 3 + 4]),
        ("input_axons", "input axons", [0, 4, 4, 4]),
        ("output_axons", "output axons", [4 * 2, 2, 2, 0]),
    ],
)
def test_exceeded_capacities_are_named(resource, constraint, usage):
    layers = [0, 1, 1, 2]
    for limit in range(max(usage) + 1):
        found = problem(**{resource: limit}).check(LEGAL)
        assert found == [
            Violation(constraint, f"logical core {core} (layer {layers[core]})", value, limit)
            for core, value in enumerate(usage)
            if value > limit
        ]


def test_an_uncut_layer_takes_more_memory_but_no_more_axons():
    uncut = Mapping([1, 1, 1], [0, 1, 2])
    (violation,) = problem(synmem_words=8).check(uncut)
    assert violation == ("synaptic memory words", "logical core 1 (layer 1)", 5 + 4, 8)
    assert problem(input_axons=4, output_axons=4).check(uncut) == []


def test_synapse_and_axon_sizes_are_the_chip_s():
    toy = problem(synapse_bits=64, axon_words=3, synmem_words=0)
    assert [v.value for v in toy.check(LEGAL)] == [8 + 12] * 3


def test_all_kinds_of_violations_are_listed_together():
    toy = problem(neurons=3, input_axons=3)
    found = toy.check(Mapping([1, 2, 1], [0, 0, 1, 99]))
    assert [v.constraint for v in found] == [
        "absent core",
        "logical cores per core",
        "neurons",
        "input axons",
        "input axons",
        "input axons",
    ]


def test_a_second_check_finds_the_same():
    toy = problem(neurons=3)
    assert toy.check(LEGAL) == toy.check(LEGAL) != []
    moved = Mapping(LEGAL.cores_per_layer, [1, 1, 2, 3])
    assert len(toy.check(moved)) == 2
    assert len(toy.check(LEGAL)) == 1


def test_require_names_the_first_violation_in_one_line():
    with pytest.raises(IllegalMappingError) as caught:
        problem(neurons=1).require(LEGAL)
    assert str(caught.value) == (
        "illegal mapping for toy: neurons: logical core 0 (layer 0) has 4, the limit is 1 "
        "(and 3 more)"
    )
    with pytest.raises(IllegalMappingError, match=r"has 4, the limit is 3$"):
        problem(neurons=3).require(LEGAL)


def test_the_reference_mapping_is_the_heuristic_s(toy):
    assert toy.reference_mapping == heuristic(toy, "lava-default/row-major")
    other = Problem("toy", toy.network, toy.activity, toy.chip, reference="balanced/strided")
    assert other.reference_mapping == heuristic(other, "balanced/strided")


def test_traffic_is_kept_per_partitioning(toy):
    counts = np.array([1, 2, 1], np.int32)
    assert toy.traffic(counts) is toy.traffic(counts.copy())
    assert toy.traffic(counts) is not toy.traffic(np.array([2, 1, 1], np.int32))


def test_fits_agrees_with_check(tight):
    for counts in np.ndindex(6, 6, 6):
        cores = np.array(counts, np.int32) + 1
        mapping = Mapping(cores, np.arange(cores.sum()))
        broken = {violation.where[-2] for violation in tight.check(mapping)}
        for layer in range(3):
            assert tight.fits(layer, cores) == (str(layer) not in broken)


def test_a_copy_with_another_chip_has_caches_of_its_own(toy):
    counts = toy.reference_mapping.cores_per_layer
    before = toy.traffic(counts)
    dearer = replace(toy, chip=toy.chip.with_constant("costs.synop_ps", 7000))
    assert dearer.traffic(counts).receive_ps.sum() > before.receive_ps.sum()
    tight = replace(toy, chip=toy.chip.with_constant("capacity.neurons", 1))
    assert toy.check(toy.reference_mapping) == []
    assert tight.check(toy.reference_mapping) != []
