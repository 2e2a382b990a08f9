"""Moves from one mapping to another."""

import numpy as np

from ..arrays import Int32Array
from .mapping import Mapping


def swap(mapping: Mapping, core_a: int, core_b: int) -> Mapping:
    """Exchange what sits on two physical cores; either may be free."""
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
    first = np.concatenate(([0], np.cumsum(counts)))
    kept = [
        order[start : start + min(old, new)]
        for start, old, new in zip(first[:-1], counts, new_counts, strict=True)
    ]
    surplus = [
        order[start + min(old, new) : start + old]
        for start, old, new in zip(first[:-1], counts, new_counts, strict=True)
    ]
    pool = np.concatenate([order[first[-1] :], *surplus])
    parts, taken = [], 0
    for cores, wanted in zip(kept, new_counts, strict=True):
        lacking = int(wanted) - len(cores)
        parts += [cores, pool[taken : taken + lacking]]
        taken += lacking
    return np.concatenate([*parts, pool[taken:]]).astype(np.int32)


def full_order(mapping: Mapping, n_cores: int) -> Int32Array:
    """All physical cores: the mapping's in logical order, then the unused ones ascending."""
    unused = np.setdiff1d(np.arange(n_cores, dtype=np.int32), mapping.placement)
    return np.concatenate([mapping.placement, unused]).astype(np.int32)


def with_counts(mapping: Mapping, new_counts: Int32Array, n_cores: int) -> Mapping:
    """The mapping after the reordering operator."""
    order = reorder(mapping.cores_per_layer, full_order(mapping, n_cores), new_counts)
    return Mapping(new_counts, order[: int(new_counts.sum())])
