"""Running a `SparseMLP` in fixed point, one time step of delay per layer, as Lava does.

The arithmetic is that of lava-nc 0.10.0 under ``Loihi2SimCfg(select_tag="fixed_pt")``:
``Sparse`` (sum of weight times message, then the shift; what arrives in one step is used in the
next) into ``GradedReluVec`` or ``SigmaDelta`` with zero bias; the input population is a
``RingBuffer``, through ``Delta`` for sigma-delta. Our full-range int8 weights ``w`` with exponent
``e`` are Lava's mixed-sign weights ``2 * w`` with ``weight_exp = e - 1``, since Lava drops the
lowest bit of mixed-sign weights.
"""

import numpy as np
import numpy.typing as npt

from .sparse_mlp import SparseMLP

STATE_BITS = 24
"""Neuron state of Loihi 2. Lava's CPU models do not wrap at it, so a network must stay within."""

Messages = list[npt.NDArray[np.int32]]


def run(network: SparseMLP, inputs: npt.NDArray[np.integer]) -> Messages:
    """The messages every layer sends in every time step; 0 is silence.

    Args:
        network: What to run, from rest.
        inputs: Value of each input in each step, (T, widths[0]).

    Returns:
        For each layer, the input population first, int32 (T, width). What layer l sends in step t
        stems from what layer l - 1 sent in step t - 1.

    Raises:
        ValueError: if `inputs` has the wrong shape.
        OverflowError: if a neuron's state leaves 24 bits; names the layer.
    """
    if inputs.ndim != 2 or inputs.shape[1] != network.widths[0]:
        raise ValueError(f"inputs are {inputs.shape}, not (steps, {network.widths[0]})")
    values = inputs.astype(np.int64)
    sent = [_delta(values, threshold=1) if network.neuron == "sigma-delta" else values]
    for layer, weights in enumerate(network.weights, 1):
        arriving = np.zeros((len(inputs), weights.shape[0]), np.int64)
        arriving[1:] = _shift((weights.astype(np.int64) @ sent[-1][:-1].T).T, network, layer)
        state = np.cumsum(arriving, axis=0) if network.neuron == "sigma-delta" else arriving
        _check_state(int(np.abs(state).max(initial=0)), layer)
        threshold = network.thresholds[layer - 1]
        if network.neuron == "sigma-delta":
            sent.append(_delta(np.maximum(state, 0), threshold))
        else:
            sent.append(np.where(state > threshold, state, 0))
    return [messages.astype(np.int32) for messages in sent]


def classify(network: SparseMLP, inputs: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Class of each input, (samples,): the largest input to the last layer, first among equals.

    Samples are taken one by one, without the pipeline's delay; ``relu`` networks only.
    """
    messages = inputs.astype(np.int64)
    for layer, weights in enumerate(network.weights, 1):
        state = _shift((weights.astype(np.int64) @ messages.T).T, network, layer)
        _check_state(int(np.abs(state).max(initial=0)), layer)
        messages = np.where(state > network.thresholds[layer - 1], state, 0)
    return np.asarray(state.argmax(axis=1), np.int64)


def _shift(sums: npt.NDArray[np.int64], network: SparseMLP, layer: int) -> npt.NDArray[np.int64]:
    exponent = network.exponents[layer - 1]
    if exponent <= 0:
        return sums >> min(-exponent, 63)
    _check_state(int(np.abs(sums).max(initial=0)) << exponent, layer)
    return sums << exponent


def _delta(values: npt.NDArray[np.int64], threshold: int) -> npt.NDArray[np.int64]:
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


def _check_state(largest: int, layer: int) -> None:
    if largest >= 1 << (STATE_BITS - 1):
        raise OverflowError(
            f"layer {layer}: a neuron reaches {largest}, beyond {STATE_BITS} bits; "
            "lower the layer's exponent"
        )
