"""ReLU networks from floating point to int8 weights.

A neuron's weights and bias may be multiplied by any positive gain if the weights that its messages
meet are divided by it: a ReLU passes it on. Two ways to choose the gains are tried:

    per layer     the largest weight of a layer becomes 127
    per neuron    the largest weight of each neuron becomes 127, or as much as keeps its state
                  within the largest state that the layer has with one gain

The last layer has one gain in both, so that its outputs can be compared with each other. The way
is taken whose last layer is nearer to the float network on the given samples. A layer's exponent
is the smallest right shift that keeps every state on these samples within 12 bits, and biases are
rounded in units of the shifted state.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ...arrays import Float64Array, Int64Array, NumberArray
from ..sparse_mlp import SparseMLP
from .float_layers import FloatLayer
from .imported import Imported, checked_samples, network_of
from .rounding import largest, rounded, vanished, whole

STATE_BITS = 12
"""Largest state of a layer on the given samples, in bits, that exponents aim at."""
INPUT_LIMIT = 127
"""Float inputs are scaled so that the largest is this: messages of a signed byte are short."""
BIAS_BITS = 60
"""A bias of more bits, in units of a layer's weights, leaves nothing of the weights."""
MOST_WORK = 1 << 30
"""Synapses times samples that gains are chosen on: the last samples."""


@dataclass(frozen=True)
class _Rounding:
    """A layer as integers.

    Attributes:
        weights: int8.
        exponent: Right shift, 0 or less.
        bias: (n_post,).
        units: What one unit of each neuron's float state became, (n_post,).
        state: On the samples, (T, n_post).
    """

    weights: csr_array
    exponent: int
    bias: Int64Array
    units: Float64Array
    state: Int64Array


def relu_network(layers: Sequence[FloatLayer], inputs: NumberArray | None) -> Imported:
    """A network of ReLU neurons, given samples; see the module on how it is rounded.

    Raises:
        NetworkImportError: if there are no samples, or of the wrong shape, or biases are too large.
    """
    inputs = checked_samples(inputs, layers[0].weights.shape[1])
    notes = []
    scale, samples = 1.0, inputs.astype(np.int64)
    if inputs.dtype.kind == "f":
        scale = INPUT_LIMIT / (float(np.abs(inputs).max(initial=0)) or 1.0)
        samples = np.rint(inputs * scale).astype(np.int64)
        notes.append(f"inputs were multiplied by {scale:.6g} and rounded to 8 bits")
    used = slice(-max(MOST_WORK // max(sum(one.weights.nnz for one in layers), 1), 1), None)
    states = _float_states(layers, inputs[used].astype(np.float64))
    ways = {
        of: _round_all(layers, samples[used], scale, of == "neuron") for of in ("layer", "neuron")
    }
    chosen = min(ways, key=lambda of: _error(ways[of][-1], states[-1]))
    for number, (layer, one) in enumerate(zip(layers, ways[chosen], strict=True), 1):
        notes += vanished(number, layer.weights, one.weights)
    notes.append(_agreement(chosen, ways[chosen], states))
    return Imported(_network(layers, ways[chosen]), samples, tuple(notes))


def _network(layers: Sequence[FloatLayer], ways: list[_Rounding]) -> SparseMLP:
    parts = [(one.weights, one.exponent, 0, one.bias) for one in ways]
    return network_of(parts, weight_bits=[layer.weight_bits for layer in layers])


def _float_states(layers: Sequence[FloatLayer], values: Float64Array) -> list[Float64Array]:
    """Each layer's states ahead of the ReLU, (T, n_post), for samples (T, inputs)."""
    states = []
    for layer in layers:
        states.append((layer.weights @ values.T).T + layer.bias)
        values = np.maximum(states[-1], 0)
    return states


def _round_all(
    layers: Sequence[FloatLayer], messages: Int64Array, scale: float, per_neuron: bool
) -> list[_Rounding]:
    units, found = np.full(messages.shape[1], scale), []
    for number, layer in enumerate(layers, 1):
        found.append(_round(layer, messages, units, per_neuron and number < len(layers)))
        messages, units = np.maximum(found[-1].state, 0), found[-1].units
    return found


def _round(
    layer: FloatLayer, messages: Int64Array, units: Float64Array, per_neuron: bool
) -> _Rounding:
    """A layer whose inputs are messages (T, n_pre) in units (n_pre,) of the float network's."""
    weights = layer.weights
    relative = csr_array(
        (weights.data / units[weights.indices], weights.indices, weights.indptr), weights.shape
    )
    gains = np.full(len(layer.bias), layer.weight_limit / (largest(relative) or 1.0))
    if per_neuron:
        states = np.abs((relative @ messages.T).T + layer.bias).max(axis=0, initial=0)
        gains = _gains(relative, layer.weight_limit, states, gains[0])
    matrix = rounded(relative, gains)
    sums = (matrix.astype(np.int64) @ messages.T).T
    exponent, bias = 0, whole(layer.bias * gains, BIAS_BITS)
    while np.abs((sums >> -exponent) + bias).max(initial=0) >> STATE_BITS:
        exponent -= 1
        bias = np.rint(layer.bias * gains * 2.0**exponent).astype(np.int64)
    return _Rounding(matrix, exponent, bias, gains * 2.0**exponent, (sums >> -exponent) + bias)


def _gains(weights: csr_array, limit: int, states: Float64Array, common: float) -> Float64Array:
    """A gain for each neuron, none below the layer's own, that makes no state the new largest."""
    rows = np.zeros(weights.shape[0])
    held = np.diff(weights.indptr) > 0
    rows[held] = np.maximum.reduceat(np.abs(weights.data), weights.indptr[:-1][held])
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = np.minimum(limit / rows, common * states.max(initial=0) / states)
    usable = np.isfinite(gains) & (rows > 0) & (states > 0)
    return np.where(usable, np.maximum(gains, common), common)


def _error(rounding: _Rounding, state: Float64Array) -> float:
    """Root mean square difference to the float state, relative to that of the state."""
    size = float(np.sqrt(np.mean(state**2))) or 1.0
    return float(np.sqrt(np.mean((rounding.state / rounding.units - state) ** 2))) / size


def _agreement(of: str, ways: list[_Rounding], states: list[Float64Array]) -> str:
    errors = ", ".join(f"{_error(one, state):.2%}" for one, state in zip(ways, states, strict=True))
    pairs = zip(ways, states, strict=True)
    same = np.concatenate([((one.state > 0) == (state > 0)).ravel() for one, state in pairs])
    return (
        f"weights were rounded to int8, the largest of each {of} to 127; on the given inputs the "
        f"layers differ by {errors} of their root mean square, and {same.mean():.2%} of neurons "
        "send or not as in floating point"
    )
