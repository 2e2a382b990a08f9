"""lava-dl's netx ``.net`` files (HDF5, written by slayer's ``export_hdf5``).

The layout is that of lava-dl's README of netx and of ``netx/hdf5.py``, which reads it:
``/layer/<i>/`` with ``type``, ``shape``, ``weight`` (out, in) or (out, in, height, width), ``bias``
and ``neuron/``; shapes are (channels, height, width). Weights
are whole numbers, even ones if mixed-sign and beyond 127. Neurons become Lava's processes as netx
makes them: ``CUBA`` (or ``LOIHI``) is LIF with ``iDecay`` and ``vDecay`` in 4096ths, exactly;
``SDNN`` is SigmaDelta, whose 6 lowest state bits are dropped at the synapse here and at the
message there.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ...arrays import Int64Array, NumberArray
from ...errors import NetworkImportError
from ..execute import delta
from .float_layers import synapses
from .hdf5 import opened
from .imported import (
    Imported,
    integer_samples,
    network_of,
    require_chain,
    sample_shape,
    unsupported,
)
from .lowering import Shape, Sliding, convolution
from .steps import each_dimension

STATE_EXP = 6
"""In netx, a unit of a weight is 64 units of a neuron's state, biases included."""
LARGEST_BIAS = 1 << 17
"""A neuron's state has 24 bits, 6 of them below a bias's unit."""
SDNN_INPUT = 64
"""netx multiplies inputs by this unless the input layer has a weight of its own."""
INTEGRATOR = {"type": "CUBA", "iDecay": 0, "vDecay": 4096, "vThMant": 1 << 17, "refDelay": 1}
"""What netx makes of a dense layer without neurons."""

SENT = "the activity is taken as what the input layer sends, its neurons left out"
ROUNDING = "sigma-delta messages may differ from Lava's by rounding of the last of 6 state bits"

Layer = dict[str, Any]


def read(path: Path, inputs: NumberArray | None) -> Imported:
    """Read a ``.net`` file; see `read_network`. Needs the extra ``import``."""
    layers = _layers(path)
    first = layers.pop(0) if layers and layers[0]["type"] == "input" else None
    found = _synaptic(layers, 1 if first else 0)
    if not found:
        raise NetworkImportError("it has no dense or conv layer")
    kinds = {_kind(number, layer["neuron"]) for number, layer in found}
    if len(kinds) > 1:
        raise NetworkImportError(f"it mixes {' and '.join(sorted(kinds))} neurons")
    shape = _input_shape(first, found[0][1], sample_shape(inputs))
    samples = integer_samples(inputs, math.prod(shape))
    shift, notes, rounded = 0 if kinds == {"CUBA"} else STATE_EXP, [], []
    for number, layer in found:
        matrix, shape = _matrix(number, layer, shape)
        weights, exponent, note = _int8(number, layer["type"], matrix)
        threshold = int(layer["neuron"]["vThMant"]) << shift
        rounded.append((weights, exponent - shift, threshold, _bias(number, layer, shape)))
        notes += note
    if shift:
        network = network_of(rounded, "sigma-delta")
        return Imported(network, _encode(samples, first), (*notes, ROUNDING))
    neurons = [layer["neuron"] for _, layer in found]
    decays = [(int(neuron["iDecay"]), int(neuron["vDecay"])) for neuron in neurons]
    return Imported(
        network_of(rounded, "lif", decays), samples, (*notes, *([SENT] if first else []))
    )


def _layers(path: Path) -> list[Layer]:
    """All layers' datasets, in order; ``neuron`` is a dictionary of its own."""
    with opened(path, "netx .net") as file:
        if "layer" not in file:
            raise ValueError("not a netx .net file: it has no group 'layer'")
        return [_datasets(file["layer"][str(number)]) for number in range(len(file["layer"]))]


def _datasets(group: Any) -> Layer:
    found: Layer = {}
    for key, value in group.items():
        if hasattr(value, "items"):
            found[key] = _datasets(value)
            continue
        data = value[()]
        if getattr(data, "size", 1) == 1:
            data = data.reshape(-1)[0] if isinstance(data, np.ndarray) else data
        found[key] = data.decode("ascii", "replace") if isinstance(data, bytes) else data
    found.setdefault("type", "nothing")
    return found


def _synaptic(layers: list[Layer], first: int) -> list[tuple[int, Layer]]:
    """The dense and conv layers with their numbers in the file.

    Raises:
        NetworkImportError: if another layer is among them, or one of them is not plain.
    """
    found: list[tuple[int, Layer]] = []
    for number, layer in enumerate(layers, first):
        kind = layer["type"]
        if kind == "flatten":
            continue  # signals are flat, channels first, as netx flattens them
        if kind not in ("dense", "conv"):
            unsupported(number, kind, "only dense and conv layers after one input can be mapped")
        if isinstance(layer.get("weight"), dict):
            unsupported(number, kind, "complex weights are not supported")
        if layer.get("weight") is None:
            unsupported(number, kind, "it has no weights")
        if np.any(layer.get("delay", 0)):
            unsupported(number, kind, "axonal delays are not supported")
        found.append((number, {**layer, "neuron": layer.get("neuron", INTEGRATOR)}))
    return found


