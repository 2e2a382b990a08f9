"""Linear maps from one layer of neurons to the next, multiplied into one matrix of synapses."""

import math
from typing import NoReturn

import numpy as np
from scipy.sparse import csr_array

from ...arrays import BoolArray, Float64Array, NumberArray
from ..foreign import require_size
from ..sparse_mlp import MAX_WEIGHT_BITS
from .float_layers import FloatLayer, float_layer
from .imported import unsupported
from .lowering import BYTES_EACH, Shape, Sliding, convolution, diagonal, pooling


class LinearChain:
    """Collects linear maps until neurons follow.

    Args:
        shape: Shape of the network's input, such as (channels, height, width).

    Attributes:
        shape: Shape of the signal where the chain ends now.
        names: What was collected since the last neurons.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.names: list[str] = []
        self._matrix: csr_array | None = None
        self._bias: Float64Array | None = None
        self._bits = MAX_WEIGHT_BITS

    @property
    def width(self) -> int:
        """Number of values of the signal."""
        return math.prod(self.shape)

    def linear(
        self,
        name: str,
        kind: str,
        weight: NumberArray | None,
        bias: NumberArray | None = None,
        mask: NumberArray | None = None,
        bits: int = MAX_WEIGHT_BITS,
    ) -> None:
        """A matrix (outputs, inputs) on the flat signal; raises as `float_layer`."""
        layer = float_layer(name, kind, weight, bias, mask, self.width)
        self._append(name, kind, layer.weights, layer.bias, (layer.weights.shape[0],), bits)

    def convolve(
        self,
        name: str,
        kind: str,
        weight: NumberArray,
        bias: NumberArray | None,
        window: Sliding,
        groups: int = 1,
        mask: BoolArray | None = None,
        bits: int = MAX_WEIGHT_BITS,
    ) -> None:
        """A convolution, see `lowering.convolution`; its bias is one for each channel."""
        if not np.isfinite(weight).all() or (bias is not None and not np.isfinite(bias).all()):
            unsupported(name, kind, "weights or biases are not all finite numbers")
        if bias is not None and bias.shape != weight.shape[:1]:
            unsupported(name, kind, f"biases are {bias.shape}, not {weight.shape[:1]}")
        try:
            matrix, shape = convolution(weight, self.shape, window, groups, mask)
        except ValueError as error:
            self._refuse(name, kind, error)
        each = np.zeros(len(weight)) if bias is None else bias.astype(np.float64)
        self._append(name, kind, matrix, np.repeat(each, math.prod(shape[1:])), shape, bits)

    def pool(
        self,
        name: str,
        kind: str,
        window: Sliding,
        divisor: float | None = None,
        with_padding: bool = True,
    ) -> None:
        """Sum or average pooling, see `lowering.pooling`."""
        if len(self.shape) != len(window.kernel) + 1:
            self._refuse(name, kind, f"it cannot pool a signal of shape {self.shape}")
        try:
            matrix, shape = pooling(self.shape, window, divisor, with_padding)
        except ValueError as error:
            self._refuse(name, kind, error)
        self._append(name, kind, matrix, np.zeros(matrix.shape[0]), shape)

    def scale(self, name: str, kind: str, factor: Float64Array, offset: Float64Array) -> None:
        """A factor and an offset for each channel, or for each value of the signal."""
        for part in (factor, offset):
            if len(part) not in (1, self.shape[0], self.width) or not np.isfinite(part).all():
                reason = f"{len(part)} factors for a signal of shape {self.shape}"
                unsupported(name, kind, f"{reason}, or not all finite")
        each = [np.repeat(part, self.width // len(part)) for part in (factor, offset)]
        if (factor == 1).all() and self._bias is not None:  # a bias that stands by itself
            self._bias = self._bias + each[1]
            return
        self._append(name, kind, diagonal(each[0]), each[1], self.shape)

    def reshape(self, name: str, kind: str, shape: Shape) -> None:
        """Another shape of the same values.

        Raises:
            NetworkImportError: if it has another number of them.
        """
        if math.prod(shape) != self.width or min(shape, default=0) < 1:
            unsupported(name, kind, f"a signal of shape {self.shape} cannot become {shape}")
        self.shape = shape

    def flatten(self, first: int = 0, last: int = -1) -> None:
        """Join the dimensions from `first` to `last`, the batch not counted."""
        n = len(self.shape)
        first, last = first % n, last % n
        joined = math.prod(self.shape[first : last + 1])
        self.shape = (*self.shape[:first], joined, *self.shape[last + 1 :])

    def product_note(self, layer: int) -> list[str]:
        """A note if the synapses of a layer are the product of several maps."""
        if len(self.names) < 2 or self._matrix is None:
            return []
        joined = f"layer {layer} is the product of {', '.join(self.names)}"
        return [f"{joined}: {self._matrix.nnz:,} synapses"]

    def take(self) -> FloatLayer:
        """What was collected, and begin anew; something must have been."""
        assert self._matrix is not None
        assert self._bias is not None
        layer = FloatLayer(self._matrix, self._bias, self._bits)
        self._matrix, self._bias, self.names = None, None, []
        return layer

    def _append(
        self,
        name: str,
        kind: str,
        matrix: csr_array,
        bias: Float64Array,
        shape: Shape,
        bits: int = MAX_WEIGHT_BITS,
    ) -> None:
        self._bits = bits if self._matrix is None else MAX_WEIGHT_BITS
        if self._matrix is None or self._bias is None:
            self._matrix, self._bias = matrix, bias
        else:
            _require_product(matrix, self._matrix)
            self._bias = matrix @ self._bias + bias
            self._matrix = csr_array(matrix @ self._matrix)
            self._matrix.sort_indices()
        self.names.append(f"{name} ({kind})")
        self.shape = shape

    def _refuse(self, name: str, kind: str, reason: object) -> NoReturn:
        hint = ""
        if len(self.shape) == 1:
            hint = "; if it is not flat, give the activity as (time steps, channels, height, width)"
        unsupported(name, kind, f"{reason}{hint}")


def _require_product(left: csr_array, right: csr_array) -> None:
    """Raise ValueError if a product may take more memory than any file may."""
    most = int(np.diff(right.indptr)[left.indices].sum())
    require_size(BYTES_EACH * min(most, left.shape[0] * right.shape[1]))
