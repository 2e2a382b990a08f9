"""`torch.nn.Sequential` of Linear and ReLU, with or without pruning masks.

A file is what ``torch.save(model, path)`` or ``torch.save(model.state_dict(), path)`` wrote. It is
read with ``weights_only``, and only torch's own classes of such a model are let through: nothing
in the file is executed. A state dict does not say what is between the Linears: ReLU is assumed.

A synapse is where the mask (``weight_mask`` of torch.nn.utils.prune, or a buffer ``mask``) is not
0; without a mask, where the weight is not 0.
"""

import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...arrays import NumberArray
from ...errors import NetworkImportError
from ..foreign import require_file, require_size
from .imported import Imported, needed, unsupported
from .quantise import FloatLayer, float_layer, relu_network

if TYPE_CHECKING:
    from torch import nn

PASSED_OVER = ("Dropout", "Identity")
"""Modules that do nothing once trained."""


def read(path: Path, inputs: NumberArray | None) -> Imported:
    """Read a PyTorch file; see `read_network`. Needs torch (extra ``train``)."""
    loaded = _load(path)
    if not isinstance(loaded, dict):
        return read_sequential(loaded, inputs)
    imported = _read_state(loaded, inputs)
    return replace(imported, notes=("ReLU is assumed between the layers", *imported.notes))


def read_sequential(model: "nn.Sequential", inputs: NumberArray | None) -> Imported:
    """A network from a model in memory.

    Args:
        model: Linear and ReLU in turn.
        inputs: What the model is given, one sample per time step, (T, inputs).

    Raises:
        NetworkImportError: names the module that is not supported, and why.
    """
    state: dict[str, Any] = {}
    waiting = False  # a Linear without its ReLU yet
    for name, module in zip(model._modules, model, strict=True):
        kind = type(module).__name__
        if kind in PASSED_OVER or (kind == "Flatten" and not state):
            continue
        if kind not in ("Linear", "ReLU"):
            unsupported(name, kind, "only Linear and ReLU can be mapped")
        if kind == "ReLU" and not waiting:
            unsupported(name, kind, "it does not follow a Linear")
        if kind == "Linear" and waiting:
            unsupported(name, kind, "no ReLU is between it and the Linear before it")
        own = (*module.named_parameters(), *module.named_buffers())
        state |= {f"{name}.{key}": value for key, value in own}
        waiting = kind == "Linear"
    return _read_state(state, inputs)


def _load(path: Path) -> Any:
    torch = needed("torch", "PyTorch", "train")
    from torch.nn.utils import prune  # torch does not import it by itself

    nn = torch.nn
    require_file(path)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            require_size(sum(entry.file_size for entry in archive.infolist()))
    allowed = [nn.Sequential, nn.Linear, nn.ReLU, nn.Flatten, nn.Dropout, nn.Identity]
    methods = [prune.CustomFromMask, prune.L1Unstructured, prune.RandomUnstructured, prune.Identity]
    try:
        with torch.serialization.safe_globals([*allowed, *methods, set]):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # UnpicklingError, RuntimeError, EOFError, ...
        name = re.search(r"GLOBAL (\S+)", str(error))
        if name is not None:
            unsupported("?", name[1], "only Linear, ReLU, Flatten and Dropout are read")
        first = str(error).strip().splitlines()[:1]
        raise ValueError(f"not a PyTorch file: {''.join(first)}") from error
    if not isinstance(loaded, dict | nn.Sequential):
        raise NetworkImportError(f"it holds a {type(loaded).__name__}, not a Sequential")
    return loaded


def _read_state(state: dict[Any, Any], inputs: NumberArray | None) -> Imported:
    groups: dict[str, dict[str, Any]] = {}
    for key, value in state.items():
        group, _, name = str(key).rpartition(".")
        groups.setdefault(group, {})[name] = value
    layers: list[FloatLayer] = []
    for group, tensors in groups.items():
        weight = tensors.get("weight", tensors.get("weight_orig"))
        if getattr(weight, "ndim", 0) != 2:
            unsupported(group, ", ".join(tensors), "only Linear layers can be mapped")
        layers.append(_linear(group, tensors, layers))
    if not layers:
        raise NetworkImportError("it has no Linear layer")
    return relu_network(layers, inputs)


def _linear(name: str, tensors: dict[str, Any], layers: list[FloatLayer]) -> FloatLayer:
    for value in tensors.values():
        require_size(8 * value.numel())  # strides of 0 make a huge tensor of a few bytes
    arrays = {key: value.detach().cpu().double().numpy() for key, value in tensors.items()}
    bias = arrays.get("bias", arrays.get("bias_orig"))
    if "bias_mask" in arrays and bias is not None:
        bias = bias * arrays["bias_mask"]
    weight = arrays.get("weight", arrays.get("weight_orig"))
    mask = arrays.get("weight_mask", arrays.get("mask"))
    return float_layer(name, "Linear", weight, bias, mask, layers)
