"""Layers in floating point, as files have them, before they are rounded."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ...arrays import BoolArray, Float64Array
from ..sparse_mlp import MAX_WEIGHT_BITS
from .imported import require_chain, unsupported


@dataclass(frozen=True)
class FloatLayer:
    """Synapses and biases in floating point.

    Attributes:
        weights: Rows post-synaptic; a stored 0 is a synapse of weight 0.
        bias: (n_post,).
        weight_bits: Bits of a weight that the file says are enough.
    """

    weights: csr_array
    bias: Float64Array
    weight_bits: int = MAX_WEIGHT_BITS

    @property
    def weight_limit(self) -> int:
        """Largest weight of that many bits: 127 of 8."""
        return (1 << (self.weight_bits - 1)) - 1


@dataclass(frozen=True, kw_only=True)
class SpikingLayer(FloatLayer):
    """A float layer with what its neurons add: per step, v = (1 - decay) v + current.

    Attributes:
        threshold: Voltage that each neuron spikes above, (n_post,), positive; None if it never
            spikes.
        current_decay: Part of its current that a neuron forgets in a step, 0 to 1.
        voltage_decay: The same of its voltage.
    """

    threshold: Float64Array | None
    current_decay: float
    voltage_decay: float


def float_layer(
    name: object,
    kind: str,
    weights: npt.NDArray[Any] | None,
    bias: npt.NDArray[Any] | None = None,
    mask: npt.NDArray[Any] | None = None,
    width: int | None = None,
) -> FloatLayer:
    """A layer of plain arrays.

    Args:
        name: What the file calls the layer.
        kind: What kind of layer it is there.
        weights: (out, in).
        bias: (out,); None for zeros.
        mask: (out, in), 0 where there is no synapse; None: a weight of 0 is no synapse.
        width: Neurons of the layer before it; None for the first.

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
    if width is not None:
        require_chain(name, kind, weights.shape[1], width)
    if bias is not None and bias.shape != (len(weights),):
        unsupported(name, kind, f"biases are {bias.shape}, not ({len(weights)},)")
    if mask is not None and mask.shape != weights.shape:
        unsupported(name, kind, f"the mask is {mask.shape}, not {weights.shape}")
    chosen = synapses(weights, None if mask is None else mask != 0)
    return FloatLayer(chosen, np.zeros(len(weights)) if bias is None else bias.astype(np.float64))


def synapses(weights: npt.NDArray[Any], mask: BoolArray | None) -> csr_array:
    """A dense matrix, as float64, with the synapses that `mask` has, or those that are not 0."""
    present = weights != 0 if mask is None else mask
    places = np.flatnonzero(present)
    indptr = np.zeros(len(weights) + 1, np.int32)
    np.cumsum(np.count_nonzero(present, axis=1), out=indptr[1:])
    columns = (places % weights.shape[1]).astype(np.int32)
    data = np.ascontiguousarray(weights).reshape(-1)[places].astype(np.float64)
    return csr_array((data, columns, indptr), shape=weights.shape)
