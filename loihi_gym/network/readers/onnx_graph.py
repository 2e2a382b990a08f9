"""ONNX models: a chain of operators from one input to one output, as `steps`.

Nothing in a file is executed. Weights may be quantised (``DequantizeLinear`` of an initializer, per
tensor or per channel); what quantises activations is passed over.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import NumberArray
from ...errors import NetworkImportError
from ..foreign import file_bytes, require_size
from ..sparse_mlp import MAX_WEIGHT_BITS
from .imported import Imported, needed, sample_shape, unsupported
from .lowering import Shape
from .relu_rounding import relu_network
from .steps import Step, relu_layers

QUANTISERS = ("QuantizeLinear", "DequantizeLinear")


def read(path: Path, inputs: NumberArray | None) -> Imported:
    """Read an ONNX file; see `read_network`. Needs the extra ``import``."""
    onnx = needed("onnx", "ONNX", "import")
    try:
        model = onnx.load_model_from_string(file_bytes(path))
    except Exception as error:  # protobuf's DecodeError
        raise ValueError(f"not an ONNX model: {error}") from error
    graph = _Graph(onnx, model.graph)
    steps = [_step(graph, node) for node in graph.chain()]
    layers, notes = relu_layers(steps, graph.input_shape(sample_shape(inputs)))
    return relu_network(layers, inputs).noted(*notes)


class _Graph:
    """A graph's constants, and its nodes by what they do to the signal.

    Args:
        onnx: The module.
        graph: The GraphProto.

    Attributes:
        bits: Bits of a weight of the constants that were quantised to fewer than 8.
    """

    def __init__(self, onnx: Any, graph: Any) -> None:
        self.onnx, self.graph = onnx, graph
        self.constants = {one.name: self._array(one.name, one) for one in graph.initializer}
        self.bits: dict[str, int] = {}
        self.nodes = [node for node in graph.node if not self._is_constant(node)]

    def attributes(self, node: Any) -> dict[str, Any]:
        """A node's attributes by name."""
        return {one.name: self.onnx.helper.get_attribute_value(one) for one in node.attribute}

    def signals(self, node: Any) -> list[str]:
        """A node's inputs that are no constants."""
        return [name for name in node.input if name and name not in self.constants]

    def constant(self, node: Any, place: int) -> npt.NDArray[Any]:
        """The constant that a node takes at some place.

        Raises:
            NetworkImportError: if there is none.
        """
        name = node.input[place] if place < len(node.input) else ""
        if name not in self.constants:
            unsupported(_named(node), node.op_type, f"its input {place} is not a constant")
        return self.constants[name]

    def chain(self) -> list[Any]:
        """The nodes in the order in which the signal passes them.

        Raises:
            NetworkImportError: names the node at which it is no chain.
        """
        takers = Counter(name for node in self.nodes for name in self.signals(node))
        for node in self.nodes:
            signals = self.signals(node)
            if len(signals) != 1:
                reason = f"it takes {len(signals)} signals; skipping, parallel and recurrent"
                unsupported(_named(node), node.op_type, f"{reason} connections are not supported")
            if takers[signals[0]] > 1:
                reason = f"{takers[signals[0]]} operators take {signals[0]!r}, and a chain is read"
                unsupported(_named(node), node.op_type, reason)
        following = {self.signals(node)[0]: node for node in self.nodes}
        signal, found = self._input().name, list[Any]()
        while signal in following:
            found.append(following.pop(signal))
            signal = found[-1].output[0]
        if following:
            node = next(iter(following.values()))
            unsupported(_named(node), node.op_type, "the input does not lead to it")
        return found

    def input_shape(self, given: Shape) -> Shape:
        """Shape of a sample as the graph states it, or else as the activity has it."""
        sizes = [one.dim_value for one in self._input().type.tensor_type.shape.dim][1:]
        return tuple(sizes) if sizes and all(size > 0 for size in sizes) else given

    def _input(self) -> Any:
        inputs = [one for one in self.graph.input if one.name not in self.constants]
        if len(inputs) != 1:
            names = ", ".join(one.name for one in inputs)
            raise NetworkImportError(f"it has {len(inputs)} inputs, not one: {names}")
        return inputs[0]

    def _is_constant(self, node: Any) -> bool:
        """Whether a node's output is constant, and if so, keep it."""
        if node.op_type == "Constant":
            value = self.attributes(node).get("value")
            if value is None:
                unsupported(_named(node), "Constant", "it holds no tensor")
            self.constants[node.output[0]] = self._array(node.output[0], value)
        elif node.op_type == "DequantizeLinear" and node.input[0] in self.constants:
            self._dequantise(node)
        elif node.op_type == "Identity" and node.input[0] in self.constants:
            self.constants[node.output[0]] = self.constants[node.input[0]]
        else:
            return False
        return True

    def _dequantise(self, node: Any) -> None:
        stored, scale = (self.constant(node, place) for place in (0, 1))
        zero = self.constant(node, 2) if len(node.input) > 2 and node.input[2] else np.zeros(1)
        axis = int(self.attributes(node).get("axis", 1))
        shape = [1] * stored.ndim
        if scale.size > 1:
            shape[axis] = -1
        parts = (part.astype(np.float64).reshape(shape) for part in (scale, zero))
        factor, origin = (np.broadcast_to(part, part.shape) for part in parts)
        self.constants[node.output[0]] = (stored.astype(np.float64) - origin) * factor
        digits = "".join(filter(str.isdigit, stored.dtype.name))
        self.bits[node.output[0]] = min(int(digits or MAX_WEIGHT_BITS), MAX_WEIGHT_BITS)

    def _array(self, name: str, tensor: Any) -> npt.NDArray[Any]:
        if tensor.data_location == self.onnx.TensorProto.EXTERNAL:
            raise NetworkImportError(
                f"{name} stands in another file: save the model with its weights in it"
            )
        require_size(8 * int(np.prod([max(size, 0) for size in tensor.dims], dtype=object)))
        return np.asarray(self.onnx.numpy_helper.to_array(tensor))


