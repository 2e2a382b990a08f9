"""Plain ``.npz`` files: our own network files, or matrices by name.

A file of matrices holds ``weights_1`` (out, in), ``weights_2``, ... of any number type, and for
each of them, if wanted, ``biases_1`` (out,) and ``masks_1`` (out, in). Layers are ReLU.
"""

from itertools import count
from pathlib import Path

import numpy as np

from ...arrays import NamedArrays, NumberArray
from ...errors import NetworkImportError
from ..network_file import load_network, unpack
from .imported import Imported, check_width, integer_inputs, unsupported
from .quantise import FloatLayer, relu_network, synapses


def read(path: Path, inputs: NumberArray | None) -> Imported:
    """Read an ``.npz`` file; see `read_network`."""
    arrays = unpack(path)
    if "problem_version" in arrays:
        raise NetworkImportError(f"{path} is a problem file already: use it as it is")
    if "version" in arrays:
        network, own = load_network(path)
        samples = own if inputs is None else inputs
        check_width(path, samples, network.widths[0])
        return Imported(network, integer_inputs(path, samples))
    layers: list[FloatLayer] = []
    for number in count(1):
        if f"weights_{number}" not in arrays:
            break
        layers.append(_layer(path, arrays, number, layers[-1] if layers else None))
    if not layers:
        raise NetworkImportError(
            f"{path} holds neither a loihi_gym network nor weights_1, weights_2, ..."
        )
    if inputs is None:
        raise NetworkImportError(f"{path}: give the input samples by --activity")
    check_width(path, inputs, layers[0].weights.shape[1])
    return relu_network(layers, inputs)


def _layer(path: Path, arrays: NamedArrays, number: int, before: FloatLayer | None) -> FloatLayer:
    weights = arrays[f"weights_{number}"]
    if weights.ndim != 2 or weights.dtype.kind not in "iuf" or not np.isfinite(weights).all():
        unsupported(path, str(number), "weights", f"{weights.dtype} {weights.shape} is no matrix")
    if before is not None and weights.shape[1] != before.weights.shape[0]:
        unsupported(
            path,
            str(number),
            "weights",
            f"it takes {weights.shape[1]} inputs, but the layer before has "
            f"{before.weights.shape[0]} neurons",
        )
    bias = arrays.get(f"biases_{number}", np.zeros(len(weights)))
    mask = arrays.get(f"masks_{number}")
    if bias.shape != (len(weights),) or not np.isfinite(bias).all():
        unsupported(path, str(number), "biases", f"{bias.shape}, not ({len(weights)},) numbers")
    if mask is not None and mask.shape != weights.shape:
        unsupported(path, str(number), "mask", f"{mask.shape}, not {weights.shape}")
    chosen = synapses(weights.astype(np.float64), None if mask is None else mask.astype(bool))
    return FloatLayer(chosen, bias.astype(np.float64))
