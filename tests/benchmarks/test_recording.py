import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.benchmarks import recording
from loihi_gym.benchmarks.recording import recorded
from loihi_gym.errors import NetworkImportError
from loihi_gym.network import run
from tests.toys import examples, toy_inputs, toy_network

NEURONS = st.sampled_from(["relu", "sigma-delta", "lif"])


def sent_in(messages: list[np.ndarray], first: int, steps: int) -> int:
    return sum(int(np.count_nonzero(layer[first : first + steps])) for layer in messages)


@given(NEURONS, st.integers(0, 9), st.integers(1, 6), st.integers(0, 20))
@examples(40)
def test_the_window_is_that_of_median_activity(neuron, seed, steps, spare):
    network = toy_network((12, 16, 10), seed=seed, neuron=neuron)
    inputs = toy_inputs(network, 2 + steps + spare, seed)
    inputs[spare // 2 :: 3] = 0
    found = recorded(network, inputs, steps)
    messages = run(network, inputs)
    for layer, window in zip(messages, found.activity.messages, strict=True):
        assert (window == layer[found.first : found.first + steps]).all()
    last = 1 if neuron == "lif" else 0
    heard = [
        first
        for first in range(2, len(inputs) - steps + 1)
        if all(layer[first : first + steps].any() for layer in messages[: 2 + last])
    ]
    sums = sorted(sent_in(messages, f, steps) for f in heard or range(2, len(inputs) - steps + 1))
    assert sent_in(messages, found.first, steps) == sums[(len(sums) - 1) // 2]


@given(NEURONS, st.integers(0, 9), st.integers(2, 8))
@examples(30)
def test_the_samples_kept_lead_to_the_window(neuron, seed, first):
    network = toy_network((12, 16, 10), seed=seed, neuron=neuron)
    inputs = toy_inputs(network, 12, seed)
    found = recorded(network, inputs, 3, first)
    assert (found.first, found.of) == (first, 12)
    again = run(network, found.inputs)
    whole = run(network, inputs)
    for layer, once, window in zip(whole, again, found.activity.messages, strict=True):
        assert (once[-3:] == window).all()
        assert (layer[first : first + 3] == window).all()


def test_a_network_without_memory_is_run_on_its_last_samples(monkeypatch):
    network = toy_network()
    inputs = toy_inputs(network, 100)
    monkeypatch.setattr(recording, "MOST_WORK", 10 * network.synapses)
    found = recorded(network, inputs, 4)
    assert found.first >= 92
    assert found.of == 100
    assert len(recorded(toy_network(neuron="lif"), inputs, 4, 50).inputs) == 54


@pytest.mark.parametrize("first", [0, 1, 9])
def test_a_window_outside_of_the_run_is_refused(first):
    network = toy_network()
    with pytest.raises(NetworkImportError, match=r"from step 2, .* to step 8"):
        recorded(network, toy_inputs(network, 10), 2, first)
