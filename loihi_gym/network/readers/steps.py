"""A network as a list of steps in PyTorch's words: what models, ONNX and layer tables become.

`relu_layers` carries them out, one function for each kind, on the shape of the samples.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...arrays import Float64Array, NamedArrays
from ...errors import NetworkImportError
from ..sparse_mlp import MAX_WEIGHT_BITS
from .float_layers import FloatLayer
from .imported import unsupported
from .linear_chain import LinearChain
from .lowering import Padding, Shape, Sliding, same_padding


@dataclass(frozen=True)
class Step:
    """One module of a network.

    Attributes:
        name: What the file calls it.
        kind: Name of the class of torch.nn that does the same.
        arrays: Its weights by torch's names: ``weight``, ``bias``, ``mask``, ``running_mean``, ...
        settings: Its settings by torch's names: ``stride``, ``padding``, ...; what is missing is as
            torch has it by default.
    """

    name: str
    kind: str
    arrays: NamedArrays = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


PASSED_OVER = ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "Identity")
"""Modules that do nothing once trained."""
LEFT_OUT = ("Softmax", "LogSoftmax")
"""What may end a classifier: the largest output stays the largest."""


def relu_layers(steps: Iterable[Step], shape: Shape) -> tuple[list[FloatLayer], list[str]]:
    """The layers of ReLU neurons that steps make, and notes on what was put together.

    Args:
        steps: In the order in which the signal passes them; ReLU ends a layer, but for the last.
        shape: Shape of a sample.

    Raises:
        NetworkImportError: names the step that cannot be mapped, and why.
    """
    chain, layers, notes, end = LinearChain(shape), list[FloatLayer](), list[str](), ""
    for step in steps:
        if end:
            unsupported(step.name, step.kind, f"it follows {end}, which only the end may be")
        if step.kind in LEFT_OUT:
            end = step.kind
        elif step.kind == "ReLU":
            _close(step, chain, layers, notes)
        elif step.kind not in PASSED_OVER:
            if step.kind not in (*KINDS, *OTHER_KINDS):
                unsupported(step.name, step.kind, f"supported are {', '.join(KINDS)}, ReLU")
            _carry_out(chain, step)
    if chain.names:
        _close(None, chain, layers, notes)
    if end:
        notes.append(f"the {end} at the end is left out: the largest output stays the largest")
    if not layers:
        raise NetworkImportError("it has no Linear layer")
    return layers, notes


def _carry_out(chain: LinearChain, step: Step) -> None:
    try:
        (KINDS | OTHER_KINDS)[step.kind](chain, step)
    except (ValueError, TypeError, KeyError) as error:
        if isinstance(error, NetworkImportError):
            raise
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        unsupported(step.name, step.kind, reason)


def _close(
    step: Step | None, chain: LinearChain, layers: list[FloatLayer], notes: list[str]
) -> None:
    if not chain.names and step is not None:
        unsupported(step.name, step.kind, "it does not follow a Linear or a convolution")
    notes += chain.product_note(len(layers) + 1)
    layers.append(chain.take())


def _linear(chain: LinearChain, step: Step) -> None:
    arrays, bits = step.arrays, step.settings.get("weight_bits", MAX_WEIGHT_BITS)
    bias, mask = arrays.get("bias"), arrays.get("mask")
    chain.linear(step.name, step.kind, arrays["weight"], bias, mask, bits)


def _convolution(chain: LinearChain, step: Step) -> None:
    weight, mask = step.arrays["weight"], step.arrays.get("mask")
    if weight.ndim != _dimensions(step) + 2:
        raise ValueError(f"weights are {weight.shape}")
    if step.settings.get("padding_mode", "zeros") != "zeros":
        raise ValueError(
            f"it pads by {step.settings['padding_mode']!r}; only by zeros is supported"
        )
    window = _window(step, weight.shape[2:])
    groups = int(step.settings.get("groups", 1))
    present = None if mask is None else mask != 0
    bias, bits = step.arrays.get("bias"), step.settings.get("weight_bits", MAX_WEIGHT_BITS)
    chain.convolve(step.name, step.kind, weight, bias, window, groups, present, bits)


def _average(chain: LinearChain, step: Step) -> None:
    settings = step.settings
    if settings.get("ceil_mode", False):
        raise ValueError("ceil_mode is not supported")
    kernel = each_dimension(settings["kernel_size"], _dimensions(step))
    stride = settings.get("stride")
    window = _window(step, kernel, kernel if stride is None else stride)
    divisor = settings.get("divisor_override")
    with_padding = bool(settings.get("count_include_pad", True))
    chain.pool(step.name, step.kind, window, divisor, with_padding)


def _adaptive(chain: LinearChain, step: Step) -> None:
    size = each_dimension(step.settings["output_size"], _dimensions(step))
    spatial = chain.shape[1:]
    if len(spatial) != len(size) or any(n % to for n, to in zip(spatial, size, strict=True)):
        raise ValueError(f"a signal of shape {chain.shape} is no multiple of {size}")
    kernel = tuple(n // to for n, to in zip(spatial, size, strict=True))
    chain.pool(step.name, step.kind, _window(step, kernel, kernel))


def _normalisation(chain: LinearChain, step: Step) -> None:
    arrays = {key: value.astype(np.float64) for key, value in step.arrays.items()}
    if "running_mean" not in arrays or "running_var" not in arrays:
        raise ValueError("it keeps no running mean and variance, so that it depends on the batch")
    mean = arrays["running_mean"]
    one: Float64Array = np.ones_like(mean)
    spread = np.sqrt(arrays["running_var"] + float(step.settings.get("eps", 1e-5)))
    factor = arrays.get("weight", one) / spread
    chain.scale(step.name, step.kind, factor, arrays.get("bias", 0 * one) - mean * factor)


def _scale(chain: LinearChain, step: Step) -> None:
    chain.scale(step.name, step.kind, step.arrays["factor"], step.arrays["offset"])


def _global_average(chain: LinearChain, step: Step) -> None:
    if len(chain.shape) < 2:
        raise ValueError(f"a signal of shape {chain.shape} has no channels")
    kernel = chain.shape[1:]
    chain.pool(step.name, step.kind, _window(step, kernel, kernel))


def _reshape(chain: LinearChain, step: Step) -> None:
    sizes = [int(size) for size in step.settings["shape"]][1:]  # the first is the batch
    sizes = [n if n else chain.shape[at] for at, n in enumerate(sizes)]
    if sizes.count(-1) == 1:
        known = math.prod(n for n in sizes if n > 0)
        sizes[sizes.index(-1)] = chain.width // max(known, 1)
    chain.reshape(step.name, step.kind, tuple(sizes))


def _flatten(chain: LinearChain, step: Step) -> None:
    # torch counts the batch as dimension 0
    first, last = step.settings.get("start_dim", 1), step.settings.get("end_dim", -1)
    if first == 0 or last == 0:
        raise ValueError("it flattens the batch, too")
    chain.flatten(first - 1 if first > 0 else first, last - 1 if last > 0 else last)


def _unflatten(chain: LinearChain, step: Step) -> None:
    dimension, sizes = step.settings["dim"], tuple(map(int, step.settings["unflattened_size"]))
    at = dimension - 1 if dimension > 0 else len(chain.shape) + dimension
    chain.reshape(step.name, step.kind, (*chain.shape[:at], *sizes, *chain.shape[at + 1 :]))


def _dimensions(step: Step) -> int:
    return int(step.kind[-2])


def each_dimension(value: Any, dimensions: int) -> Shape:
    """A setting for each spatial dimension, given once for all or one by one."""
    values = tuple(map(int, np.atleast_1d(np.asarray(value)).tolist()))
    return values * dimensions if len(values) == 1 else values


def _window(step: Step, kernel: Shape, stride: Any = None) -> Sliding:
    dimensions = len(kernel)
    dilation = each_dimension(step.settings.get("dilation", 1), dimensions)
    given = step.settings.get("stride", 1) if stride is None else stride
    padding = padding_of(step.settings.get("padding", 0), kernel, dilation)
    return Sliding(kernel, each_dimension(given, dimensions), padding, dilation)


def padding_of(padding: Any, kernel: Shape, dilation: Shape) -> Padding:
    """Padding before and behind each dimension.

    Args:
        padding: ``"same"``, ``"valid"``, a number, one for each dimension, or pairs of numbers.
        kernel: Number of taps in each dimension.
        dilation: Steps between them.
    """
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"padding {padding!r}")
        return same_padding(kernel, dilation) if padding == "same" else [(0, 0)] * len(kernel)
    pads = np.asarray(padding, np.int64)
    if pads.ndim < 2:
        pads = np.repeat(np.broadcast_to(pads, len(kernel))[:, None], 2, axis=1)
    return [(int(before), int(behind)) for before, behind in pads]


KINDS: dict[str, Callable[[LinearChain, Step], None]] = {
    "Linear": _linear,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "AvgPool1d": _average,
    "AvgPool2d": _average,
    "AdaptiveAvgPool1d": _adaptive,
    "AdaptiveAvgPool2d": _adaptive,
    "BatchNorm1d": _normalisation,
    "BatchNorm2d": _normalisation,
    "Flatten": _flatten,
    "Unflatten": _unflatten,
}
"""What can be put into a layer of synapses, by torch's names."""
OTHER_KINDS: dict[str, Callable[[LinearChain, Step], None]] = {
    "Scale": _scale,
    "GlobalAvgPool": _global_average,
    "Reshape": _reshape,
}
"""What only ONNX has as an operator of its own."""
