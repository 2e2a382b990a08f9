"""`EpisodeState`: where an episode stands."""

from typing import Any, NamedTuple

from .measured_mapping import MeasuredMapping
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
