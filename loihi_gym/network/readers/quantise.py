"""Float layers to int8 synapses and integer neurons.

ReLU networks (`relu_network`): each layer's weights are scaled so that the largest is 127 and
rounded; its exponent is the smallest right shift that keeps every state on the given inputs within
12 bits; biases are rounded in units of the shifted state. A scale per layer follows through the
network, so messages stand for the float activations times that scale.

Spiking networks (`spiking_network`): a neuron's weights, bias and threshold may be scaled
together, since its state is linear between spikes and starts again from 0. So thresholds become
equal within a layer, the largest weight 127, and the threshold at least 64 through the exponent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ...arrays import BoolArray, Float64Array, Int64Array, NumberArray
from ...errors import NetworkImportError
from ..sparse_mlp import DECAY_UNITY
from .imported import Imported, checked_samples, network_of, require_chain, unsupported

WEIGHT_LIMIT = 127
STATE_BITS = 12
"""Largest state of a ReLU layer on the given inputs, in bits, that exponents aim at."""
INPUT_LIMIT = 127
"""Float inputs are scaled so that the largest is this: messages of a signed byte are short."""
FINEST_THRESHOLD = 64
LARGEST_THRESHOLD = (1 << 17) - 1
"""17 bits, as Loihi's LIF has them."""
BIAS_BITS = 60
"""A bias of more bits, in units of a layer's weights, leaves nothing of the weights."""
VOLTAGE_UNITS = 64
"""Units of a LIF neuron's voltage per unit of a weight."""


@dataclass(frozen=True)
class FloatLayer:
    """Synapses and biases in floating point.

    Attributes:
        weights: Rows post-synaptic; a stored 0 is a synapse of weight 0.
        bias: (n_post,).
    """

    weights: csr_array
    bias: Float64Array


@dataclass(frozen=True)
class SpikingLayer(FloatLayer):
    """A float layer with what its neurons add: per step, v = (1 - decay) v + current.

    Attributes:
        threshold: Voltage that each neuron spikes above, (n_post,), positive.
        current_decay: Part of its current that a neuron forgets in a step, 0 to 1.
        voltage_decay: The same of its voltage.
    """

    threshold: Float64Array
    current_decay: float
    voltage_decay: float


def float_layer(
    name: object,
    kind: str,
    weights: npt.NDArray[Any] | None,
    bias: npt.NDArray[Any] | None,
    mask: npt.NDArray[Any] | None,
    before: Sequence[FloatLayer],
) -> FloatLayer:
    """A layer of plain arrays.

    Args:
        name: What the file calls the layer.
        kind: What kind of layer it is there.
        weights: (out, in).
        bias: (out,); None for zeros.
        mask: (out, in), 0 where there is no synapse; None: a weight of 0 is no synapse.
        before: All layers before it.

    Raises:
        NetworkImportError: if one of them is of another shape, or not of finite numbers.
    """
    for part, values, numbers in (("weights", weights, "iuf"), ("biases", bias, "iufb")):
        if values is not None and (
            values.dtype.kind not in numbers or not np.isfinite(values).all()
        ):
            unsupported(name, kind, f"{part} are not all finite numbers")
    if weights is None or weights.ndim != 2 or 0 in weights.shape:
        shape = None if weights is None else weights.shape
        unsupported(name, kind, f"weights are {shape}, not a matrix (neurons, inputs)")
    if before:
        require_chain(name, kind, weights.shape[1], before[-1].weights.shape[0])
    if bias is not None and bias.shape != (len(weights),):
        unsupported(name, kind, f"biases are {bias.shape}, not ({len(weights)},)")
    if mask is not None and mask.shape != weights.shape:
        unsupported(name, kind, f"the mask is {mask.shape}, not {weights.shape}")
    chosen = synapses(weights.astype(np.float64), None if mask is None else mask != 0)
    return FloatLayer(chosen, np.zeros(len(weights)) if bias is None else bias.astype(np.float64))


def synapses(weights: npt.NDArray[np.floating], mask: BoolArray | None) -> csr_array:
    """A dense matrix with the synapses that `mask` has; without one, those that are not 0."""
    present = weights != 0 if mask is None else mask
    rows, columns = np.nonzero(present)
    indptr = np.searchsorted(rows, np.arange(len(weights) + 1)).astype(np.int32)
    data = weights[rows, columns].astype(np.float64)
    return csr_array((data, columns.astype(np.int32), indptr), shape=weights.shape)


