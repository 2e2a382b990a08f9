import numpy as np
import pytest
from scipy.sparse import csr_array

from loihi_gym.network import SparseMLP
from tests.toys import dense_network, toy_network


def test_sizes():
    network = dense_network(4, 3, 2)
    assert network.widths == (4, 3, 2)
    assert network.synapses == 4 * 3 + 3 * 2
    assert network.densities == (1.0, 1.0)


def test_a_synapse_of_weight_zero_counts():
    weights = csr_array((np.zeros(2, np.int8), [0, 2], [0, 2]), shape=(1, 4))
    network = SparseMLP((weights,), (0,), (0,))
    assert network.synapses == 2
    assert network.densities == (0.5,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neuron": "izhikevich"}, "neuron kind 'izhikevich' is none of"),
        ({"neuron": "lif"}, "decays of 0 layers for lif neurons"),
        ({"decays": ((0, 0), (0, 0))}, "decays of 2 layers for relu neurons"),
        ({"neuron": "lif", "decays": ((0, 0), (0, 4097))}, r"layer 2: decays \(0, 4097\)"),
        ({"biases": (np.zeros(1, np.int32),)}, "biases of 1 layers for 2"),
        ({"biases": (np.zeros(1, np.int32),) * 2}, r"layer 1: biases are int32 \(1,\)"),
        ({"weights": (), "exponents": (), "thresholds": ()}, "at least one weight matrix"),
        ({"exponents": (0,)}, "differ in number of layers"),
        ({"thresholds": (0, 0, 0)}, "differ in number of layers"),
        ({"thresholds": (0, -1)}, "layer 2: threshold -1 < 0"),
    ],
)
def test_a_contradictory_network_is_refused(change, message):
    good = toy_network((4, 3, 2))
    parts = {
        "weights": good.weights,
        "exponents": good.exponents,
        "thresholds": good.thresholds,
        "neuron": good.neuron,
    }
    with pytest.raises(ValueError, match=message):
        SparseMLP(**{**parts, **change})


def test_layers_have_to_follow_on_each_other():
    first, second = dense_network(4, 3).weights[0], dense_network(5, 2).weights[0]
    with pytest.raises(ValueError, match="layer 2: 5 inputs, but layer 1 has 3 neurons"):
        SparseMLP((first, second), (0, 0), (0, 0))


def test_weights_have_to_be_int8():
    weights = csr_array(np.ones((2, 4), np.int16))
    with pytest.raises(ValueError, match="layer 1: weights are int16, not int8"):
        SparseMLP((weights,), (0,), (0,))
