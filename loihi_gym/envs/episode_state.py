"""`EpisodeState`: where an episode stands, how it is kept, and what of it is pickled."""

from typing import Any, NamedTuple

from ..backends import Measurement
from ..mapping import Mapping
from .measured_mapping import Evaluated, MeasuredMapping
from .task import EpisodeTask


class EpisodeState(NamedTuple):
    """Where an episode stands. Immutable: keeping one is keeping the episode.

    Attributes:
        task: What is solved in this episode.
        measured: The current mapping, measured.
        value: Its objective.
        best: The best objective of the episode so far, the start's included.
        evaluations: Mappings measured in this episode.
        steps: Actions taken.
        cursor: Logical core to be placed next, -1 for none.
        over: Whether the episode has ended, or none has begun.
        error: Why it could not go on, None unless a measurement failed.
        undo: The mapping before the last swap, if it may be taken back.
    """

    task: EpisodeTask
    measured: MeasuredMapping
    value: float
    best: float
    evaluations: int
    steps: int
    cursor: int
    over: bool
    error: str | None = None
    undo: MeasuredMapping | None = None


class Snapshot(NamedTuple):
    """What `LoihiEnv.get_state` returns: the episode, and the generator that draws the next one."""

    episode: EpisodeState
    generator: dict[str, Any]


def pack(state: EpisodeState) -> dict[str, Any]:
    """What of a state is pickled: no task, whose compiled tables are made anew."""
    undo = state.undo and _pack(state.undo)
    return state._asdict() | {"task": None, "measured": _pack(state.measured), "undo": undo}


def unpack(task: EpisodeTask, packed: dict[str, Any]) -> EpisodeState:
    """The state that `pack` took apart."""
    undo = packed["undo"] and _unpack(task, *packed["undo"])
    measured = _unpack(task, *packed["measured"])
    return EpisodeState(**packed | {"task": task, "measured": measured, "undo": undo})


def _pack(measured: MeasuredMapping) -> tuple[Mapping, Measurement | None]:
    kept = measured.measurement if isinstance(measured, Evaluated) else None
    return measured.mapping, kept


def _unpack(
    task: EpisodeTask, mapping: Mapping, measurement: Measurement | None
) -> MeasuredMapping:
    if measurement is None:
        return task.evaluate(mapping)
    return Evaluated(task.partition(mapping.cores_per_layer), mapping, measurement)