def _input_shape(first: Layer | None, layer: Layer, given: Shape) -> Shape:
    """Shape of a sample, channels first: the input layer's, or the activity's."""
    if layer["type"] == "dense":
        weight = np.asarray(layer["weight"])
        return (weight.shape[1] if weight.ndim > 1 else math.prod(given),)
    if first is None or "shape" not in first or len(given) > 1:
        return given
    return tuple(np.atleast_1d(first["shape"]).astype(int).tolist())


def _matrix(number: int, layer: Layer, shape: Shape) -> tuple[csr_array, Shape]:
    """A layer's synapses on a signal of some shape, and the shape of what it sends."""
    weight = np.atleast_1d(np.asarray(layer["weight"], np.float64))
    if layer["type"] == "dense":
        if weight.ndim == 1:
            weight = weight.reshape(int(np.prod(layer.get("shape", len(weight)))), -1)
        require_chain(number, "dense", weight.shape[1], math.prod(shape))
        return synapses(weight, None), (len(weight),)
    kernel = weight.reshape(weight.shape[:4]) if weight.ndim > 4 else weight
    if kernel.ndim != 4:
        unsupported(number, "conv", f"weights are {weight.shape}")
    if len(shape) != 3:
        reason = f"its input has no channels but shape {shape}"
        unsupported(number, "conv", f"{reason}; give (time steps, channels, height, width)")
    settings = {
        key: each_dimension(layer.get(key, default), 2)
        for key, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    }
    padding = [(pad, pad) for pad in settings["padding"]]
    window = Sliding(kernel.shape[2:], settings["stride"], padding, settings["dilation"])
    try:
        return convolution(kernel, shape, window, int(layer.get("groups", 1)))
    except ValueError as error:
        unsupported(number, "conv", str(error))


def _kind(number: int, neuron: Layer) -> str:
    """``CUBA`` or ``SDNN``.

    Raises:
        NetworkImportError: if the neuron does more than these can.
    """
    kind = str(neuron.get("type"))
    wanted: tuple[str, ...] = ("vThMant",)
    if kind in ("CUBA", "LOIHI"):
        if int(neuron.get("refDelay", 1)) > 1:
            unsupported(number, kind, f"a refractory delay of {neuron['refDelay']} steps")
        if bool(neuron.get("gradedSpike", False)):
            unsupported(number, kind, "graded spikes of LIF neurons are not supported")
        wanted = ("iDecay", "vDecay", "vThMant")
    elif kind == "SDNN":
        if str(neuron.get("activation", "relu")).lower() != "relu":
            unsupported(number, kind, f"activation {neuron['activation']!r}; only relu is")
    else:
        unsupported(number, kind, "only CUBA, LOIHI and SDNN neurons are supported")
    for key in wanted:
        if np.size(neuron.get(key, ())) != 1:
            unsupported(number, kind, f"{key} must be one number for the whole layer")
    return "SDNN" if kind == "SDNN" else "CUBA"


def _int8(number: int, kind: str, matrix: csr_array) -> tuple[csr_array, int, list[str]]:
    """Weights as int8, the exponent that makes up for it, and a note if some had to be rounded."""
    data = np.rint(matrix.data).astype(np.int64)
    if (data != matrix.data).any():
        unsupported(number, kind, "its weights are not whole numbers: was it exported?")
    exponent = 0
    while (data >> exponent).min(initial=0) < -128 or (data >> exponent).max(initial=0) > 127:
        exponent += 1
    halved = np.clip(np.rint(data / 2.0**exponent), -128, 127).astype(np.int64)
    off, size = int((halved << exponent != data).sum()), math.prod(matrix.shape)
    note = f"layer {number}: {off} of {size} weights need more than 8 bits and were rounded"
    parts = (halved.astype(np.int8), matrix.indices, matrix.indptr)
    return csr_array(parts, shape=matrix.shape), exponent, [note] if off else []


def _bias(number: int, layer: Layer, shape: Shape) -> Int64Array:
    """Biases of a layer that sends a signal of some shape, one for each neuron or channel."""
    bias, width = np.asarray(layer.get("bias", 0), np.float64).reshape(-1), math.prod(shape)
    if len(bias) not in (1, shape[0], width):
        unsupported(number, layer["type"], f"{len(bias)} biases for {width} neurons")
    if not (np.abs(bias) <= LARGEST_BIAS).all():
        unsupported(number, layer["type"], f"biases are not all within {LARGEST_BIAS:,} of 0")
    return np.repeat(np.rint(bias).astype(np.int64) << STATE_EXP, width // len(bias))


def _encode(samples: Int64Array, first: Layer | None) -> Int64Array:
    """What the input population's values are once netx's input layer has encoded them.

    Values that do not change by its threshold are held back, as its Delta neurons do.
    """
    layer = first or {}
    gain, bias = int(layer.get("weight", SDNN_INPUT)), int(layer.get("bias", 0))
    values = (gain * samples + bias) << STATE_EXP
    threshold = int(layer.get("neuron", {}).get("vThMant", 0)) << STATE_EXP
    return np.cumsum(delta(values, threshold), axis=0)
