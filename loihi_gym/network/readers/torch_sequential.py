"""PyTorch: `torch.nn.Sequential` of what `steps` knows, or a state dict.

A file is what ``torch.save(model, path)`` or ``torch.save(model.state_dict(), path)`` wrote, or a
checkpoint that holds one of them; see `torch_file`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import NumberArray
from ..foreign import require_size
from .imported import Imported, sample_shape
from .layer_table import LayerTable
from .relu_rounding import relu_network
from .state_dict import plain, read_state
from .steps import Step, relu_layers
from .torch_file import load

if TYPE_CHECKING:
    from torch import nn

SETTINGS = (
    *("stride", "padding", "dilation", "groups", "padding_mode", "kernel_size", "output_size"),
    *("ceil_mode", "count_include_pad", "divisor_override", "eps", "start_dim", "end_dim"),
    *("dim", "unflattened_size"),
)
"""Attributes of modules that `steps` asks for."""


def read(path: Path, inputs: NumberArray | None, table: LayerTable | None = None) -> Imported:
    """Read a PyTorch file; see `read_network`. Needs torch (extra ``train``)."""
    loaded = load(path)
    if isinstance(loaded, dict):
        state = {name: tensor_array(value) for name, value in loaded.items()}
        return read_state(state, inputs, table)
    return read_sequential(loaded, inputs)


def read_sequential(model: "nn.Sequential", inputs: NumberArray | None) -> Imported:
    """A network from a model in memory.

    Args:
        model: Linear, convolutions and what `steps.KINDS` lists, with ReLU between; Sequentials in
            it are taken apart.
        inputs: What the model is given, one sample per time step, (T, ...).

    Raises:
        NetworkImportError: names the module that is not supported, and why.
    """
    layers, notes = relu_layers(_steps(model, ""), sample_shape(inputs))
    return relu_network(layers, inputs).noted(*notes)


def _steps(model: "nn.Sequential", prefix: str) -> Iterator[Step]:
    for name, module in zip(model._modules, model, strict=True):
        kind = type(module).__name__
        if kind == "Sequential":
            yield from _steps(module, f"{prefix}{name}.")  # type: ignore[arg-type]
            continue
        own = (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
        tensors = {key: tensor_array(value) for key, value in own}
        settings = {key: getattr(module, key) for key in SETTINGS if hasattr(module, key)}
        yield Step(f"{prefix}{name}", kind, plain(tensors), settings)


def tensor_array(value: Any) -> Any:
    """A tensor as an array, in float64 if it has fractions; anything else as it is."""
    if not hasattr(value, "detach"):
        return value
    require_size(8 * value.numel())  # strides of 0 make a huge tensor of a few bytes
    tensor = value.detach().cpu()
    return np.asarray((tensor.double() if tensor.is_floating_point() else tensor).numpy())
