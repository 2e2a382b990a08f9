"""Moves from one mapping to another."""

import numpy as np

from ..arrays import Int32Array
from .mapping import Mapping


def swap(mapping: Mapping, core_a: int, core_b: int) -> Mapping:
    """Exchange what sits on two physical cores; either may be free.

    Example:
        >>> swap(Mapping([2, 1], [0, 5, 3]), 5, 7)
        Mapping(cores_per_layer=[2, 1], placement=[0, 7, 3])
    """
    placement = mapping.placement.copy()
    on_a, on_b = placement == core_a, placement == core_b
    placement[on_a], placement[on_b] = core_b, core_a
    return Mapping(mapping.cores_per_layer, placement)


def reorder(counts: Int32Array, order: Int32Array, new_counts: Int32Array) -> Int32Array:
    """The reordering operator (Pierro et al.): change core counts and disturb little.

    Each layer keeps its cores, what it lacks comes from the unused pool, what it has too much
    goes back to the pool.

    Args:
        counts: Cores per layer, (L,).
        order: All physical cores: first those of layer 0, then of layer 1, …, then the unused
            pool, (n_cores,).
        new_counts: Cores per layer wanted, (L,).

    Returns:
        All physical cores in the new order, (n_cores,).
    """
    layer = np.repeat(np.arange(len(counts)), counts)
    used, unused = order[: len(layer)], order[len(layer) :]
    kept = np.arange(len(layer)) - (np.cumsum(counts) - counts)[layer] < new_counts[layer]
    more = np.repeat(np.arange(len(counts)), np.maximum(new_counts - counts, 0))
    cores = np.concatenate([used[kept], unused, used[~kept]])
    owner = np.concatenate([layer[kept], more])  # of the first cores; the others are the pool
    owned = cores[: len(owner)][np.argsort(owner, kind="stable")]
    return np.concatenate([owned, cores[len(owner) :]]).astype(np.int32)


def full_order(mapping: Mapping, n_cores: int) -> Int32Array:
    """All physical cores: the mapping's in logical order, then the unused ones ascending."""
    unused = np.setdiff1d(np.arange(n_cores, dtype=np.int32), mapping.placement)
    return np.concatenate([mapping.placement, unused]).astype(np.int32)


def with_counts(mapping: Mapping, new_counts: Int32Array, n_cores: int) -> Mapping:
    """The mapping after the reordering operator."""
    order = reorder(mapping.cores_per_layer, full_order(mapping, n_cores), new_counts)
    return Mapping(new_counts, order[: int(new_counts.sum())])
