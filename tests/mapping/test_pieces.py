from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.chip import load_chip
from loihi_gym.mapping.pieces import Pieces, bounds
from tests.toys import built, examples, problem_of, toy_chip, toy_network

WIDTHS = (9, 7, 11)


def dense_mask(network, layer: int) -> np.ndarray:
    """1 where a synapse is, whatever its weight, (n_post, n_pre)."""
    weights = network.weights[layer - 1]
    mask = np.zeros(weights.shape, int)
    for row in range(weights.shape[0]):
        for at in range(weights.indptr[row], weights.indptr[row + 1]):
            mask[row, weights.indices[at]] = 1
    return mask


def slices(neurons: int, k: int) -> list[slice]:
    cut = bounds(neurons, k).tolist()
    return [slice(start, stop) for start, stop in pairwise(cut)]


@pytest.fixture(params=[0.1, 0.5, 1.0])
def pieces(request) -> Pieces:
    return Pieces(toy_network(WIDTHS, density=request.param), load_chip("loihi2-16"))


@examples(200)
@given(st.integers(1, 5000), st.data())
def test_pieces_are_contiguous_and_balanced(neurons, data):
    k = data.draw(st.integers(1, neurons))
    cut = bounds(neurons, k)
    assert (cut[0], cut[-1], len(cut)) == (0, neurons, k + 1)
    sizes = np.diff(cut)
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("layer", [1, 2])
def test_input_axons_and_memory_equal_a_dense_count(pieces, layer):
    mask = dense_mask(pieces.network, layer)
    for k in range(1, WIDTHS[layer] + 1):
        parts = [mask[piece] for piece in slices(WIDTHS[layer], k)]
        axons = [int(part.any(axis=0).sum()) for part in parts]
        words = [-(-int(part.sum()) * 20 // 64) for part in parts]
        assert pieces.neurons(layer, k).tolist() == [len(part) for part in parts]
        assert pieces.synapses(layer, k).tolist() == [int(part.sum()) for part in parts]
        assert pieces.input_axons(layer, k).tolist() == axons
        expected = [w + a for w, a in zip(words, axons, strict=True)]
        assert pieces.synmem_words(layer, k).tolist() == expected


@pytest.mark.parametrize("layer", [0, 1])
def test_output_axons_equal_a_brute_force(pieces, layer):
    mask = dense_mask(pieces.network, layer + 1)
    for k in range(1, WIDTHS[layer] + 1):
        for fan_out in range(1, WIDTHS[layer + 1] + 1):
            targets = slices(WIDTHS[layer + 1], fan_out)
            expected = [
                sum(
                    any(mask[post, pre] for post in range(target.start, target.stop))
                    for pre in range(piece.start, piece.stop)
                    for target in targets
                )
                for piece in slices(WIDTHS[layer], k)
            ]
            assert pieces.output_axons(layer, k, fan_out).tolist() == expected


def test_the_ends_of_the_network_take_no_axons(pieces):
    assert pieces.input_axons(0, 3).tolist() == pieces.synapses(0, 3).tolist() == [0, 0, 0]
    assert pieces.synmem_words(0, 3).tolist() == [0, 0, 0]
    assert pieces.output_axons(2, 4, 0).tolist() == [0, 0, 0, 0]


def test_counts_are_kept(pieces):
    assert pieces.axons(1, 3) is pieces.axons(1, 3)


@examples(60)
@given(
    st.integers(0, 30),
    st.sampled_from([0.1, 0.5, 1.0]),
    st.sampled_from(["sparse", "dense"]),
    st.fixed_dictionaries(
        {},
        optional={
            "neurons": st.integers(0, 12),
            "synmem_words": st.integers(0, 40),
            "input_axons": st.integers(0, 12),
            "output_axons": st.integers(0, 30),
            "axon_words": st.integers(0, 3),
        },
    ),
)
def test_what_fits_is_what_the_counts_say(seed, density, rows, limits):
    chip = toy_chip(constants={f"capacity.{name}": limit for name, limit in limits.items()})
    problem = problem_of(toy_network(WIDTHS, density, seed), built(chip, rows=rows))
    for layer in range(3):
        for k in range(1, WIDTHS[layer] + 1):
            for fan_out in (0, 1, 4, 7) if layer < 2 else (0,):
                usage = problem.usage(layer, k, fan_out)
                slow = all((values <= limit).all() for _, limit, values in usage)
                assert problem.holds(layer, k, fan_out) == slow, (layer, k, fan_out)
