"""ONNX models, built with onnx.helper as PyTorch's and Keras's exporters lay them out."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from loihi_gym.errors import NetworkFileError, NetworkImportError
from loihi_gym.network import run
from loihi_gym.network.readers import read_network

RNG = np.random.default_rng(0)


def model(path, shape, *nodes, constants=(), inputs=("x",), outputs=("y",)):
    """A model whose nodes are (operator, inputs, output, attributes)."""
    made = [
        helper.make_node(kind, names, [out], name=f"{kind}_{out}", **attributes)
        for kind, names, out, attributes in nodes
    ]
    stored = [
        value if isinstance(value, TensorProto) else numpy_helper.from_array(value, name)
        for name, value in dict(constants).items()
    ]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, size) for name in names]
        for names, size in ((inputs, ["N", *shape]), (outputs, None))
    ]
    graph = helper.make_graph(made, "g", *ends, stored)
    whole = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    onnx.save(whole, path)
    return whole


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype(np.float32)


CNN = {
    **{"w1": normal(4, 2, 3, 3), "b1": normal(4), "w2": normal(6, 2, 3, 2)},
    **{"scale": normal(6), "shift": normal(6), "mean": normal(6), "var": np.abs(normal(6)) + 0.5},
    **{"flat": np.array([-1, 96]), "w3": normal(96, 10), "b3": normal(10)},
    **{"w4": normal(5, 10), "b4": normal(5)},
}
CNN_NODES = (
    ("Conv", ["x", "w1", "b1"], "a", {"kernel_shape": [3, 3], "pads": [1, 0, 1, 2]}),
    ("Relu", ["a"], "b", {}),
    ("AveragePool", ["b"], "c", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("Conv", ["c", "w2"], "d", {"group": 2, "dilations": [1, 2], "pads": [1, 1, 1, 1]}),
    ("BatchNormalization", ["d", "scale", "shift", "mean", "var"], "e", {"epsilon": 1e-3}),
    ("Relu", ["e"], "f", {}),
    ("Reshape", ["f", "flat"], "g", {}),
    ("MatMul", ["g", "w3"], "h", {}),
    ("Add", ["h", "b3"], "i", {}),
    ("Relu", ["i"], "j", {}),
    ("Gemm", ["j", "w4", "b4"], "y", {"transB": 1}),
)


def hidden(whole, samples: np.ndarray, names: list[str]) -> list[np.ndarray]:
    """What onnx's own evaluator computes for tensors of a model, (T, values)."""
    whole.graph.output.extend(
        helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in names
    )
    found = ReferenceEvaluator(whole).run(None, {"x": samples})
    return [value.reshape(len(samples), -1) for value in found[1:]]


@pytest.mark.parametrize("flat", [False, True])
def test_a_cnn_sends_what_the_model_computes(tmp_path, flat):
    whole = model(tmp_path / "a.onnx", (2, 8, 8), *CNN_NODES, constants=CNN)
    samples = np.abs(normal(40, 2, 8, 8))
    given = samples.reshape(40, -1) if flat else samples
    imported = read_network(tmp_path / "a.onnx", given)
    assert imported.network.widths == (128, 256, 96, 10, 5)
    sent = run(imported.network, imported.inputs)
    wanted = hidden(whole, samples, ["b", "f", "j", "y"])
    for layer, values in enumerate(wanted, 1):
        mine, theirs = sent[layer][layer:], np.maximum(values[:-layer], 0)
        assert 0.2 < (theirs > 0).mean() < 0.9
        assert ((mine > 0) == (theirs > 0)).mean() > 0.97
        units = (mine * theirs).sum(axis=0) / np.maximum((theirs**2).sum(axis=0), 1e-9)
        assert np.corrcoef(mine.ravel(), (theirs * units).ravel())[0, 1] > 0.995
    assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.995  # outputs have one unit


