"""Contiguous pieces of layers, and how many synapses run between neurons and pieces."""

import numpy as np
import numpy.typing as npt

from ..chip import ChipSpec
from ..network import SparseMLP
from .recent import Recent

CACHED_COUNTS = 512
"""Synapse-count tables kept: about 100 KB each for a layer of 1024 neurons."""


def bounds(neurons: int, k: int) -> npt.NDArray[np.int64]:
    """First neuron of each of `k` balanced contiguous pieces, and the end: (k + 1,)."""
    return np.arange(k + 1, dtype=np.int64) * neurons // k


class Pieces:
    """Synapse counts and memory of the pieces that a network's layers are cut into.

    Everything follows from one table per (layer, pieces): how many synapses each presynaptic
    neuron has in each piece. The tables are cached, since a search meets few (layer, pieces) pairs
    but very many combinations of them.
    """

    def __init__(self, network: SparseMLP, chip: ChipSpec) -> None:
        self.network = network
        self.widths = network.widths
        self._capacity = chip.capacity
        self._counts: Recent[tuple[int, int], npt.NDArray[np.int32]] = Recent(CACHED_COUNTS)

    def synapse_counts(self, layer: int, k: int) -> npt.NDArray[np.int32]:
        """Synapses of each neuron of layer - 1 in each of `k` pieces of `layer`, (n_pre, k)."""
        return self._counts.get((layer, k), lambda: self._count_synapses(layer, k))

    def _count_synapses(self, layer: int, k: int) -> npt.NDArray[np.int32]:
        weights = self.network.weights[layer - 1]
        cut = weights.indptr[bounds(self.widths[layer], k)]
        columns = [
            np.bincount(weights.indices[start:stop], minlength=self.widths[layer - 1])
            for start, stop in zip(cut[:-1], cut[1:], strict=True)
        ]
        table = np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.int32)
        table.flags.writeable = False
        return table

    def neurons(self, layer: int, k: int) -> npt.NDArray[np.int64]:
        """Neurons in each piece, (k,)."""
        return np.diff(bounds(self.widths[layer], k))

    def synmem_words(self, layer: int, k: int) -> npt.NDArray[np.int64]:
        """64-bit words of synaptic memory that each piece takes, (k,)."""
        if layer == 0:
            return np.zeros(k, np.int64)
        table = self.synapse_counts(layer, k)
        bits = table.sum(axis=0, dtype=np.int64) * self._capacity.synapse_bits
        return -(-bits // 64) + self.input_axons(layer, k) * self._capacity.axon_words

    def input_axons(self, layer: int, k: int) -> npt.NDArray[np.int64]:
        """Presynaptic neurons with at least one synapse in each piece, (k,)."""
        if layer == 0:
            return np.zeros(k, np.int64)
        return np.count_nonzero(self.synapse_counts(layer, k), axis=0).astype(np.int64)

    def output_axons(self, layer: int, k: int, fan_out: int) -> npt.NDArray[np.int64]:
        """(Neuron, destination piece) pairs of each piece, (k,); `fan_out` pieces come next."""
        if fan_out == 0:
            return np.zeros(k, np.int64)
        reached = np.count_nonzero(self.synapse_counts(layer + 1, fan_out), axis=1)
        return np.add.reduceat(reached, bounds(self.widths[layer], k)[:-1]).astype(np.int64)
