"""Rounding a trained network of layers without bias to int8."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from loihi_gym.network import SparseMLP

PAYLOAD_BITS = 12
"""Largest payload of a hidden layer on the training data, in bits, that exponents aim at."""

Layer = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]
"""Weights of a layer and which of its synapses there are, both (n_post, n_pre)."""


def quantise(layers: Sequence[Layer], inputs: npt.NDArray[np.int16]) -> SparseMLP:
    """A ReLU network in integers; exponents keep payloads on `inputs` within PAYLOAD_BITS.

    Scaling a layer by a positive number scales what comes after it and changes no decision, so
    every layer is scaled to use all of int8.
    """
    weights, exponents = [], []
    messages = inputs.astype(np.int64)
    for layer in layers:
        matrix = _int8(*layer)
        sums = (matrix.astype(np.int64) @ messages.T).T
        exponent = 0
        while np.abs(sums >> -exponent).max() >> PAYLOAD_BITS:
            exponent -= 1
        messages = np.maximum(sums >> -exponent, 0)
        weights.append(matrix)
        exponents.append(exponent)
    return SparseMLP(tuple(weights), tuple(exponents), thresholds=(0,) * len(weights))


def dense(weights: npt.NDArray[np.float64]) -> Layer:
    """A layer that has all its synapses."""
    return weights, np.ones(weights.shape, bool)


def _int8(weights: npt.NDArray[np.float64], mask: npt.NDArray[np.bool_]) -> csr_array:
    """The layer's weights in units of its largest / 127; a weight of zero keeps its synapse."""
    rows, columns = np.nonzero(mask)
    data = np.rint(weights[rows, columns] * (127 / np.abs(weights).max())).astype(np.int8)
    indptr = np.searchsorted(rows, np.arange(len(weights) + 1)).astype(np.int32)
    return csr_array((data, columns.astype(np.int32), indptr), shape=weights.shape)
