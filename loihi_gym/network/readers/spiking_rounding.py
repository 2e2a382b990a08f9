"""Spiking networks from floating point to int8 weights.

A LIF neuron's weights, bias and threshold may be scaled together, since its state is linear between
spikes and starts again from 0. So thresholds become equal within a layer, the largest weight 127,
and the threshold at least 64 through the exponent. A layer has one threshold, and with it one gain.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from ...arrays import Int64Array
from ..execute import STATE_BITS
from ..lif_bias import bias_parts
from ..silence import READOUT_THRESHOLD
from ..sparse_mlp import DECAY_UNITY
from .float_layers import SpikingLayer
from .imported import Imported, network_of
from .rounding import largest, rounded, vanished, whole

FINEST_THRESHOLD = 64
LARGEST_THRESHOLD = (1 << 17) - 1
"""17 bits, as Loihi's LIF has them."""
VOLTAGE_UNITS = 64
"""Units of a LIF neuron's voltage per unit of a weight."""
BIAS_BITS = 31
LARGEST_BIAS = (1 << BIAS_BITS) - 1


def spiking_network(
    layers: Sequence[SpikingLayer], inputs: Int64Array, clock: str = ""
) -> Imported:
    """A network of LIF neurons, given spikes; see the module on how it is rounded.

    Raises:
        NetworkImportError: if biases are too large.
    """
    parts, notes = [], []
    for number, layer in enumerate(layers, 1):
        part, relative, step = _round(layer)
        parts.append(part)
        notes += vanished(number, relative, part[0])
        notes.append(f"layer {number}: weights were rounded to int8, each by at most {step}")
    decays = [(_decay(one.current_decay), _decay(one.voltage_decay)) for one in layers]
    bits = [layer.weight_bits for layer in layers]
    return Imported(network_of(parts, "lif", decays, bits), inputs, tuple(notes), clock)


def _round(
    layer: SpikingLayer,
) -> tuple[tuple[csr_array, int, int, Int64Array], csr_array, str]:
    """Weights, exponent, threshold and bias; the weights in thresholds; how far they were moved."""
    if layer.threshold is None:
        return _round_readout(layer)
    relative = csr_array(layer.weights.copy())
    relative.data /= np.repeat(layer.threshold, np.diff(relative.indptr))
    gain = layer.weight_limit / (largest(relative) or 1.0)
    exponent = 0
    while round(gain * 2.0**exponent) < FINEST_THRESHOLD:
        exponent += 1
    while round(gain * 2.0**exponent) > LARGEST_THRESHOLD:
        exponent -= 1
    threshold = round(gain * 2.0**exponent)
    bias = _stored(whole(layer.bias / layer.threshold * (threshold * VOLTAGE_UNITS), BIAS_BITS))
    step = f"{0.5 / gain:.2g} thresholds"
    return (rounded(relative, gain), exponent, threshold, bias), relative, step


def _round_readout(
    layer: SpikingLayer,
) -> tuple[tuple[csr_array, int, int, Int64Array], csr_array, str]:
    """As `_round`, of neurons that never spike: only their voltage counts."""
    gain = layer.weight_limit / (largest(layer.weights) or 1.0)
    matrix = rounded(layer.weights, gain)
    reach = np.abs(matrix).astype(np.int64).sum(axis=1).max(initial=1) * VOLTAGE_UNITS
    room = 2.0 ** (STATE_BITS - 2) * (layer.current_decay or 1.0)
    exponent = min(0, int(np.floor(np.log2(room / max(reach, 1)))))
    bias = _stored(whole(layer.bias * (gain * VOLTAGE_UNITS * 2.0**exponent), BIAS_BITS))
    step = f"{0.5 / layer.weight_limit:.2g} of the largest"
    return (matrix, exponent, READOUT_THRESHOLD, bias), layer.weights, step


def _stored(bias: Int64Array) -> Int64Array:
    """Biases rounded to what Loihi's mantissa and exponent hold; see `lif_bias`."""
    mantissa, exponent = bias_parts(bias)
    stored: Int64Array = np.clip(mantissa << exponent, -LARGEST_BIAS, LARGEST_BIAS)
    return stored


def _decay(part: float) -> int:
    return min(max(round(part * DECAY_UNITY), 0), DECAY_UNITY)
