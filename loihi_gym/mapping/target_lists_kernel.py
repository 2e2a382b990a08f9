"""Turning rows of presynaptic neurons into lists of targets: the inner loops of `target_lists`.

The slow twin is in ``tests/mapping/test_target_lists.py``.
"""

import numpy as np

from ..compiled import kernel

_MAGIC = np.uint64(0x03F79D71B4CB0A89)
_SHIFT, _ONE, _NONE = np.uint64(58), np.uint64(1), np.uint64(0)
_PLACE = np.zeros(64, np.uint64)
for _place in range(64):
    _PLACE[((int(_MAGIC) << _place) & ((1 << 64) - 1)) >> 58] = _place
"""Place of a single bit by the top six bits of its product with a de Bruijn sequence."""


@kernel
def list_targets(indptr, indices, n_pre, senders, bits, first, targets):  # type: ignore[no-untyped-def]
    """List the post-synaptic neurons of the neurons that send, ascending.

    A large network's synapses come slowly from memory, so they are read once, into a column of
    bits for 64 post-synaptic neurons at a time; then each sender's bits are told apart.

    Args:
        indptr: CSR rows are post-synaptic.
        indices: Presynaptic neuron of each synapse.
        n_pre: Presynaptic neurons.
        senders: Those that send, (A,).
        bits: Room for the columns, uint64 (A, post-synaptic neurons / 64, rounded up).
        first: Filled with where each sender's targets begin, (A + 1,).
        targets: Filled with the targets; room for all synapses is enough.
    """
    column = np.zeros(n_pre, np.uint64)
    for block in range(bits.shape[1]):
        bit = _ONE
        for post in range(64 * block, min(64 * block + 64, len(indptr) - 1)):
            for at in range(indptr[post], indptr[post + 1]):
                column[np.uint64(indices[at])] |= bit
            bit <<= _ONE
        for index in range(len(senders)):
            bits[index, block] = column[senders[index]]
        column[:] = _NONE
    filled = 0
    for index in range(len(senders)):
        first[index] = filled
        for block in range(bits.shape[1]):
            left = bits[index, block]
            while left != _NONE:
                lowest = left & (~left + _ONE)
                targets[filled] = np.uint64(64 * block) + _PLACE[(lowest * _MAGIC) >> _SHIFT]
                filled += 1
                left ^= lowest
    first[len(senders)] = filled


@kernel
def gather(first, neurons, chosen, starts, into):  # type: ignore[no-untyped-def]
    """Copy the lists of the senders `chosen` one after another, each to its place in `starts`."""
    for index in range(len(chosen)):
        begin = first[chosen[index]]
        for at in range(begin, first[chosen[index] + 1]):
            into[starts[index] + at - begin] = neurons[at]
