"""`EpisodeState`: where an episode stands."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .measured_mapping import MeasuredMapping
from .task import EpisodeTask

MAPPINGS = ("measured", "committed", "lowest", "undo")
"""Fields of `EpisodeState` that are mappings."""


class EpisodeState(NamedTuple):
    """Where an episode stands. Immutable: keeping one is keeping the episode.

    Attributes:
        task: What is solved in this episode.
        measured: The current mapping; with what was last measured in place of its own latency if
            it is `Unmeasured`.
        committed: The last mapping that was measured and kept.
        value: Its objective.
        lowest: The best mapping that this environment measured of the task, in this episode and
            those before it.
        least: Its objective.
        best: The best objective of the episode so far, the start's included.
        evaluations: Mappings measured in this episode.
        steps: Actions taken.
        cursor: Logical core to be placed next, -1 for none.
        over: Whether the episode has ended, or none has begun.
        error: Why it could not go on, None unless a measurement failed.
        undo: The mapping before the last swap, if it may be taken back.
        offer: The candidates that the next action chooses from, where there are such.
    """

    task: EpisodeTask
    measured: MeasuredMapping
    committed: MeasuredMapping
    lowest: MeasuredMapping
    value: float
    least: float
    best: float
    evaluations: int = 0
    steps: int = 0
    cursor: int = -1
    over: bool = False
    error: str | None = None
    undo: MeasuredMapping | None = None
    offer: Any = None


class Snapshot(NamedTuple):
    """What `LoihiEnv.get_state` returns.

    Attributes:
        episode: Where the episode stands.
        generator: State of the generator that draws the next one.
        found: What the episodes before it found.
    """

    episode: EpisodeState
    generator: dict[str, Any]
    found: "Found"


class Kept(NamedTuple):
    """What the episodes on one task have found.

    Attributes:
        best: The mapping with the least objective.
        incumbent: The mapping that the last of them ended with.
    """

    best: MeasuredMapping
    incumbent: MeasuredMapping


Found = Mapping[EpisodeTask, Kept]
"""What episodes have found by task; never written to."""
