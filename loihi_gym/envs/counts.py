"""Giving a core to a layer or taking one away: when that is legal, and what becomes of the mapping.

Change ``layer`` gives a core to that layer, ``max_layers + layer`` takes one from it.
"""

import numpy as np

from ..arrays import Int32Array
from ..errors import InvalidActionError
from ..mapping import Mapping, with_counts
from .base import Mask
from .measured_mapping import MeasuredMapping
from .task import EpisodeTask


def recut(task: EpisodeTask, measured: MeasuredMapping, change: int, max_layers: int) -> Mapping:
    """The mapping with a core more or less for a layer, by the reordering operator.

    Raises:
        InvalidActionError: if a rule forbids it; it names the rule.
    """
    taken, layer = divmod(change, max_layers)
    problem, counts = task.problem, measured.partition.counts
    if layer >= problem.n_layers:
        raise InvalidActionError(
            f"action {change}: {problem.name} has no layer {layer}, its last is "
            f"{problem.n_layers - 1}"
        )
    if taken and counts[layer] == 1:
        raise InvalidActionError(f"action {change}: layer {layer} must keep its only core")
    if not taken and counts.sum() == problem.topology.n_cores:
        raise InvalidActionError(f"action {change}: no core is free to be given to layer {layer}")
    mapping = with_counts(
        measured.mapping, changed_counts(counts, layer, bool(taken)), problem.topology.n_cores
    )
    violations = problem.check(mapping)
    if violations:
        verb = "taking a core from" if taken else "giving a core to"
        raise InvalidActionError(f"action {change}: {verb} layer {layer} breaks {violations[0]}")
    return mapping


def legal_changes(task: EpisodeTask, measured: MeasuredMapping, max_layers: int) -> Mask:
    """Which changes `recut` accepts, (2 max_layers,); a new array."""
    partition = measured.partition
    if partition.legal_changes is None:
        partition.legal_changes = _legal_changes(task, partition.counts, max_layers)
    return partition.legal_changes.copy()


def _legal_changes(task: EpisodeTask, counts: Int32Array, max_layers: int) -> Mask:
    problem = task.problem
    mask = np.zeros((2, max_layers), np.bool_)
    free = counts.sum() < problem.topology.n_cores
    for layer, width in enumerate(problem.network.widths):
        mask[0, layer] = free and counts[layer] < width and _fits(task, counts, layer, False)
        mask[1, layer] = counts[layer] > 1 and _fits(task, counts, layer, True)
    return mask.reshape(-1)


def changed_counts(counts: Int32Array, layer: int, taken: bool) -> Int32Array:
    """The counts with a core more or less for a layer."""
    changed = counts.copy()
    changed[layer] += -1 if taken else 1
    return changed


def _fits(task: EpisodeTask, counts: Int32Array, layer: int, taken: bool) -> bool:
    """Whether the change keeps every capacity: of the layer's pieces, and axons into them."""
    changed = changed_counts(counts, layer, taken)
    return task.fits(layer, changed) and (layer == 0 or task.fits(layer - 1, changed))
