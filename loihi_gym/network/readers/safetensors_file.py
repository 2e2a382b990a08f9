"""safetensors files: a state dict as plain arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import NumberArray
from ..foreign import file_bytes
from .imported import Imported
from .layer_table import LayerTable
from .state_dict import read_state

KINDS = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"},
    **{"I8": "i1", "U8": "u1", "BOOL": "?"},
}
"""numpy's types by the format's."""


def read(path: Path, inputs: NumberArray | None, table: LayerTable | None = None) -> Imported:
    """Read a safetensors file; see `read_network`."""
    import safetensors

    read_entries: Any = safetensors.deserialize
    try:
        entries = read_entries(file_bytes(path))
    except safetensors.SafetensorError as error:
        raise ValueError(f"not a safetensors file: {error}") from error
    # The format's names are sorted, or as written; their numbers tell the order.
    return read_state({name: _array(name, entry) for name, entry in entries}, inputs, table)


def _array(name: str, entry: dict[str, Any]) -> npt.NDArray[Any]:
    kind = entry["dtype"]
    if kind == "BF16":  # the upper half of a float32
        halves = np.frombuffer(entry["data"], "<u2").astype(np.uint32)
        return (halves << 16).view(np.float32).reshape(entry["shape"])
    if kind not in KINDS:
        raise ValueError(f"{name} is of type {kind}")
    return np.frombuffer(entry["data"], KINDS[kind]).reshape(entry["shape"])
