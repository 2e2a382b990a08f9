"""Target lists equal what each neuron's synapses say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.mapping.target_lists import NARROW, target_lists
from loihi_gym.network import Activity
from tests.toys import dense_network, examples, toy_network, toy_problem


def slow_lists(network, activity, dense: bool) -> list[tuple[int, int, list[bool], list[int]]]:
    """(Layer, neuron, steps in which it sends, targets) of every sender, one by one."""
    found = []
    for layer, width in enumerate(network.widths):
        for neuron in range(width):
            sends = [bool(step[neuron]) for step in activity.messages[layer]]
            targets: list[int] = []
            if layer < len(network.weights):
                weights = network.weights[layer]
                for post in range(weights.shape[0]):
                    row = weights.indices[weights.indptr[post] : weights.indptr[post + 1]]
                    targets += [post] if dense or neuron in row else []
            if any(sends):
                found.append((layer, neuron, sends, targets))
    return found


def listed(lists) -> list[tuple[int, int, list[bool], list[int]]]:
    layers = np.repeat(np.arange(len(lists.layer_first) - 1), np.diff(lists.layer_first))
    return [
        (
            int(layer),
            int(lists.senders[at]),
            lists.sends[at].tolist(),
            lists.neurons[lists.first[at] : lists.first[at + 1]].tolist(),
        )
        for at, layer in enumerate(layers)
    ]


@examples(25)
@given(
    st.lists(st.integers(1, 80), min_size=2, max_size=4),
    st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    st.integers(1, 3),
    st.integers(0, 99),
    st.booleans(),
)
def test_lists_equal_the_slow_twin(widths, density, steps, seed, dense):
    rng, network = np.random.default_rng(seed), toy_network(tuple(widths), density, seed)
    activity = Activity(tuple(rng.integers(0, 2, (steps, width), np.int32) for width in widths))
    assert listed(target_lists(network, activity, dense)) == slow_lists(network, activity, dense)


@pytest.mark.parametrize("width", [NARROW, NARROW + 1])
def test_numbers_of_neurons_take_as_many_bytes_as_they_need(width):
    network = dense_network(1, width)
    activity = Activity((np.ones((1, 1), np.int32), np.zeros((1, width), np.int32)))
    lists = target_lists(network, activity, dense=False)
    assert lists.neurons.tolist() == list(range(width))
    assert lists.neurons.dtype.itemsize == (2 if width == NARROW else 4)


def test_targets_of_a_step_are_those_of_its_senders():
    problem = toy_problem((30, 70, 20), steps=3)
    for layer in range(2):
        for step in range(3):
            targets = problem.loads.targets(layer, step)
            slow = slow_lists(problem.network, problem.activity, dense=False)
            own = [row for row in slow if row[0] == layer and row[2][step]]
            assert targets.senders.tolist() == [neuron for _, neuron, _, _ in own]
            assert targets.neurons.tolist() == [post for row in own for post in row[3]]
            assert np.diff(targets.first).tolist() == [len(row[3]) for row in own]


def test_weights_of_zero_are_synapses():
    network = toy_network((6, 8), density=1.0)
    network.weights[0].data[:] = 0
    activity = Activity((np.ones((1, 6), np.int32), np.zeros((1, 8), np.int32)))
    assert len(target_lists(network, activity, dense=False).neurons) == 48