def _named(node: Any) -> str:
    return str(node.name or node.output[0])


def _step(graph: _Graph, node: Any) -> Step:
    if node.op_type not in OPERATORS:
        known = ", ".join((*OPERATORS, "Constant"))
        unsupported(_named(node), node.op_type, f"supported are {known}")
    return OPERATORS[node.op_type](graph, node)


def _passed_over(graph: _Graph, node: Any) -> Step:
    return Step(_named(node), "Identity")


def _same(graph: _Graph, node: Any) -> Step:
    return Step(_named(node), {"Relu": "ReLU"}.get(node.op_type, node.op_type))


def _gemm(graph: _Graph, node: Any) -> Step:
    settings = graph.attributes(node)
    if settings.get("transA", 0):
        unsupported(_named(node), "Gemm", "it turns the signal round (transA)")
    weight = graph.constant(node, 1).astype(np.float64) * settings.get("alpha", 1.0)
    arrays = {"weight": weight if settings.get("transB", 0) else weight.T}
    if len(node.input) > 2 and node.input[2]:
        bias = graph.constant(node, 2).astype(np.float64) * settings.get("beta", 1.0)
        arrays["bias"] = np.broadcast_to(bias.reshape(-1), (len(arrays["weight"]),))
    return Step(_named(node), "Linear", arrays, _bits(graph, node))


def _matmul(graph: _Graph, node: Any) -> Step:
    return Step(_named(node), "Linear", {"weight": graph.constant(node, 1).T}, _bits(graph, node))


def _bits(graph: _Graph, node: Any) -> dict[str, int]:
    return {"weight_bits": graph.bits.get(node.input[1], MAX_WEIGHT_BITS)}


