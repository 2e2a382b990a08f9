"""Plain ``.npz`` files: our own network files, or matrices by name.

A file of matrices holds ``weights_1`` (out, in), ``weights_2``, ... of any number type, and for
each of them, if wanted, ``biases_1`` (out,) and ``masks_1`` (out, in). Layers are ReLU.
"""

from itertools import count, takewhile
from pathlib import Path

from ...arrays import NumberArray
from ...errors import NetworkImportError
from ..foreign import file_bytes
from ..network_file import stored_network, unpack_bytes
from .float_layers import FloatLayer, float_layer
from .imported import Imported, integer_samples
from .relu_rounding import relu_network


def read(path: Path, inputs: NumberArray | None) -> Imported:
    """Read an ``.npz`` file; see `read_network`."""
    arrays = unpack_bytes(file_bytes(path))
    if "problem_version" in arrays:
        raise NetworkImportError("it is a problem file already: use it as it is")
    if "version" in arrays:
        network, own = stored_network(arrays)
        samples = own if inputs is None else inputs
        return Imported(network, integer_samples(samples, network.widths[0]))
    layers: list[FloatLayer] = []
    for number in takewhile(lambda number: f"weights_{number}" in arrays, count(1)):
        bias, mask = arrays.get(f"biases_{number}"), arrays.get(f"masks_{number}")
        weights = arrays[f"weights_{number}"]
        width = layers[-1].weights.shape[0] if layers else None
        layers.append(float_layer(number, "matrix", weights, bias, mask, width))
    if not layers:
        raise NetworkImportError("it holds neither a loihi_gym network nor weights_1, weights_2, …")
    return relu_network(layers, inputs)
