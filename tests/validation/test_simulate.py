from dataclasses import replace

import numpy as np
import pytest

from loihi_gym.chip import chip_toml, load_chip, parse_chip
from loihi_gym.errors import ChipFileError
from loihi_gym.mapping import Problem
from loihi_gym.validation import (
    Convolution,
    FigureComparison,
    FigureNetwork,
    SiliconFigure,
    compare_figures,
    load_figures,
    require_known,
)
from loihi_gym.validation.drawn_network import convolution, draw_activity, draw_network
from loihi_gym.validation.simulate import placements
from tests.toys import toy_chip

NETWORK = FigureNetwork(
    name="small",
    shapes=((4,), (2,)),
    connections=(1.0,),
    active=(0.5, 0.0),
    cores=(1, 1),
    message_bits=32,
)
FIGURE = SiliconFigure(
    name="small",
    what="two layers",
    low=0.1,
    high=0.2,
    unit="us per step",
    status="measured",
    chips=1,
    assumed="All.",
    source="here",
    network=NETWORK,
)


def test_a_small_figure_by_hand():
    """Two of four neurons send to the one core of the next layer, which holds two synapses each."""
    chip = load_chip("loihi2")
    update = 2 * (4_200 + 3_000) + 2 * 2_650
    receive = 2 * (2 * 700 + (1 + 1) * 560)  # one word for 40 bits of synapses, one for the axon
    links = 2 * 1_160
    (found,) = compare_figures(chip, [FIGURE], random=2)
    lowest = (max(update, receive, links) + 1_300_000) * 1e-6
    assert found.bound == pytest.approx(lowest)
    assert set(found.simulated) == {"row-major", "strided", "random 1", "random 2"}
    # What the network adds: the last message's way, and its reception.
    for name, step_us in found.simulated.items():
        assert lowest < step_us < lowest + 0.15, name

    (energy,) = compare_figures(chip, [replace(FIGURE, unit="uJ per step")], random=1)
    fixed_fj = 4 * 23_600 + 2 * 81_000 + 4 * 52_000 + 2 * 1_700
    assert energy.bound is None
    # Both cores sit on one router, so no message takes a hop.
    assert energy.row_major == pytest.approx(fixed_fj * 1e-9)


def test_ratios_span_placements_and_both_ends_of_what_was_measured():
    simulated = {"row-major": 6.0, "strided": 3.0, "random 1": 4.0}
    found = FigureComparison(replace(FIGURE, low=2.0, high=3.0), False, simulated)
    assert found.row_major == 6.0
    assert found.scattered == (3.0, 4.0)
    assert found.ratio == (1.0, 3.0)
    upper = FigureComparison(replace(FIGURE, low=None, high=3.0), False, simulated)
    assert upper.ratio == (1.0, None)


def test_exactly_the_stated_part_of_a_layer_sends_in_every_step():
    network = replace(NETWORK, shapes=((100,), (7,)), active=(0.07, 0.5), message_bits=64)
    activity = draw_activity(network, steps=3, seed=1)
    assert [(layer != 0).sum(axis=1).tolist() for layer in activity.messages] == [[7] * 3, [4] * 3]
    assert activity.message_bits == 64
    assert draw_activity(NETWORK, 2, 1).message_bits == 32
    assert not np.array_equal(*activity.messages[0][:2])


def test_densities_are_fan_ins():
    network = draw_network(replace(NETWORK, shapes=((50,), (20,)), connections=(0.1,)), seed=3)
    assert np.diff(network.weights[0].indptr).tolist() == [5] * 20
    assert network.weights[0].has_canonical_format


@pytest.mark.parametrize(
    ("stride", "padding"), [((1, 1), (0, 0)), ((2, 1), (0, 1)), ((1, 2), (1, 1))]
)
def test_a_convolution_reaches_what_its_kernel_covers(stride, padding):
    before = (6, 5, 2)
    how = Convolution((3, 2), stride, padding)
    after = (*how.size(before[:2]), 3)
    matrix = convolution(before, after, how).toarray()
    expected = np.zeros_like(matrix)
    for x, y, channel in np.ndindex(after):
        row = (x * after[1] + y) * after[2] + channel
        for dx, dy, c in np.ndindex(3, 2, before[2]):
            px, py = x * stride[0] - padding[0] + dx, y * stride[1] - padding[1] + dy
            if 0 <= px < before[0] and 0 <= py < before[1]:
                expected[row, (px * before[1] + py) * before[2] + c] = 1
    assert np.array_equal(matrix, expected)


