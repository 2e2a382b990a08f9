"""What rounding to few bits does to weights, whatever neurons they are of."""

import numpy as np
from scipy.sparse import csr_array

from ...arrays import Float64Array, Int64Array
from ...errors import NetworkImportError


def rounded(weights: csr_array, gains: Float64Array | float) -> csr_array:
    """Weights times a gain, or one for each row, as int8; its synapses all stay.

    The gains must be such that no weight leaves int8.
    """
    each = gains if np.ndim(gains) == 0 else np.repeat(gains, np.diff(weights.indptr))
    data = np.rint(weights.data * each).astype(np.int8)
    return csr_array((data, weights.indices, weights.indptr), shape=weights.shape)


def largest(weights: csr_array) -> float:
    """The largest weight, its sign left out."""
    return float(np.abs(weights.data).max(initial=0))


def vanished(layer: int, before: csr_array, after: csr_array) -> list[str]:
    """A note if weights of a layer were rounded to 0, and why if they are many."""
    given = before.data != 0
    lost = int((given & (after.data == 0)).sum())
    if not lost:
        return []
    note = f"layer {layer}: {lost:,} of {int(given.sum()):,} weights became 0"
    if 2 * lost > given.sum():
        times = largest(before) / float(np.median(np.abs(before.data[given])))
        note += f", for its largest weight is {times:,.0f} times the median one"
    return [note]


def whole(biases: Float64Array, bits: int) -> Int64Array:
    """Biases in units of a neuron's state, rounded.

    Raises:
        NetworkImportError: if they take more than so many bits.
    """
    if not (np.abs(biases) < 2.0**bits).all():
        raise NetworkImportError("a layer's biases are too large beside its weights or thresholds")
    return np.rint(biases).astype(np.int64)
