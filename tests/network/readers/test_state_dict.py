import numpy as np
import pytest

from loihi_gym.errors import NetworkImportError
from loihi_gym.network.readers.layer_table import LayerTable, read_table
from loihi_gym.network.readers.state_dict import read_state


def state(**shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Random weights (and biases) by layer; ``_`` in a keyword is a dot."""
    rng = np.random.default_rng(0)
    found = {}
    for name, shape in shapes.items():
        key = name.replace("_", ".")
        found[f"{key}.weight"] = rng.normal(0, 1, shape)
        found[f"{key}.bias"] = rng.normal(0, 1, shape[:1])
    return found


def samples(*shape: int) -> np.ndarray:
    return np.abs(np.random.default_rng(1).normal(0, 1, (9, *shape)))


TAKEN = {
    "a Sequential's": (state(**{"0": (8, 5), "2": (8, 8), "10": (3, 8)}), "0, 2, 10"),
    "numbered": (state(fc1=(8, 5), fc2=(8, 8), fc3=(3, 8)), "fc1, fc2, fc3"),
    "numbered, stored otherwise": (state(fc2=(8, 8), fc1=(8, 5), fc3=(3, 8)), "fc1, fc2, fc3"),
    "modules of a list": (state(layers_0=(8, 5), layers_1=(3, 8)), "layers.0, layers.1"),
    "numbers ahead of the end": (
        state(**{"block0_linear": (8, 5), "block1_linear": (5, 8)}),
        "block0.linear, block1.linear",
    ),
    "no width twice": (state(encoder=(4, 5), decoder=(5, 4)), "encoder, decoder"),
    "numbered, then another": (state(fc1=(8, 5), fc2=(7, 8), head=(3, 7)), "fc1, fc2, head"),
}


@pytest.mark.parametrize(("given", "order"), TAKEN.values(), ids=TAKEN.keys())
def test_the_order_taken_is_printed(given, order):
    imported = read_state(given, samples(5), None)
    assert imported.notes[0] == f"ReLU is assumed between the layers, in the order {order}"


EMBEDDED = {"words.weight": np.ones((50, 8)), **state(fc=(3, 8))}
REFUSED = {
    "parallel": (
        state(q=(16, 16), k=(16, 16), out=(4, 16)),
        "layers q, k, out each take 16 inputs",
    ),
    "two heads": (state(fc1=(8, 5), policy=(3, 8), value=(1, 8)), "policy, value each take 8"),
    "skip to the head": (state(fc1=(8, 8), fc2=(8, 8), head=(3, 8)), "fc1, fc2, head each take 8"),
    "embedding": (state(tok_emb=(50, 8), fc=(3, 8)), "layer tok.emb (Embedding)"),
    "embedding by its shape": (EMBEDDED, "words, fc each take 8 inputs"),
    "normalisation": (
        {**state(fc1=(8, 5), fc3=(3, 8)), "fc2.running_mean": np.ones(8)},
        "layer fc2 (BatchNorm): a state dict does not say",
    ),
    "convolution": (state(conv=(2, 1, 3, 3), fc=(3, 8)), "layer conv (Conv2d): a state dict"),
    "recurrent": ({"rnn.weight_ih_l0": np.ones((8, 5))}, "layer rnn (weight_ih_l0): only Linear"),
    "broken": (state(fc1=(8, 5), fc2=(3, 7)), "it takes 7 inputs, but fc1 before it has 8"),
    "nothing": ({}, "has no Linear"),
}


@pytest.mark.parametrize(("given", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_may_be_no_chain_is_refused_by_name(given, message):
    with pytest.raises(NetworkImportError) as caught:
        read_state(given, samples(5), None)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


TABLE = """
input = [1, 6, 6]

[[layers]]
kind = "Conv2d"
name = "conv"
stride = 2
padding = 1

[[layers]]
kind = "BatchNorm2d"
name = "bn"

[[layers]]
kind = "ReLU"

[[layers]]
kind = "AvgPool2d"
kernel_size = 3

[[layers]]
kind = "Flatten"

[[layers]]
kind = "Linear"
name = "fc"
"""


def cnn() -> dict[str, np.ndarray]:
    return {
        **state(fc=(3, 4), conv=(4, 1, 3, 3)),
        "bn.running_mean": np.arange(4.0),
        "bn.running_var": np.ones(4),
        "bn.num_batches_tracked": np.array(3),
    }


def test_a_layer_table_says_what_a_state_dict_does_not(tmp_path):
    (tmp_path / "a.toml").write_text(TABLE)
    table = read_table(tmp_path / "a.toml")
    imported = read_state(cnn(), samples(36), table)
    assert imported.network.widths == (36, 36, 3)
    assert "layer 1 is the product of conv (Conv2d), bn (BatchNorm2d)" in imported.notes[0]
    shaped = LayerTable(table.layers)
    again = read_state(cnn(), samples(36).reshape(9, 1, 6, 6), shaped).network
    assert (again.weights[0] != imported.network.weights[0]).nnz == 0


MALFORMED = {
    "no table": ("nothing", "is not a valid layer table"),
    "no layers": ("input = [3]", "needs tables [[layers]]"),
    "other keys": ("layer = []\nlayers = []", "needs tables [[layers]]"),
    "unknown kind": ('[[layers]]\nkind = "MaxPool2d"', "layer 1 (MaxPool2d): supported are"),
    "no name": ('[[layers]]\nkind = "Linear"', "layer 1 (Linear): it needs the name"),
    "wrong input": ("input = [0]\n[[layers]]\nkind = 'ReLU'", "not a list of sizes"),
    "another name": (TABLE.replace('"fc"', '"fd"'), "layer fd (Linear): the file has no such"),
    "left out": (TABLE.partition('[[layers]]\nkind = "Linear"')[0], "leaves out fc of the file"),
    "does not fit": (TABLE.replace("[1, 6, 6]", "[2, 6, 6]"), "layer conv (Conv2d): weights"),
    "wrong sizes": (TABLE.replace("kernel_size = 3", "kernel_size = 9"), "does not fit on (3, 3)"),
}


@pytest.mark.parametrize(("text", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_layer_table_that_is_wrong_is_refused(tmp_path, text, message):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(NetworkImportError) as caught:
        read_state(cnn(), samples(36), read_table(tmp_path / "a.toml"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
