"""`torch.nn.Sequential` of Linear and ReLU, with or without pruning masks.

A file is what ``torch.save(model, path)`` or ``torch.save(model.state_dict(), path)`` wrote. It is
read with ``weights_only``, and only torch's own classes of such a model are let through: nothing
in the file is executed. A state dict does not say what is between the Linears: ReLU is assumed.

A synapse is where the mask (``weight_mask`` of torch.nn.utils.prune, or a buffer ``mask``) is not
0; without a mask, where the weight is not 0.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import NumberArray
from ...errors import NetworkFileError, NetworkImportError
from .imported import Imported, check_width, unsupported
from .quantise import FloatLayer, relu_network, synapses

if TYPE_CHECKING:
    from torch import nn

PASSED_OVER = ("Dropout", "Identity")
"""Modules that do nothing once trained."""


def read(path: Path, inputs: NumberArray | None) -> Imported:
    """Read a PyTorch file; see `read_network`. Needs torch (extra ``train``)."""
    loaded = _load(path)
    notes: tuple[str, ...] = ()
    if isinstance(loaded, dict):
        layers, notes = _from_state(path, loaded), ("ReLU is assumed between the layers",)
    else:
        layers = _from_modules(path, loaded)
    if inputs is None:
        raise NetworkImportError(f"{path}: give the input samples by --activity")
    check_width(path, inputs, layers[0].weights.shape[1])
    imported = relu_network(layers, inputs)
    return Imported(imported.network, imported.inputs, (*notes, *imported.notes))


def read_sequential(model: "nn.Sequential", inputs: NumberArray) -> Imported:
    """A network from a model in memory.

    Args:
        model: Linear and ReLU in turn.
        inputs: What the model is given, one sample per time step, (T, inputs).

    Raises:
        NetworkImportError: names the module that is not supported, and why.
    """
    layers = _from_modules("model", model)
    check_width("model", inputs, layers[0].weights.shape[1])
    return relu_network(layers, inputs)


def _load(path: Path) -> Any:
    try:
        import torch
        from torch import nn
        from torch.nn.utils import prune
    except ImportError as error:
        raise NetworkImportError(
            f"{path}: reading PyTorch files needs torch; pip install loihi-gym[train]"
        ) from error
    allowed = [nn.Sequential, nn.Linear, nn.ReLU, nn.Flatten, nn.Dropout, nn.Identity]
    methods = [prune.CustomFromMask, prune.L1Unstructured, prune.RandomUnstructured, prune.Identity]
    try:
        with torch.serialization.safe_globals([*allowed, *methods, set]):
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise NetworkFileError(f"network file {path}: No such file or directory") from error
    except Exception as error:  # UnpicklingError, RuntimeError, EOFError, ...
        name = re.search(r"GLOBAL (\S+)", str(error))
        if name is not None:
            unsupported(path, "?", name[1], "only Linear, ReLU, Flatten and Dropout are read")
        first = str(error).strip().splitlines()[:1]
        raise NetworkFileError(f"network file {path} is not a PyTorch file: {first}") from error
    if not isinstance(loaded, dict | nn.Sequential):
        raise NetworkImportError(f"{path} holds a {type(loaded).__name__}, not a Sequential")
    return loaded


def _from_modules(path: object, model: Any) -> list[FloatLayer]:
    layers: list[FloatLayer] = []
    waiting = False  # a Linear without its ReLU yet
    for name, module in model.named_children():
        kind = type(module).__name__
        if kind in PASSED_OVER or (kind == "Flatten" and not layers):
            continue
        if kind == "ReLU":
            if not waiting:
                unsupported(path, name, kind, "it does not follow a Linear")
            waiting = False
        elif kind == "Linear":
            if waiting:
                unsupported(path, name, kind, "no ReLU is between it and the Linear before it")
            state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
            layers.append(_linear(path, name, state, layers))
            waiting = True
        else:
            unsupported(path, name, kind, "only Linear and ReLU can be mapped")
    if not layers:
        raise NetworkImportError(f"{path} has no Linear layer")
    return layers


def _from_state(path: Path, state: dict[Any, Any]) -> list[FloatLayer]:
    groups: dict[str, dict[str, Any]] = {}
    for key, value in state.items():
        group, _, name = str(key).rpartition(".")
        groups.setdefault(group, {})[name] = value
    layers: list[FloatLayer] = []
    for group, tensors in groups.items():
        weight = tensors.get("weight", tensors.get("weight_orig"))
        if getattr(weight, "ndim", 0) != 2:
            unsupported(path, group, ", ".join(tensors), "only Linear layers can be mapped")
        layers.append(_linear(path, group, tensors, layers))
    if not layers:
        raise NetworkImportError(f"{path} has no Linear layer")
    return layers


def _linear(
    path: object, name: str, tensors: dict[str, Any], layers: list[FloatLayer]
) -> FloatLayer:
    arrays = {key: value.detach().cpu().double().numpy() for key, value in tensors.items()}
    weight = arrays.get("weight", arrays.get("weight_orig"))
    mask = arrays.get("weight_mask", arrays.get("mask"))
    bias = arrays.get("bias", arrays.get("bias_orig"))
    if weight is None or not np.isfinite(weight).all():
        unsupported(path, name, "Linear", "its weights are not finite numbers")
    if "bias_mask" in arrays and bias is not None:
        bias = bias * arrays["bias_mask"]
    if layers and weight.shape[1] != layers[-1].weights.shape[0]:
        unsupported(
            path,
            name,
            "Linear",
            f"it takes {weight.shape[1]} inputs, but the layer before has "
            f"{layers[-1].weights.shape[0]} neurons",
        )
    chosen = synapses(weight, None if mask is None else mask != 0)
    return FloatLayer(chosen, np.zeros(len(weight)) if bias is None else bias)