def test_quantised_weights_keep_their_bits(tmp_path):
    four = helper.make_tensor("w1", TensorProto.INT4, [6, 4], RNG.integers(-7, 8, 24).tolist())
    constants = {
        **{"w1": four, "s1": np.linspace(0.1, 0.6, 6).astype(np.float32)},
        **{"w2": RNG.integers(-128, 128, (3, 6)).astype(np.int8), "s2": np.float32(0.02)},
        **{"z2": np.int8(3), "sx": np.float32(0.1), "zx": np.uint8(0)},
    }
    nodes = (
        ("QuantizeLinear", ["x", "sx", "zx"], "q", {}),
        ("DequantizeLinear", ["q", "sx", "zx"], "p", {}),
        ("DequantizeLinear", ["w1", "s1"], "v1", {"axis": 0}),
        ("Gemm", ["p", "v1"], "a", {"transB": 1}),
        ("Relu", ["a"], "b", {}),
        ("DequantizeLinear", ["w2", "s2", "z2"], "v2", {}),
        ("Gemm", ["b", "v2"], "y", {"transB": 1}),
    )
    model(tmp_path / "a.onnx", (4,), *nodes, constants=constants)
    network = read_network(tmp_path / "a.onnx", np.abs(normal(30, 4))).network
    assert network.weight_bits == (4, 8)
    assert np.abs(network.weights[0].data).max() == 7
    stored = numpy_helper.to_array(four).astype(int)
    rows = network.weights[0].toarray()
    full = np.abs(stored).max(axis=1) == 7
    assert full.any()
    assert (rows[full] == stored[full]).all() or np.abs(rows).max() == 7


SMALL = {"w": normal(3, 4), "v": normal(3, 3)}
GEMM = ("Gemm", ["x", "w"], "a", {"transB": 1})
REFUSED = {
    "max pooling": ([("MaxPool", ["x"], "y", {"kernel_shape": [2]})], "(MaxPool): supported are"),
    "activation": ([GEMM, ("Tanh", ["a"], "y", {})], "layer Tanh_y (Tanh): supported are"),
    "skip": (
        [GEMM, ("Relu", ["a"], "b", {}), ("Add", ["a", "b"], "y", {})],
        "2 operators take 'a', and a chain is read",
    ),
    "branches": (
        [GEMM, ("Relu", ["a"], "y", {}), ("Relu", ["a"], "z", {})],
        "2 operators take 'a', and a chain is read",
    ),
    "lookup": ([("Gather", ["w", "x"], "y", {})], "layer Gather_y (Gather): supported are"),
    "no chain": ([GEMM, ("Relu", ["nowhere"], "y", {})], "the input does not lead to it"),
    "divided": ([("Div", ["w", "x"], "y", {})], "the signal is what is taken off or divided"),
    "weights computed": ([("MatMul", ["w", "x"], "y", {})], "its input 1 is not a constant"),
    "same with strides": (
        [
            (
                "AveragePool",
                ["x"],
                "y",
                {"kernel_shape": [2], "strides": [2], "auto_pad": "SAME_LOWER"},
            )
        ],
        "auto_pad SAME_LOWER",
    ),
    "axis": ([("Flatten", ["x"], "y", {"axis": 0})], "only 1 keeps samples apart"),
    "nothing": ([("Identity", ["x"], "y", {})], "has no Linear layer"),
}


@pytest.mark.parametrize(("nodes", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_supported_is_named(tmp_path, nodes, message):
    model(tmp_path / "a.onnx", (4,), *nodes, constants=SMALL)
    with pytest.raises(NetworkImportError) as caught:
        read_network(tmp_path / "a.onnx", np.ones((9, 4)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_inputs_are_refused(tmp_path):
    model(tmp_path / "a.onnx", (4,), GEMM, constants=SMALL, inputs=("x", "z"))
    with pytest.raises(NetworkImportError, match="it has 2 inputs, not one: x, z"):
        read_network(tmp_path / "a.onnx", np.ones((9, 4)))


def test_weights_in_another_file_are_refused(tmp_path):
    tensor = numpy_helper.from_array(SMALL["w"], "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    model(tmp_path / "a.onnx", (4,), GEMM, constants={"w": tensor})
    with pytest.raises(NetworkImportError, match="w stands in another file"):
        read_network(tmp_path / "a.onnx", np.ones((9, 4)))


def test_a_constant_that_claims_to_be_huge_is_refused(tmp_path):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 20, 1 << 20])
    model(tmp_path / "a.onnx", (4,), GEMM, constants={"w": tensor})
    with pytest.raises(NetworkFileError, match="at most"):
        read_network(tmp_path / "a.onnx", np.ones((9, 4)))


@pytest.mark.parametrize("content", [b"hello", b"\xff" * 50])
def test_a_file_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises((NetworkFileError, NetworkImportError)) as caught:
        read_network(tmp_path / "a.onnx", np.ones((9, 4)))
    assert "\n" not in str(caught.value)