def test_pilotnets_cores_do_the_operations_of_the_published_counters():
    """Read off the counters' figure: operations of each layer's cores, over 20,000 steps."""
    (network,) = (one.network for one in load_figures() if one.name == "pilotnet-lif")
    drawn = draw_network(network, 0)
    counted = {2: 12 * 1.31e9 + 0.44e9, 3: 3 * 1.51e9, 4: 2 * 0.525e9 + 0.46e9, 5: 0.67e9}
    for layer, operations in counted.items():
        synops = network.active[layer - 1] * drawn.weights[layer - 1].nnz
        assert synops == pytest.approx(operations / 20_000, rel=0.03)


def test_a_system_of_chips_lends_as_few_as_hold_the_network():
    chip = toy_chip(chips=(2, 2))  # 16 cores each
    network = replace(NETWORK, shapes=((30,), (30,)), cores=(9, 9))
    problem = Problem("x", draw_network(network, 0), draw_activity(network, 1, 0), chip)
    named = placements(problem, network.cores, random=3, seed=0)
    for name in ("random 1", "random 2", "random 3"):
        assert named[name].placement.max() < 32
    assert len({one.digest for one in named.values()}) == 5
    again = placements(problem, network.cores, random=3, seed=0)
    assert again == named
    for mapping in named.values():
        problem.require(mapping)


def test_what_does_not_fit_says_why_and_the_others_go_on():
    chip = toy_chip()  # 16 cores
    large = replace(FIGURE, name="large", network=replace(NETWORK, name="large", cores=(4, 20)))
    wide = replace(NETWORK, name="wide", shapes=((4,), (5_000,)))
    full = replace(FIGURE, name="full", network=wide)
    found = compare_figures(chip, [large, full, FIGURE], random=1)
    assert found[0].reason == "24 cores are needed, toy has 16"
    assert "neurons" in found[1].reason
    assert not found[0].simulated
    assert not found[1].simulated
    assert found[2].simulated
    assert not found[2].reason


def test_memory_is_left_unchecked_only_where_the_file_says_so():
    chip = toy_chip(constants={"capacity.synmem_words": 1})
    (found,) = compare_figures(chip, [FIGURE], random=1)
    assert "synaptic memory" in found.reason
    unchecked = replace(FIGURE, network=replace(NETWORK, memory_unchecked=True))
    (found,) = compare_figures(chip, [unchecked], random=1)
    assert found.simulated


def test_chips_say_what_they_were_fitted_to(tmp_path):
    chip = load_chip("loihi2")
    assert chip.fitted_to == ("ozu-lif-200", "ozu-lif-600", "ozu-lif-1200")
    assert load_chip("loihi2-12000-words").fitted_to == chip.fitted_to  # by its base
    assert "hala-point-mlp" in load_chip("hala-point").fitted_to
    assert load_chip("loihi2-vendor-minimum").fitted_to == ()
    assert parse_chip(chip_toml(chip), "again").fitted_to == chip.fitted_to
    assert "fitted_to" not in chip_toml(replace(chip, fitted_to=()))
    own = tmp_path / "mine.toml"
    own.write_text('base = "loihi2"\nfitted_to = ["small"]\n')
    assert load_chip(str(own)).fitted_to == ("small",)
    (found,) = compare_figures(load_chip(str(own)), [FIGURE], random=1)
    assert found.fitted
    own.write_text('base = "loihi2"\nfitted_to = "small"\n')
    with pytest.raises(ChipFileError, match="chip mine: fitted_to = 'small' is not a list"):
        load_chip(str(own))


def test_a_chip_fitted_to_no_figure_is_refused(tmp_path):
    chip = replace(load_chip("loihi2"), fitted_to=("small", "smal"))
    with pytest.raises(ChipFileError, match="fitted_to names 'smal', which is no published"):
        require_known(chip, [FIGURE])


@pytest.mark.parametrize("name", ["fitted_to", "other"])
def test_what_a_chip_was_fitted_to_changes_no_digest(name):
    chip = load_chip("loihi2")
    network, activity = draw_network(NETWORK, 0), draw_activity(NETWORK, 1, 0)
    problem = Problem("x", network, activity, chip)
    other = replace(problem, chip=replace(chip, fitted_to=(name,)))
    assert other.digest == problem.digest