def relu_network(layers: list[FloatLayer], inputs: NumberArray | None) -> Imported:
    """A network of ReLU neurons, given samples; see the module on how it is rounded.

    Raises:
        NetworkImportError: if there are no samples, or of the wrong shape, or biases are too large.
    """
    inputs = checked_samples(inputs, layers[0].weights.shape[1])
    notes = []
    scale, messages = 1.0, inputs.astype(np.int64)
    if inputs.dtype.kind == "f":
        scale = INPUT_LIMIT / (float(np.abs(inputs).max(initial=0)) or 1.0)
        messages = np.rint(inputs * scale).astype(np.int64)
        notes.append(f"inputs were multiplied by {scale:.6g} and rounded to 8 bits")
    samples, values = messages, inputs.astype(np.float64)
    rounded = []
    for layer in layers:
        matrix, gain = _int8(layer.weights)
        sums = (matrix.astype(np.int64) @ messages.T).T
        exponent, bias = 0, _whole(layer.bias * (scale * gain), BIAS_BITS)
        while np.abs((sums >> -exponent) + bias).max(initial=0) >> STATE_BITS:
            exponent -= 1
            bias = np.rint(layer.bias * (scale * gain * 2.0**exponent)).astype(np.int64)
        state = (sums >> -exponent) + bias
        scale *= gain * 2.0**exponent
        float_state = (layer.weights @ values.T).T + layer.bias
        messages, values = np.maximum(state, 0), np.maximum(float_state, 0)
        rounded.append((matrix, exponent, 0, bias))
    largest = float(np.abs(float_state).max(initial=0)) or 1.0
    error = float(np.sqrt(np.mean((state / scale - float_state) ** 2))) / largest
    notes.append(
        "weights were rounded to int8, the largest of each layer to 127; on the given inputs the "
        f"last layer differs by {error:.2%} of its largest value (root mean square)"
    )
    return Imported(network_of(rounded), samples, tuple(notes))


def spiking_network(layers: list[SpikingLayer], inputs: Int64Array) -> Imported:
    """A network of LIF neurons; see the module on how it is rounded."""
    rounded, notes = [], []
    for number, layer in enumerate(layers, 1):
        relative = csr_array(layer.weights.copy())
        relative.data /= np.repeat(layer.threshold, np.diff(relative.indptr))
        matrix, gain = _int8(relative)
        exponent = 0
        while round(gain * 2.0**exponent) < FINEST_THRESHOLD:
            exponent += 1
        while round(gain * 2.0**exponent) > LARGEST_THRESHOLD:
            exponent -= 1
        threshold = round(gain * 2.0**exponent)
        bias = _whole(layer.bias / layer.threshold * (threshold * VOLTAGE_UNITS), 31)
        rounded.append((matrix, exponent, threshold, bias))
        step = 0.5 / gain
        notes.append(
            f"layer {number}: weights were rounded to int8, each by at most {step:.2g} thresholds"
        )
    decays = ((_decay(one.current_decay), _decay(one.voltage_decay)) for one in layers)
    return Imported(network_of(rounded, "lif", decays), inputs, tuple(notes))


def _int8(weights: csr_array) -> tuple[csr_array, float]:
    """Weights times the gain that makes the largest 127, rounded, and that gain."""
    gain = WEIGHT_LIMIT / (float(np.abs(weights.data).max(initial=0)) or 1.0)
    data = np.rint(weights.data * gain).astype(np.int8)
    return csr_array((data, weights.indices, weights.indptr), shape=weights.shape), gain


def _whole(biases: Float64Array, bits: int) -> Int64Array:
    """Biases in units of a neuron's state, rounded.

    Raises:
        NetworkImportError: if they take more than so many bits.
    """
    if not (np.abs(biases) < 2.0**bits).all():
        raise NetworkImportError("a layer's biases are too large beside its weights or thresholds")
    return np.rint(biases).astype(np.int64)


def _decay(part: float) -> int:
    return min(max(round(part * DECAY_UNITY), 0), DECAY_UNITY)
