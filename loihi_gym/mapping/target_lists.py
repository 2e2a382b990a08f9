"""`TargetLists`: which neurons send in any recorded step, and to which of the next layer."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from ..arrays import BoolArray, Int32Array, Int64Array
from ..network import Activity, SparseMLP
from .target_lists_kernel import gather, list_targets

NARROW = 1 << 16
"""Neurons of a layer whose numbers take two bytes: half the memory of most networks."""

UnsignedArray = npt.NDArray[np.unsignedinteger]
Kind = type[np.uint16] | type[np.uint32]
Listed = tuple[Int64Array, UnsignedArray]


class TargetLists(NamedTuple):
    """The senders of all layers, S in all, and their targets.

    A neuron that sends in several of the T steps is listed once. The last layer's have no targets.
    """

    layer_first: Int64Array  # where each layer's senders begin, (L + 1,)
    senders: Int32Array  # number of each within its layer, ascending, (S,)
    sends: BoolArray  # in which steps each sends, (S, T)
    first: Int64Array  # where each one's targets begin, (S + 1,)
    neurons: UnsignedArray  # targets, ascending for each sender


def target_lists(network: SparseMLP, activity: Activity, dense: bool) -> TargetLists:
    """The lists of a network's recorded activity.

    Args:
        network: The network.
        activity: What its layers send.
        dense: Whether every neuron reaches all of the next layer, as rows without indices do.
    """
    sends = [(layer != 0).T for layer in activity.messages]
    senders = [np.flatnonzero(layer.any(axis=1)).astype(np.int32) for layer in sends]
    kind = np.uint16 if max(network.widths) <= NARROW else np.uint32
    room = np.empty(0 if dense else max(weights.nnz for weights in network.weights), kind)
    listed = [
        _every(len(own), weights, kind) if dense else _targets(own, weights, room)
        for own, weights in zip(senders, network.weights, strict=False)
    ]
    lengths = [lengths for lengths, _ in listed]
    return TargetLists(
        layer_first=_offsets(np.array([len(own) for own in senders])),
        senders=np.concatenate(senders),
        sends=np.concatenate([layer[own] for layer, own in zip(sends, senders, strict=True)]),
        first=_offsets(np.concatenate([*lengths, np.zeros(len(senders[-1]), np.int64)])),
        neurons=np.concatenate([neurons for _, neurons in listed]),
    )


def _every(n: int, weights: csr_array, kind: Kind) -> Listed:
    """`n` senders with all post-synaptic neurons as targets."""
    n_post = weights.shape[0]
    return np.full(n, n_post), np.tile(np.arange(n_post, dtype=kind), n)


def _targets(senders: Int32Array, weights: csr_array, room: UnsignedArray) -> Listed:
    """How many targets each sender has, and which, sender by sender."""
    n_post, n_pre = weights.shape
    first = np.empty(len(senders) + 1, np.int64)
    bits = np.empty((len(senders), -(-n_post // 64)), np.uint64)
    list_targets(weights.indptr, weights.indices, n_pre, senders, bits, first, room)
    return np.diff(first), room[: first[-1]].copy()


def chosen_targets(lists: TargetLists, chosen: Int64Array) -> tuple[Int64Array, Int32Array]:
    """Targets of some senders: where each one's begin, (C + 1,), and the neurons.

    Args:
        lists: The lists of a network.
        chosen: Which senders, C of the S.
    """
    starts = _offsets(lists.first[chosen + 1] - lists.first[chosen])
    neurons = np.empty(int(starts[-1]), np.int32)
    gather(lists.first, lists.neurons, chosen, starts, neurons)
    return starts, neurons


def _offsets(lengths: npt.NDArray[np.integer]) -> Int64Array:
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
