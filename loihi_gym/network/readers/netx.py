"""lava-dl's netx ``.net`` files (HDF5, written by slayer's ``export_hdf5``).

The layout is that of lava-dl's README of netx and of ``netx/hdf5.py``, which reads it:
``/layer/<i>/`` with ``type``, ``shape``, ``weight`` (out, in), ``bias`` and ``neuron/``. Weights
are whole numbers, even ones if mixed-sign and beyond 127. Neurons become Lava's processes as netx
makes them: ``CUBA`` (or ``LOIHI``) is LIF with ``iDecay`` and ``vDecay`` in 4096ths, exactly;
``SDNN`` is SigmaDelta, whose 6 lowest state bits are dropped at the synapse here and at the
message there.
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ...arrays import Float64Array, Int64Array, NumberArray
from ...errors import NetworkImportError
from ..execute import delta
from .float_layers import synapses
from .hdf5 import opened
from .imported import Imported, integer_samples, network_of, require_chain, unsupported

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
    dense = _dense(layers, 1 if first else 0)
    if not dense:
        raise NetworkImportError("it has no dense layer")
    kinds = {_kind(number, layer["neuron"]) for number, layer in dense}
    if len(kinds) > 1:
        raise NetworkImportError(f"it mixes {' and '.join(sorted(kinds))} neurons")
    samples = integer_samples(inputs, dense[0][1]["weight"].shape[1])
    shift, notes, rounded = 0 if kinds == {"CUBA"} else STATE_EXP, [], []
    width = samples.shape[1]
    for number, layer in dense:
        require_chain(number, "dense", layer["weight"].shape[1], width)
        width = len(layer["weight"])
        weights, exponent, note = _int8(number, layer["weight"])
        threshold = int(layer["neuron"]["vThMant"]) << shift
        rounded.append((weights, exponent - shift, threshold, _bias(number, layer, width)))
        notes += note
    if shift:
        network = network_of(rounded, "sigma-delta")
        return Imported(network, _encode(samples, first), (*notes, ROUNDING))
    neurons = [layer["neuron"] for _, layer in dense]
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


def _dense(layers: list[Layer], first: int) -> list[tuple[int, Layer]]:
    """The dense layers with their numbers in the file.

    Raises:
        NetworkImportError: if another layer is among them, or a dense one is not plain.
    """
    found: list[tuple[int, Layer]] = []
    for number, layer in enumerate(layers, first):
        kind = layer["type"]
        if kind == "flatten" and not found:
            continue  # inputs are given flat
        if kind != "dense":
            unsupported(number, kind, "only dense layers after one input can be mapped")
        if isinstance(layer.get("weight"), dict):
            unsupported(number, kind, "complex weights are not supported")
        if layer.get("weight") is None:
            unsupported(number, kind, "it has no weights")
        if np.any(layer.get("delay", 0)):
            unsupported(number, kind, "axonal delays are not supported")
        weight = np.atleast_1d(np.asarray(layer["weight"], np.float64))
        if weight.ndim == 1:
            weight = weight.reshape(int(np.prod(layer.get("shape", len(weight)))), -1)
        found.append(
            (number, {**layer, "weight": weight, "neuron": layer.get("neuron", INTEGRATOR)})
        )
    return found


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


def _int8(number: int, weight: Float64Array) -> tuple[csr_array, int, list[str]]:
    """Weights as int8, the exponent that makes up for it, and a note if some had to be rounded."""
    whole = np.rint(weight).astype(np.int64)
    if (whole != weight).any():
        unsupported(number, "dense", "its weights are not whole numbers: was it exported?")
    exponent = 0
    while (whole >> exponent).min() < -128 or (whole >> exponent).max() > 127:
        exponent += 1
    halved = np.clip(np.rint(whole / 2.0**exponent), -128, 127).astype(np.int64)
    off = int((halved << exponent != whole).sum())
    note = f"layer {number}: {off} of {whole.size} weights need more than 8 bits and were rounded"
    matrix = synapses(halved.astype(np.float64), whole != 0).astype(np.int8)
    return matrix, exponent, [note] if off else []


def _bias(number: int, layer: Layer, width: int) -> Int64Array:
    bias = np.asarray(layer.get("bias", 0), np.float64).reshape(-1)
    if len(bias) not in (1, width):
        unsupported(number, "dense", f"{len(bias)} biases for {width} neurons")
    if not (np.abs(bias) <= LARGEST_BIAS).all():
        unsupported(number, "dense", f"biases are not all within {LARGEST_BIAS:,} of 0")
    return np.broadcast_to(np.rint(bias).astype(np.int64) << STATE_EXP, (width,))


def _encode(samples: Int64Array, first: Layer | None) -> Int64Array:
    """What the input population's values are once netx's input layer has encoded them.

    Values that do not change by its threshold are held back, as its Delta neurons do.
    """
    layer = first or {}
    gain, bias = int(layer.get("weight", SDNN_INPUT)), int(layer.get("bias", 0))
    values = (gain * samples + bias) << STATE_EXP
    threshold = int(layer.get("neuron", {}).get("vThMant", 0)) << STATE_EXP
    return np.cumsum(delta(values, threshold), axis=0)
