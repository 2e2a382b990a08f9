"""Contiguous pieces of layers, and what their synapses and axons take of a core."""

from typing import NamedTuple

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import ChipSpec
from ..chip.spec import Capacity
from ..network import SparseMLP
from .loads_kernel import count_axons, has_room
from .recent import Recent

KEPT_PER_LAYER = 64
"""Counts of axons that are kept for each layer: a few KB each."""


def bounds(neurons: int, k: int) -> Int64Array:
    """First neuron of each of `k` balanced contiguous pieces, and the end: (k + 1,)."""
    return np.arange(k + 1, dtype=np.int64) * neurons // k


def synapse_bits(network: SparseMLP, capacity: Capacity, dense: bool, layer: int) -> int:
    """Bits of a stored synapse of a layer; the chip file counts the widest weights."""
    widest = capacity.weight_bits
    weight = network.weight_bits[layer - 1] if network.weight_bits and layer else widest
    return weight if dense else capacity.synapse_bits - widest + weight


class Axons(NamedTuple):
    """Axons between a layer's neurons and the k pieces of the next."""

    into: Int64Array  # presynaptic neurons with a synapse in each piece, (k,)
    reached: Int32Array  # pieces in which each presynaptic neuron has one, (n_pre,)


class Pieces:
    """Neurons, synapses, axons and memory of the pieces that a network's layers are cut into.

    Axons are counted once per (layer, pieces) and cached, since a search meets few such pairs but
    very many combinations of them.
    """

    def __init__(self, network: SparseMLP, chip: ChipSpec) -> None:
        self.network = network
        self.widths = network.widths
        self._capacity = chip.capacity
        self._dense = chip.structure.rows == "dense"
        self._axons: Recent[tuple[int, int], Axons] = Recent(KEPT_PER_LAYER * len(self.widths))

    def axons(self, layer: int, k: int) -> Axons:
        """Axons into `k` pieces of `layer`, which is not the first one."""
        return self._axons.get((layer, k), lambda: self._count_axons(layer, k))

    def _count_axons(self, layer: int, k: int) -> Axons:
        if self._dense:  # every neuron of the layer before it reaches every piece
            before = self.widths[layer - 1]
            return Axons(np.full(k, before), np.full(before, k, np.int32))
        weights = self.network.weights[layer - 1]
        axons = Axons(np.zeros(k, np.int64), np.zeros(self.widths[layer - 1], np.int32))
        count_axons(weights.indptr, weights.indices, axons.into, axons.reached)
        return axons

    def fits(self, layer: int, k: int, fan_out: int) -> bool:
        """Whether `k` pieces respect every capacity, `fan_out` pieces coming next, 0 for any.

        The same as what the other methods count, told with as little counting as it takes.
        """
        limits, largest = self._capacity, -(-self.widths[layer] // k)
        if largest > limits.neurons or not self._receives(layer, k, largest):
            return False
        if largest * fan_out <= limits.output_axons:
            return True
        return bool((self.output_axons(layer, k, fan_out) <= limits.output_axons).all())

    def _receives(self, layer: int, k: int, largest: int) -> bool:
        """Whether `k` pieces, the largest of so many neurons, hold their synapses and axons."""
        limits, bits = self._capacity, self.synapse_bits(layer)
        if layer == 0:
            return min(limits.synmem_words, limits.input_axons) >= 0
        weights = self.network.weights[layer - 1]
        if self._dense:
            axons = self.widths[layer - 1]
            words = (-(-largest * bits // 64) + limits.axon_words) * axons
            return words <= limits.synmem_words and axons <= limits.input_axons
        cost, n_pre = (bits, limits.axon_words), weights.shape[1]
        most = limits.synmem_words, limits.input_axons
        return bool(has_room(weights.indptr, weights.indices, n_pre, k, cost, *most))

    def neurons(self, layer: int, k: int) -> Int64Array:
        """Neurons in each piece, (k,)."""
        return np.diff(bounds(self.widths[layer], k))

    def synapses(self, layer: int, k: int) -> Int64Array:
        """Synapses that each piece stores, (k,)."""
        if layer == 0:
            return np.zeros(k, np.int64)
        if self._dense:
            return self.neurons(layer, k) * self.widths[layer - 1]
        indptr: Int64Array = self.network.weights[layer - 1].indptr.astype(np.int64)
        return np.diff(indptr[bounds(self.widths[layer], k)])

    def synmem_words(self, layer: int, k: int) -> Int64Array:
        """64-bit words of synaptic memory that each piece takes, (k,)."""
        bits = self.synapse_bits(layer)
        axons = self.input_axons(layer, k) * self._capacity.axon_words
        if self._dense:  # one row for each axon, in whole words
            rows = -(-self.neurons(layer, k) * bits // 64)
            return rows * self.input_axons(layer, k) + axons
        return -(-self.synapses(layer, k) * bits // 64) + axons

    def synapse_bits(self, layer: int) -> int:
        """Bits of a stored synapse of a layer: its weight and, in sparse rows, its index."""
        return synapse_bits(self.network, self._capacity, self._dense, layer)

    def input_axons(self, layer: int, k: int) -> Int64Array:
        """Presynaptic neurons with at least one synapse in each piece, (k,)."""
        return np.zeros(k, np.int64) if layer == 0 else self.axons(layer, k).into

    def output_axons(self, layer: int, k: int, fan_out: int) -> Int64Array:
        """(Neuron, destination piece) pairs of each piece, (k,); `fan_out` pieces come next."""
        if fan_out == 0:
            return np.zeros(k, np.int64)
        reached = self.axons(layer + 1, fan_out).reached
        return np.add.reduceat(reached, bounds(self.widths[layer], k)[:-1], dtype=np.int64)
