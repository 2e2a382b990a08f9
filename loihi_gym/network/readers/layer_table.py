"""Layer tables: what a state dict does not say, in a TOML file of one's own.

    input = [1, 28, 28]           # shape of a sample; by default the activity's

    [[layers]]
    kind = "Conv2d"               # a class of torch.nn that `steps` knows
    name = "conv1"                # its weights in the state dict: conv1.weight, conv1.bias
    stride = 2                    # its settings by torch's names

    [[layers]]
    kind = "ReLU"

The layers stand in the order in which the signal passes them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...arrays import NamedArrays
from ...errors import NetworkImportError
from ..foreign import file_bytes, named
from .imported import unsupported
from .lowering import Shape
from .steps import KINDS, LEFT_OUT, PASSED_OVER, Step

WEIGHTLESS = ("ReLU", "Flatten", "Unflatten", *LEFT_OUT, *PASSED_OVER)


@dataclass(frozen=True)
class LayerTable:
    """Layers in their order.

    Attributes:
        layers: Each with its ``kind``, the ``name`` of its weights if it has any, and settings.
        shape: Shape of a sample; None for that of the activity.
    """

    layers: tuple[Mapping[str, Any], ...]
    shape: Shape | None = None

    def steps(self, arrays: Mapping[str, NamedArrays]) -> list[Step]:
        """The steps, their weights from a state dict's layers by name.

        Raises:
            NetworkImportError: if weights are missing, or some are not used.
        """
        unused = {name for name, tensors in arrays.items() if "weight" in tensors}
        steps = []
        for number, layer in enumerate(self.layers, 1):
            kind, name = str(layer["kind"]), str(layer.get("name", number))
            settings = {key: layer[key] for key in layer if key not in ("kind", "name")}
            if "name" in layer and name not in arrays:
                unsupported(name, kind, f"the file has no such layer, but {', '.join(arrays)}")
            unused.discard(name)
            own = arrays[name] if "name" in layer else {}
            steps.append(Step(name, kind, own, settings))
        if unused:
            raise NetworkImportError(f"--layers leaves out {', '.join(sorted(unused))} of the file")
        return steps


def read_table(path: str | Path) -> LayerTable:
    """A layer table from a file.

    Raises:
        NetworkImportError: if it is missing or malformed; names the file and the layer.
    """
    with named(f"layer table {path}", "layer table", NetworkImportError):
        data = tomllib.loads(file_bytes(path).decode())
        unknown = set(data) - {"input", "layers"}
        if unknown or not isinstance(data.get("layers"), list):
            raise NetworkImportError("it needs tables [[layers]], and may have input = [...]")
        for number, layer in enumerate(data["layers"], 1):
            _check(number, layer)
        shape = data.get("input")
        if shape is not None and not all(isinstance(n, int) and n > 0 for n in shape):
            raise NetworkImportError(f"input = {shape} is not a list of sizes")
        return LayerTable(tuple(data["layers"]), None if shape is None else tuple(shape))


def _check(number: int, layer: Any) -> None:
    kind = layer.get("kind") if isinstance(layer, dict) else None
    if kind != "ReLU" and kind not in (*KINDS, *LEFT_OUT, *PASSED_OVER):
        unsupported(number, str(kind), f"supported are {', '.join(KINDS)}, ReLU")
    if "name" not in layer and kind not in WEIGHTLESS and "Pool" not in str(kind):
        unsupported(number, str(kind), "it needs the name of its weights in the file")
