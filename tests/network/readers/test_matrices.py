import numpy as np
import pytest

from loihi_gym.errors import NetworkFileError, NetworkImportError
from loihi_gym.mapping import save_problem
from loihi_gym.network import run, save_network
from loihi_gym.network.readers import read_network
from tests.toys import toy_inputs, toy_network, toy_problem


def float_layers(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "weights_1": rng.normal(0, 1, (20, 12)),
        "biases_1": rng.normal(0, 0.5, 20),
        "weights_2": rng.normal(0, 1, (8, 20)),
        "masks_2": rng.random((8, 20)) < 0.5,
    }


def samples(steps: int = 30) -> np.ndarray:
    return np.abs(np.random.default_rng(5).normal(0, 1, (steps, 12)))


def test_our_own_network_files_are_read(tmp_path):
    network = toy_network()
    save_network(tmp_path / "a.npz", network, toy_inputs(network, 5))
    imported = read_network(tmp_path / "a.npz", None)
    assert (imported.inputs == toy_inputs(network, 5)).all()
    assert imported.network.thresholds == network.thresholds
    other = read_network(tmp_path / "a.npz", np.ones((3, 12)))
    assert other.inputs.tolist() == np.ones((3, 12)).tolist()


def test_matrices_become_relu_layers(tmp_path):
    layers = float_layers()
    np.savez(tmp_path / "a.npz", **layers)
    imported = read_network(tmp_path / "a.npz", samples())
    network = imported.network
    assert network.neuron == "relu"
    assert network.weights[1].nnz == layers["masks_2"].sum()
    hidden = np.maximum(samples() @ layers["weights_1"].T + layers["biases_1"], 0)
    out = np.maximum(hidden @ (layers["weights_2"] * layers["masks_2"]).T, 0)
    sent = run(network, imported.inputs)
    # The messages are the float activations in one unit per neuron, a time step later per layer.
    for mine, theirs, delay in ((sent[1], hidden, 1), (sent[2], out, 2)):
        for neuron in np.flatnonzero(theirs[:-delay].any(axis=0)):
            one, other = mine[delay:, neuron], theirs[:-delay, neuron]
            unit = (one @ other) / (other @ other)
            assert np.abs(one - unit * other).max() < 0.02 * np.abs(one).max() + 8
        assert ((mine[delay:] > 0) == (theirs[:-delay] > 0)).mean() > 0.98
        assert np.abs(mine).max() < 2**12
        assert np.abs(mine).max() >= 2**9


def test_a_network_of_zeros_imports(tmp_path):
    np.savez(tmp_path / "a.npz", weights_1=np.zeros((3, 4)))
    network = read_network(tmp_path / "a.npz", np.zeros((5, 4))).network
    assert network.synapses == 0


REFUSED = {
    "no weights": ({"other": np.ones(3)}, "neither a loihi_gym network nor weights_1"),
    "vector": ({"weights_1": np.ones(3)}, "layer 1 (matrix): weights are (3,)"),
    "text": ({"weights_1": np.array([["a"]])}, "layer 1 (matrix): weights"),
    "not a number": ({"weights_1": np.full((3, 12), np.nan)}, "layer 1 (matrix): weights"),
    "chain": ({"weights_1": np.ones((3, 12)), "weights_2": np.ones((2, 4))}, "it takes 4 inputs"),
    "biases": (
        {"weights_1": np.ones((3, 12)), "biases_1": np.ones(2)},
        "biases are (2,)",
    ),
    "masks": (
        {"weights_1": np.ones((3, 12)), "masks_1": np.ones((2, 12))},
        "the mask is (2, 12)",
    ),
    "width": ({"weights_1": np.ones((3, 5))}, "(time steps, 5)"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_supported_is_named(tmp_path, content, message):
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(NetworkImportError) as caught:
        read_network(tmp_path / "a.npz", samples())
    assert message in str(caught.value)


def test_problem_files_and_other_endings_are_refused(tmp_path):
    save_problem(tmp_path / "a.npz", toy_problem())
    with pytest.raises(NetworkImportError, match="is a problem file already"):
        read_network(tmp_path / "a.npz", samples())
    with pytest.raises(NetworkImportError, match=r"ends in none of \.net, \.nir"):
        read_network(tmp_path / "a.tflite", samples())
    with pytest.raises(NetworkFileError, match="No such file"):
        read_network(tmp_path / "b.npz", samples())
    np.savez(tmp_path / "c.npz", weights_1=np.ones((3, 12)))
    with pytest.raises(NetworkImportError, match="--activity"):
        read_network(tmp_path / "c.npz", None)