def _elementwise(graph: _Graph, node: Any) -> Step:
    place = 1 if node.input[0] not in graph.constants else 0
    value = graph.constant(node, place).astype(np.float64).reshape(-1)
    if place == 0 and node.op_type in ("Sub", "Div"):
        unsupported(_named(node), node.op_type, "the signal is what is taken off or divided by")
    factor, offset = np.ones(len(value)), np.zeros(len(value))
    if node.op_type in ("Add", "Sub"):
        offset = value if node.op_type == "Add" else -value
    else:
        factor = value if node.op_type == "Mul" else 1 / value
    return Step(_named(node), "Scale", {"factor": factor, "offset": offset})


def _convolution(graph: _Graph, node: Any) -> Step:
    settings = graph.attributes(node)
    arrays = {"weight": graph.constant(node, 1)}
    if len(node.input) > 2 and node.input[2]:
        arrays["bias"] = graph.constant(node, 2)
    dimensions = arrays["weight"].ndim - 2
    given = {
        **{"stride": settings.get("strides", 1), "dilation": settings.get("dilations", 1)},
        **{"groups": settings.get("group", 1), "padding": _padding(node, settings, dimensions)},
    }
    return Step(_named(node), f"Conv{dimensions}d", arrays, given | _bits(graph, node))


def _average(graph: _Graph, node: Any) -> Step:
    settings = graph.attributes(node)
    kernel = settings["kernel_shape"]
    given = {
        **{"kernel_size": kernel, "stride": settings.get("strides", 1)},
        **{"padding": _padding(node, settings, len(kernel))},
        "count_include_pad": bool(settings.get("count_include_pad", 0)),
        "ceil_mode": bool(settings.get("ceil_mode", 0)),
    }
    return Step(_named(node), f"AvgPool{len(kernel)}d", {}, given)


def _padding(node: Any, settings: dict[str, Any], dimensions: int) -> Any:
    """Padding as pairs; ONNX gives all first sides, then all second ones."""
    auto = settings.get("auto_pad", b"NOTSET").decode()
    if auto == "VALID":
        return "valid"
    if auto == "SAME_UPPER" and set(settings.get("strides", [1])) == {1}:
        return "same"
    if auto != "NOTSET":
        unsupported(_named(node), node.op_type, f"auto_pad {auto} with strides")
    pads = settings.get("pads", [0] * 2 * dimensions)
    return list(zip(pads[:dimensions], pads[dimensions:], strict=True))


def _global_average(graph: _Graph, node: Any) -> Step:
    return Step(_named(node), "GlobalAvgPool")


def _normalisation(graph: _Graph, node: Any) -> Step:
    names = ("weight", "bias", "running_mean", "running_var")
    arrays = {name: graph.constant(node, place) for place, name in enumerate(names, 1)}
    eps = graph.attributes(node).get("epsilon", 1e-5)
    return Step(_named(node), "BatchNorm2d", arrays, {"eps": eps})


def _flatten(graph: _Graph, node: Any) -> Step:
    axis = graph.attributes(node).get("axis", 1)
    if axis != 1:
        unsupported(_named(node), "Flatten", f"axis {axis}; only 1 keeps samples apart")
    return Step(_named(node), "Flatten")


def _reshape(graph: _Graph, node: Any) -> Step:
    return Step(_named(node), "Reshape", {}, {"shape": graph.constant(node, 1).tolist()})


OPERATORS: dict[str, Callable[[_Graph, Any], Step]] = {
    **{"Gemm": _gemm, "MatMul": _matmul, "Conv": _convolution, "Relu": _same},
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _elementwise),
    **{"AveragePool": _average, "GlobalAveragePool": _global_average},
    **{"BatchNormalization": _normalisation, "Flatten": _flatten, "Reshape": _reshape},
    **dict.fromkeys(("Identity", "Dropout", *QUANTISERS), _passed_over),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _same),
}
"""What becomes a step."""
