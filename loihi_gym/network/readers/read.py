"""Which reader reads a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...arrays import NumberArray
from ...errors import NetworkFileError, NetworkImportError
from ..foreign import named, refuse_pointer
from . import matrices, netx, nir_graph, onnx_graph, safetensors_file, torch_sequential
from .imported import Imported
from .layer_table import LayerTable

READERS: dict[str, Callable[[Path, NumberArray | None], Imported]] = {
    ".net": netx.read,
    ".nir": nir_graph.read,
    ".onnx": onnx_graph.read,
    ".npz": matrices.read,
    ".safetensors": safetensors_file.read,
    ".pt": torch_sequential.read,
    ".pth": torch_sequential.read,
    ".ckpt": torch_sequential.read,
}
"""Readers by the ending of the file."""
STATES: dict[str, Callable[[Path, NumberArray | None, LayerTable | None], Imported]] = {
    ".safetensors": safetensors_file.read,
    ".pt": torch_sequential.read,
    ".pth": torch_sequential.read,
    ".ckpt": torch_sequential.read,
}
"""Readers of files that may hold a state dict."""


def read_network(
    path: str | Path,
    inputs: NumberArray | None,
    dt_s: float | None = None,
    table: LayerTable | None = None,
) -> Imported:
    """Read a network that another tool wrote.

    Args:
        path: netx ``.net``, ``.nir``, ``.onnx``, ``.safetensors``, ``.pt``, ``.pth`` or ``.ckpt``
            (PyTorch), or ``.npz``.
        inputs: Samples, one per time step, (T, inputs of the network): what the network was trained
            on. Spiking networks take spikes. None if the file has them (our own ``.npz``).
        dt_s: Time step of a NIR graph, in the unit of its time constants; None to guess it, see
            `nir_time`.
        table: Layers of a state dict in their order.

    Raises:
        NetworkImportError: names the layer that is not supported, and why.
        NetworkFileError: if the file is missing or corrupt.
    """
    path = Path(path)
    ending = path.suffix.lower()
    with named(f"network file {path}", "network", NetworkFileError):
        if ending not in READERS:
            raise NetworkImportError(
                f"its name ends in none of {', '.join(READERS)}, the formats that can be read"
            )
        if inputs is not None and not (inputs.dtype.kind in "iufb" and np.isfinite(inputs).all()):
            raise NetworkImportError("the activity is not an array of finite numbers")
        if dt_s is not None and not 0 < dt_s < np.inf:
            raise NetworkImportError(f"a time step of {dt_s} s; it must be above 0")
        refuse_pointer(path)
        if ending == ".nir":
            return nir_graph.read(path, inputs, dt_s)
        if ending in STATES:
            return STATES[ending](path, inputs, table)
        if table is not None:
            raise NetworkImportError("--layers is for state dicts; this file has its own order")
        return READERS[ending](path, inputs)
