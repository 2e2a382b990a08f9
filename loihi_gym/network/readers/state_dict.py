"""State dicts: weights by name; in which order, and with what between them, they do not say.

A chain is taken only if it is the one that the file allows: its layers are numbered (``0.weight``,
``2.weight``; ``fc1``, ``fc2``), or no two of them take inputs of the same width, so that each can
only follow the one whose outputs it takes. Anything else needs a layer table (`layer_table`).
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from ...arrays import NamedArrays, NumberArray
from ...errors import NetworkImportError
from .imported import Imported, sample_shape, unsupported
from .layer_table import LayerTable
from .relu_rounding import relu_network
from .steps import Step, relu_layers

NO_ORDER = "a state dict does not say how its layers are connected"
WAY_OUT = "save the model as a Sequential, export it as ONNX, or name the layers by --layers"
EMBEDDING = re.compile(r"(?i)(^|[._])(emb|embed|embeddings?|lookup|wte|wpe|tok|token)([._0-9]|$)")

Layers = dict[str, NamedArrays]
"""The arrays of each layer by its name, in the file's order."""


def read_state(
    state: Mapping[Any, Any], inputs: NumberArray | None, table: LayerTable | None
) -> Imported:
    """A network of a state dict's arrays; see `read_network`."""
    layers = grouped(state)
    if table is not None:
        shape = sample_shape(inputs) if table.shape is None else table.shape
        found, notes = relu_layers(table.steps(layers), shape)
        return relu_network(found, inputs).noted(*notes)
    order = chain(layers)
    steps = [
        step for name in order for step in (Step(name, "Linear", layers[name]), Step("", "ReLU"))
    ]
    found, notes = relu_layers(steps, (layers[order[0]]["weight"].shape[1],))
    assumed = f"ReLU is assumed between the layers, in the order {', '.join(map(_shown, order))}"
    return relu_network(found, inputs).noted(assumed, *notes)


def grouped(state: Mapping[Any, Any]) -> Layers:
    """The arrays of each layer of a state dict, by torch's names, masks applied to biases."""
    groups: dict[str, dict[str, Any]] = {}
    for key, value in state.items():
        group, _, name = str(key).rpartition(".")
        groups.setdefault(group, {})[name] = value
    return {name: plain(tensors) for name, tensors in groups.items()}


def plain(tensors: Mapping[str, Any]) -> NamedArrays:
    """A module's tensors with pruning undone: ``weight_orig`` and ``weight_mask`` as two arrays."""
    found = {key: value for key, value in tensors.items() if isinstance(value, np.ndarray)}
    if len(found) < len(tensors):
        odd = next(key for key in tensors if key not in found)
        raise NetworkImportError(f"{odd!r} holds a {type(tensors[odd]).__name__}, not numbers")
    for key, kept in (("weight", "mask"), ("bias", "bias_mask")):
        if f"{key}_orig" in found:
            found[key] = found.pop(f"{key}_orig")
        if f"{key}_mask" in found:
            found[kept] = found.pop(f"{key}_mask")
    if "bias_mask" in found:
        found["bias"] = found["bias"] * found.pop("bias_mask")
    return found


def chain(layers: Layers) -> list[str]:
    """The names of Linear layers in the only order that they allow.

    Raises:
        NetworkImportError: names what is no Linear, or the layers whose order is not known.
    """
    for name, arrays in layers.items():
        _require_linear(name, arrays)
    if not layers:
        raise NetworkImportError("it has no Linear layer")
    order = _by_number(list(layers))
    widths = {name: layers[name]["weight"].shape[1] for name in order}
    _require_one_consumer(widths)
    for before, after in pairwise(order):
        if layers[before]["weight"].shape[0] != widths[after]:
            _refuse_link(before, layers[before], after, widths[after])
    return order


def _require_linear(name: str, arrays: NamedArrays) -> None:
    dimensions = arrays["weight"].ndim if "weight" in arrays else 0
    if EMBEDDING.search(name) and dimensions == 2:
        unsupported(name, "Embedding", "it looks words up; only Linear layers can be mapped")
    if "running_mean" in arrays:
        unsupported(name, "BatchNorm", f"{NO_ORDER}; {WAY_OUT}")
    if dimensions in (3, 4):
        unsupported(name, f"Conv{dimensions - 2}d", f"{NO_ORDER}, nor strides; {WAY_OUT}")
    if dimensions != 2:
        found = ", ".join(arrays)
        unsupported(name, found, "only Linear layers can be mapped without --layers")


def _by_number(names: list[str]) -> list[str]:
    """Numbered layers of one stem by their numbers; the stems in the file's order."""
    stems = [_number(name)[0] for name in names]
    return sorted(names, key=lambda name: (stems.index(_number(name)[0]), _number(name)[1]))


def _number(name: str) -> tuple[str, int]:
    """A layer's name without its last number, its stem, and that number; -1 for none."""
    found = re.search(r"\d+(?=\D*$)", name)
    if found is None:
        return name, -1
    return f"{name[: found.start()]}#{name[found.end() :]}", int(found[0])


def _require_one_consumer(widths: dict[str, int]) -> None:
    """Raise if layers that are not numbered together take as many inputs, perhaps the same."""
    for width in widths.values():
        takers = [name for name in widths if widths[name] == width]
        if len({_number(name)[0] for name in takers}) > 1:
            names = ", ".join(map(_shown, takers))
            raise NetworkImportError(
                f"layers {names} each take {width} inputs, perhaps the same, unless one is an "
                f"embedding: {NO_ORDER}; {WAY_OUT}"
            )


def _refuse_link(before: str, arrays: NamedArrays, after: str, width: int) -> NoReturn:
    outputs = arrays["weight"].shape[0]
    reason = f"it takes {width} inputs, but {_shown(before)} before it has {outputs} neurons"
    unsupported(after, "Linear", f"{reason}; {NO_ORDER}; {WAY_OUT}")


def _shown(name: str) -> str:
    return name or "(no name)"
