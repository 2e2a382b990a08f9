"""Running a `SparseMLP` in fixed point, one time step of delay per layer, as Lava does.

The arithmetic is that of lava-nc 0.10.0 under ``Loihi2SimCfg(select_tag="fixed_pt")``:
``Sparse`` (sum of weight times message, then the shift; what arrives in one step is used in the
next) into ``GradedReluVec`` or ``SigmaDelta`` with zero bias; the input population is a
``RingBuffer``, through ``Delta`` for sigma-delta. Our full-range int8 weights ``w`` with exponent
``e`` are Lava's mixed-sign weights ``2 * w`` with ``weight_exp = e - 1``, since Lava drops the
lowest bit of mixed-sign weights. ``lif`` is Lava's ``LIF`` that forgets by `SparseMLP.decays`, its
bias in ``bias_mant``; a bias of ``sigma-delta`` is that of ``SigmaDelta``, and one of ``relu`` is
what a further ``RingBuffer`` sends in every step.
"""

import numpy as np

from ..arrays import Int32Array, Int64Array, IntArray
from .sparse_mlp import DECAY_UNITY, SparseMLP

INPUT_SHIFT = 6
"""A LIF neuron's state is in 1/64 of a weight."""

STATE_BITS = 24
"""Neuron state of Loihi 2. Lava's CPU models do not wrap at it, so a network must stay within."""

Messages = list[Int32Array]


def run(network: SparseMLP, inputs: IntArray) -> Messages:
    """The messages every layer sends in every time step; 0 is silence.

    Args:
        network: Network to run, from rest.
        inputs: Value of each input in each time step, integers (T, widths[0]).

    Returns:
        An int32 array (T, width) for each layer, the input population first. What layer l sends in
        step t stems from what layer l - 1 sent in step t - 1.

    Raises:
        ValueError: if `inputs` has the wrong shape.
        OverflowError: if a neuron's state leaves 24 bits; names the layer.
    """
    if inputs.ndim != 2 or inputs.shape[1] != network.widths[0]:
        raise ValueError(f"inputs are {inputs.shape}, not (steps, {network.widths[0]})")
    values = inputs.astype(np.int64)
    sent = [delta(values, threshold=1) if network.neuron == "sigma-delta" else values]
    for layer, width in enumerate(network.widths[1:], 1):
        arriving = np.zeros((len(inputs), width), np.int64)
        arriving[1:] = _summed(network, layer, sent[-1][:-1])
        sent.append(_respond(network, layer, arriving))
    return [messages.astype(np.int32) for messages in sent]


def _respond(network: SparseMLP, layer: int, arriving: Int64Array) -> Int64Array:
    """What a layer's neurons send upon what arrives, (T, width)."""
    threshold = network.thresholds[layer - 1]
    bias = network.biases[layer - 1].astype(np.int64) if network.biases else 0
    if network.neuron == "lif":
        return _lif(network, layer, arriving, bias)
    if network.neuron == "sigma-delta":
        state = np.cumsum(arriving, axis=0)
        _check_state(state, layer)
        state = state + bias
        _check_state(state, layer)
        return delta(np.maximum(state, 0), threshold)
    state = arriving + bias
    _check_state(state, layer)
    return np.where(state > threshold, state, 0)


def _lif(
    network: SparseMLP, layer: int, arriving: Int64Array, bias: Int64Array | int
) -> Int64Array:
    """Spikes of leaky integrate-and-fire neurons; a voltage saturates at 24 bits, as on Loihi."""
    limit = (1 << (STATE_BITS - 1)) - 1
    threshold = network.thresholds[layer - 1] << INPUT_SHIFT
    current_decay, voltage_decay = network.decays[layer - 1]
    spikes = np.zeros_like(arriving)
    current = np.zeros(arriving.shape[1], np.int64)
    voltage = np.zeros_like(current)
    _check_state(arriving, layer)
    for step, value in enumerate(arriving):
        current = _forget(current, current_decay) + (value << INPUT_SHIFT)
        _check_state(current, layer)
        voltage = np.clip(_forget(voltage, voltage_decay) + current + bias, -limit, limit)
        spikes[step] = voltage > threshold
        voltage = np.where(spikes[step], 0, voltage)
    return spikes


def _forget(state: Int64Array, decay: int) -> Int64Array:
    """What is left of a state after a step, rounded towards 0."""
    left: Int64Array = np.abs(state) * (DECAY_UNITY - decay) // DECAY_UNITY
    return np.where(state < 0, -left, left)


def classify(network: SparseMLP, inputs: IntArray) -> Int64Array:
    """Class of each input, (samples,): the largest input to the last layer, first among equals.

    Samples are taken one by one, without the pipeline's delay; ``relu`` networks only.
    """
    messages = inputs.astype(np.int64)
    for layer in range(1, len(network.widths)):
        state = _summed(network, layer, messages)
        if network.biases:
            state = state + network.biases[layer - 1]
        _check_state(state, layer)
        messages = np.where(state > network.thresholds[layer - 1], state, 0)
    return np.asarray(state.argmax(axis=1), np.int64)


def _summed(network: SparseMLP, layer: int, messages: Int64Array) -> Int64Array:
    """What messages, (T, inputs), add up to at a layer's neurons, (T, width)."""
    exponent = network.exponents[layer - 1]
    sums: Int64Array = (network.weights[layer - 1].astype(np.int64) @ messages.T).T
    if exponent <= 0:
        return sums >> min(-exponent, 63)
    _check_state(sums, layer, exponent)  # int64 might not hold the shifted sums
    return sums << min(exponent, STATE_BITS)


def delta(values: Int64Array, threshold: int) -> Int64Array:
    """Changes of `values` over time, (T, n), held back until they reach the threshold.

    The residue makes that the difference to the last value sent, summed up.
    """
    sent = np.zeros_like(values)
    known = np.zeros(values.shape[1], np.int64)
    for step, value in enumerate(values):
        change = value - known
        sent[step] = np.where(np.abs(change) >= threshold, change, 0)
        known += sent[step]
    return sent


def _check_state(state: Int64Array, layer: int, exponent: int = 0) -> None:
    """Raise unless all states, shifted left by an exponent, are within 24 bits."""
    largest = int(np.abs(state).max(initial=0)) << exponent
    if largest >= 1 << (STATE_BITS - 1):
        raise OverflowError(
            f"layer {layer}: a neuron reaches {largest}, beyond {STATE_BITS} bits; "
            "lower the layer's exponent"
        )
