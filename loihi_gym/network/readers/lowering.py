"""Convolution and pooling as sparse matrices on flat signals.

A signal of shape (channels, length) or (channels, height, width) is flattened with its last
dimension fastest, as PyTorch, NIR and ONNX do. Every tap of a kernel that falls on the signal is a
synapse, unless its weight is 0; taps on the padding are none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from ...arrays import BoolArray, Float64Array, Int64Array, NumberArray
from ..foreign import require_size

BYTES_EACH = 12
"""Of a synapse in a float matrix: a float64 and an int32."""

Shape = tuple[int, ...]
Padding = Sequence[tuple[int, int]]
"""What is added before and behind each spatial dimension."""


@dataclass(frozen=True)
class Sliding:
    """How a kernel moves over a signal; each field has an entry for each spatial dimension.

    Attributes:
        kernel: Number of taps.
        stride: Steps from one output to the next.
        padding: Zeros before and behind the signal.
        dilation: Steps from one tap to the next.
    """

    kernel: Shape
    stride: Shape
    padding: Padding
    dilation: Shape

    def __post_init__(self) -> None:
        sizes = {len(self.kernel), len(self.stride), len(self.padding), len(self.dilation)}
        if len(sizes) != 1:
            raise ValueError(f"kernel {self.kernel} and strides {self.stride} differ in dimensions")
        if min(*self.kernel, *self.stride, *self.dilation) < 1 or np.min(self.padding) < 0:
            raise ValueError("kernels, strides and dilations must be 1 or more, paddings 0 or more")

    def output(self, spatial: Shape) -> Shape:
        """Size of the output for a signal of some size.

        Raises:
            ValueError: if the kernel does not fit on it.
        """
        span = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True)]
        room = [n + sum(pad) for n, pad in zip(spatial, self.padding, strict=True)]
        sizes = tuple(
            (n - s) // step + 1 for n, s, step in zip(room, span, self.stride, strict=True)
        )
        if min(n - s for n, s in zip(room, span, strict=True)) < 0:
            raise ValueError(f"a kernel of {self.kernel} does not fit on {spatial}")
        return sizes

    def taps(self, spatial: Shape) -> tuple[Int64Array, BoolArray]:
        """Flat places that each output's taps fall on, and whether that is the signal.

        Returns:
            Both (outputs, taps), the last dimension of either fastest.
        """
        places, inside = np.zeros((1, 1), np.int64), np.ones((1, 1), np.bool_)
        for axis, (size, width) in enumerate(zip(spatial, self.output(spatial), strict=True)):
            first = np.arange(width) * self.stride[axis] - self.padding[axis][0]
            at = first[:, None] + np.arange(self.kernel[axis]) * self.dilation[axis]
            places = _paired(places * size, at)
            inside = _paired(inside, (at >= 0) & (at < size)) == 2
        return places, inside


def _paired(left: Int64Array | BoolArray, right: Int64Array | BoolArray) -> Int64Array:
    """Sums of all pairs of rows and of columns, (a, b) and (c, d) to (a c, b d)."""
    pairs = left.astype(np.int64)[:, None, :, None] + right[None, :, None, :]
    return pairs.reshape(left.shape[0] * right.shape[0], left.shape[1] * right.shape[1])


def same_padding(kernel: Shape, dilation: Shape) -> Padding:
    """Padding with which stride 1 keeps a signal's size: an odd zero goes behind."""
    whole = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return [(pad // 2, pad - pad // 2) for pad in whole]


def convolution(
    weight: NumberArray,
    shape: Shape,
    window: Sliding,
    groups: int = 1,
    mask: BoolArray | None = None,
) -> tuple[csr_array, Shape]:
    """A convolution, which as in PyTorch does not turn its kernel round.

    Args:
        weight: (channels out, channels in / groups, kernel...).
        shape: The signal, (channels in, length) or (channels in, height, width).
        window: How the kernel moves.
        groups: Parts of the channels that are convolved by themselves.
        mask: Where there are synapses, of the shape of `weight`; None for where it is not 0.

    Returns:
        A float64 matrix (outputs, inputs), the indices of a row ascending, and the output's shape.

    Raises:
        ValueError: if the shapes do not fit each other.
    """
    channels, inner = weight.shape[0], weight.shape[1]
    if len(shape) != weight.ndim - 1 or shape[0] != inner * groups or channels % max(groups, 1):
        raise ValueError(
            f"weights {weight.shape} in {groups} groups do not fit a signal of shape {shape}"
        )
    places, inside = window.taps(shape[1:])
    size = int(np.prod(shape[1:]))
    require_size(BYTES_EACH * int(inside.sum()) * channels * inner)
    columns = (np.arange(inner)[:, None] * size + places[:, None, :]).astype(np.int32)
    kernels = weight.reshape(channels, inner, -1).astype(np.float64)
    present = (kernels != 0) if mask is None else mask.reshape(kernels.shape)
    indices, data, counts = [], [], []
    for channel in range(channels):
        kept = inside[:, None, :] & present[channel]
        first = channel // (channels // groups) * inner * size
        indices.append(columns[kept] + np.int32(first))
        data.append(np.broadcast_to(kernels[channel], kept.shape)[kept])
        counts.append(kept.sum(axis=(1, 2)))
    outputs = (channels, *window.output(shape[1:]))
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    parts = np.concatenate(data), np.concatenate(indices), _index(indptr)
    return csr_array(parts, shape=(int(np.prod(outputs)), int(np.prod(shape)))), outputs


def pooling(
    shape: Shape, window: Sliding, divisor: float | None = None, with_padding: bool = True
) -> tuple[csr_array, Shape]:
    """Sums of each channel's windows, divided; a convolution of each channel by itself.

    Args:
        shape: As of `convolution`.
        window: As of `convolution`.
        divisor: What sums are divided by, 1 for sum pooling; None for their number of taps.
        with_padding: Whether taps on the padding count as such.
    """
    ones = np.ones((shape[0], 1, *window.kernel))
    matrix, outputs = convolution(ones, shape, window, groups=shape[0])
    taps = np.diff(matrix.indptr) if not with_padding else np.prod(window.kernel)
    parts = np.broadcast_to(taps if divisor is None else divisor, matrix.shape[0])
    matrix.data /= np.repeat(parts.astype(np.float64), np.diff(matrix.indptr))
    return matrix, outputs


def diagonal(factors: Float64Array) -> csr_array:
    """Each value by a factor of its own."""
    n = len(factors)
    return csr_array((factors, np.arange(n, dtype=np.int32), np.arange(n + 1, dtype=np.int32)))


def _index(values: Int64Array) -> NumberArray:
    return values.astype(np.int32 if values[-1] < 1 << 31 else np.int64)
