import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from loihi_gym.network import SparseMLP, classify, run
from tests.toys import dense_network, examples, toy_inputs, toy_network


def single(weight: int, exponent: int = 0, threshold: int = 0, neuron="relu") -> SparseMLP:
    """One neuron with one input."""
    weights = csr_array(([weight], [0], [0, 1]), shape=(1, 1), dtype=np.int8)
    return SparseMLP((weights,), (exponent,), (threshold,), neuron)


def outputs(network: SparseMLP, *inputs: int) -> list[int]:
    return run(network, np.array(inputs).reshape(-1, 1))[-1][:, 0].tolist()


def slow_run(network: SparseMLP, inputs: list[list[int]]) -> list[list[list[int]]]:
    """Step by step, neuron by neuron, in Python's unbounded integers: [layer][step][neuron]."""
    dense = [weights.toarray().tolist() for weights in network.weights]
    widths, delta = network.widths, network.neuron == "sigma-delta"
    state = [[0] * width for width in widths]  # sum of what arrived
    known = [[0] * width for width in widths]  # what the receivers believe, for sigma-delta
    voltage = [[0] * width for width in widths]  # for lif, whose current is `state`
    sent = [[] for _ in widths]

    def lif(layer: int, neuron: int, arriving: int, bias: int) -> int:
        decays = network.decays[layer - 1]
        left = [
            int(math.copysign(abs(x) * (4096 - decay) // 4096, x))
            for x, decay in zip((state[layer][neuron], voltage[layer][neuron]), decays, strict=True)
        ]
        state[layer][neuron] = left[0] + 64 * arriving
        now = max(-(2**23) + 1, min(2**23 - 1, left[1] + state[layer][neuron] + bias))
        spike = now > 64 * network.thresholds[layer - 1]
        voltage[layer][neuron] = 0 if spike else now
        return int(spike)

    def send(layer: int, neuron: int, value: int, threshold: int) -> int:
        if not delta:
            return value if layer == 0 or value > threshold else 0
        change = value - known[layer][neuron]
        if abs(change) < threshold:
            return 0
        known[layer][neuron] += change
        return change

    for step, values in enumerate(inputs):
        sent[0].append([send(0, i, value, 1) for i, value in enumerate(values)])
        for layer in range(1, len(widths)):
            messages = []
            for neuron in range(widths[layer]):
                arriving = 0
                if step > 0:
                    before = sent[layer - 1][step - 1]
                    for i, message in enumerate(before):
                        arriving += dense[layer - 1][neuron][i] * message
                exponent = network.exponents[layer - 1]
                arriving = arriving * 2**exponent if exponent > 0 else arriving // 2**-exponent
                bias = int(network.biases[layer - 1][neuron]) if network.biases else 0
                if network.neuron == "lif":
                    messages.append(lif(layer, neuron, arriving, bias))
                    continue
                state[layer][neuron] = arriving + (state[layer][neuron] if delta else 0)
                value = state[layer][neuron] + bias
                value = max(value, 0) if delta else value
                messages.append(send(layer, neuron, value, network.thresholds[layer - 1]))
            sent[layer].append(messages)
    return sent


@st.composite
def networks(draw) -> SparseMLP:
    widths = tuple(draw(st.lists(st.integers(1, 6), min_size=2, max_size=4)))
    depth = len(widths) - 1
    return toy_network(
        widths,
        density=draw(st.sampled_from([0.3, 1.0])),
        seed=draw(st.integers(0, 1000)),
        neuron=draw(st.sampled_from(["relu", "sigma-delta", "lif"])),
        bias=draw(st.sampled_from([0, 50])),
        exponents=tuple(draw(st.lists(st.integers(-6, 1), min_size=depth, max_size=depth))),
        thresholds=tuple(draw(st.lists(st.integers(0, 30), min_size=depth, max_size=depth))),
    )


@examples(150)
@given(networks(), st.integers(0, 1000))
def test_run_equals_its_slow_twin(network, seed):
    inputs = toy_inputs(network, 6, seed) // 8
    expected = slow_run(network, inputs.tolist())
    assert [layer.tolist() for layer in run(network, inputs)] == expected


def test_a_layer_takes_one_step():
    network = SparseMLP(dense_network(1, 1, 1, 1).weights, (0, 0, 0), (0, 0, 0))
    messages = run(network, np.array([[5], [0], [7], [0], [0]]))
    assert [layer[:, 0].tolist() for layer in messages] == [
        [5, 0, 7, 0, 0],
        [0, 5, 0, 7, 0],
        [0, 0, 5, 0, 7],
        [0, 0, 0, 5, 0],
    ]


def test_a_negative_exponent_rounds_down():
    assert outputs(single(1, exponent=-1, neuron="sigma-delta"), 8, 3, 3, 3) == [0, 4, -3, 0]
    assert outputs(single(-1, exponent=-2, neuron="sigma-delta"), -9, -8, -8) == [0, 2, -1]


def test_relu_sends_what_exceeds_the_threshold():
    assert outputs(single(1, threshold=3), 3, 4, -4, 0, 0) == [0, 0, 4, 0, 0]


def test_sigma_delta_sends_changes_that_reach_the_threshold():
    assert outputs(single(1, threshold=3, neuron="sigma-delta"), 2, 4, 6, 6, 4, 3, 3) == [
        *(0, 0),  # 2 is held back
        *(4, 0),  # 4 is sent; 6 differs from it by 2
        *(0, 0),
        0,
    ]


def test_sigma_delta_holds_back_without_forgetting():
    inputs = np.arange(1, 12).reshape(-1, 1)
    network = single(1, threshold=4, neuron="sigma-delta")
    first, second = run(network, inputs)
    assert first[:, 0].tolist() == [1] * 11
    assert second[:, 0].tolist() == [0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0]


def test_every_layer_starts_from_rest():
    network = toy_network()
    inputs = toy_inputs(network, 4)
    for one, other in zip(run(network, inputs), run(network, inputs), strict=True):
        assert one.dtype == np.int32
        assert (one == other).all()


@pytest.mark.parametrize("neuron", ["relu", "sigma-delta"])
def test_a_state_of_more_than_24_bits_is_refused(neuron):
    top = (1 << 23) - 1
    assert outputs(single(1, neuron=neuron), top, top)[1] == top
    with pytest.raises(OverflowError, match="layer 1: a neuron reaches 8388608, beyond 24 bits"):
        run(single(1, neuron=neuron), np.array([[top + 1], [0]]))


def test_a_negative_state_of_more_than_24_bits_is_refused():
    with pytest.raises(OverflowError, match="layer 1: a neuron reaches 8388609"):
        run(single(-1), np.array([[(1 << 23) + 1], [0]]))


@pytest.mark.parametrize("exponent", [22, 40, 63, 64, 200])
def test_an_exponent_that_overflows_is_refused(exponent):
    with pytest.raises(OverflowError, match="layer 1"):
        run(single(4, exponent=exponent), np.array([[4], [0]]))


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 6), (3, 5, 1)])
def test_inputs_of_a_wrong_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"not \(steps, 5\)"):
        run(toy_network((5, 4)), np.ones(shape, np.int64))


def test_no_steps_give_no_messages():
    assert [layer.shape for layer in run(toy_network((5, 4)), np.ones((0, 5), int))] == [
        (0, 5),
        (0, 4),
    ]


@examples(50)
@given(st.integers(0, 1000))
def test_classify_is_the_pipeline_without_its_delay(seed):
    network = toy_network((8, 10, 6), density=1.0, seed=seed)
    sample = toy_inputs(network, 1, seed)
    held = run(network, np.repeat(sample, 3, axis=0))[-1][-1]
    best = int(classify(network, sample)[0])
    if held.max() > 0:  # else all outputs are silent, and classify goes by their states
        assert best == held.argmax()
    assert 0 <= best < 6


def test_classify_takes_the_first_among_equals():
    assert classify(dense_network(3, 4), np.array([[1, 2, 3], [0, 0, 0]])).tolist() == [0, 0]


def test_classify_goes_by_the_state_of_a_silent_output():
    weights = csr_array(np.array([[-3], [-1], [-2]], np.int8))
    network = SparseMLP((weights,), (0,), (0,))
    assert classify(network, np.array([[5]])).tolist() == [1]
