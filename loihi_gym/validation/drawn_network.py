"""Networks and activity of given shapes and rates, drawn, not trained: weights mean nothing."""

import math

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Int32Array, Int64Array
from ..network import Activity, SparseMLP, random_mask
from .figures import Convolution, FigureNetwork

LONG_PAYLOAD = 1000
"""A payload of more than 8 bits."""


def draw_network(drawn: FigureNetwork, seed: int) -> SparseMLP:
    """The network: whole convolutions, random masks of fixed fan-in for densities."""
    weights = []
    for layer, connection in enumerate(drawn.connections, 1):
        before, after = drawn.shapes[layer - 1 : layer + 1]
        if isinstance(connection, Convolution):
            weights.append(convolution(before, after, connection))
        else:
            weights.append(_random(seed + layer, math.prod(before), math.prod(after), connection))
    layers = len(weights)
    return SparseMLP(
        tuple(weights),
        exponents=(0,) * layers,
        thresholds=(0,) * layers,
        weight_bits=(drawn.weight_bits,) * layers,
    )


def draw_activity(drawn: FigureNetwork, steps: int, seed: int) -> Activity:
    """Messages: in every step exactly the stated part of each layer's neurons, at random."""
    payload = 1 if drawn.message_bits == 32 else LONG_PAYLOAD
    chance, layers = np.random.PCG64(seed), []
    for width, part in zip(drawn.widths, drawn.active, strict=True):
        messages = np.zeros((steps, width), np.int32)
        keys = chance.random_raw(steps * width).reshape(steps, width)
        senders = np.argsort(keys, axis=1, kind="stable")[:, : round(part * width)]
        np.put_along_axis(messages, senders, payload, axis=1)
        layers.append(messages)
    return Activity(tuple(layers))


def _random(seed: int, n_pre: int, n_post: int, density: float) -> csr_array:
    fan_in = max(1, round(density * n_pre))
    if fan_in == n_pre:
        indices = np.tile(np.arange(n_pre, dtype=np.int32), n_post)
    else:
        indices = random_mask(seed, n_post, n_pre, fan_in).reshape(-1)
    return _matrix(indices, np.full(n_post, fan_in), n_pre)


def convolution(before: tuple[int, ...], after: tuple[int, ...], how: Convolution) -> csr_array:
    """A convolution as a matrix of ones; neurons are numbered by x, y, channel.

    So the contiguous pieces of a layer are slices of the image along x, as Lava's compiler cuts it.
    """
    columns, rows = _taps(how, 0, before[0], after[0]), _taps(how, 1, before[1], after[1])
    x, y = columns[:, None, :, None], rows[None, :, None, :]
    inside = ((x >= 0) & (x < before[0]) & (y >= 0) & (y < before[1])).reshape(
        -1, x.shape[2] * y.shape[3]
    )
    pixels = (x * before[1] + y).reshape(inside.shape)
    channels = np.arange(before[2])
    parts = []
    for taps, there in zip(pixels, inside, strict=True):
        inputs = (taps[there][:, None] * before[2] + channels).reshape(-1).astype(np.int32)
        parts.append(np.tile(inputs, after[2]))
    fan_in = np.repeat(inside.sum(axis=1) * before[2], after[2])
    return _matrix(np.concatenate(parts), fan_in, math.prod(before))


def _taps(how: Convolution, axis: int, size: int, made: int) -> Int64Array:
    """Input positions of each output position along an axis, (made, kernel); some are outside."""
    first = np.arange(made) * how.stride[axis] - how.padding[axis]
    taps: Int64Array = first[:, None] + np.arange(how.kernel[axis])
    return taps


def _matrix(indices: Int32Array, fan_in: Int64Array, n_pre: int) -> csr_array:
    indptr = np.concatenate(([0], np.cumsum(fan_in))).astype(np.int32)
    ones = np.ones(len(indices), np.int8)
    return csr_array((ones, indices, indptr), shape=(len(fan_in), n_pre))
