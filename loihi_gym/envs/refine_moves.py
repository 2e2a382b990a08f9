"""What `LoihiRefine` offers: candidate moves of a mapping and what describes them."""

from typing import NamedTuple

import numpy as np

from ..arrays import Float32Array, Float64Array, Int32Array
from ..backends.congestion_kernel import FEATURES, N_FEATURES, Flow, PlacedPieces
from .chip_features import CHIP_FEATURES
from .measured_mapping import MeasuredMapping, Partition
from .refine_kernel import MOST, N_MOVE, PIECE, offer
from .task import EpisodeTask

TRIES = 4
"""Draws for a candidate until one is worth describing."""
MOVE_FEATURES = (
    *(f"{name} against now" for name in FEATURES),
    *(f"{name} against the chain's start" for name in FEATURES),
    *(f"{name} of the {which} piece" for which in ("first", "second") for name in PIECE),
    "routers apart",
)
"""What each number that describes a candidate is, in order."""
CONTEXT_FEATURES = (
    *("objective", "best", "progress", "chain", "cores used", "send", "receive"),
    *(f"{name} of the latency" for name in FEATURES),
    *(f"{name} against the chain's start" for name in FEATURES),
    *CHIP_FEATURES,
)
"""What each number of the context is, in order."""


class Moves(NamedTuple):
    """Tables of a partitioning that describe its moves."""

    flow: Flow
    placed: PlacedPieces
    pieces: Float64Array  # (N, 3)


class Offer(NamedTuple):
    """Candidates, drawn.

    Attributes:
        chain: Moves since the last commit.
        cores: The two cores that each candidate exchanges, -1 where there is none, (K, 2).
        features: What describes each, (K, F).
        here: Logarithms of the mapping's own `FEATURES`, (8,).
        base: Those of the mapping that the chain began with, (8,).
    """

    chain: int
    cores: Int32Array
    features: Float32Array
    here: Float64Array
    base: Float64Array


def nothing(count: int) -> Offer:
    """An offer without candidates, until an episode begins."""
    cores, found = np.full((count, 2), -1, np.int32), np.zeros((count, N_MOVE), np.float32)
    return Offer(0, cores, found, np.zeros(N_FEATURES), np.zeros(N_FEATURES))


def draw(
    task: EpisodeTask,
    measured: MeasuredMapping,
    before: Offer | None,
    rng: np.random.Generator,
    count: int,
) -> Offer:
    """Draw candidates for a mapping; `before` is the last offer if its chain goes on."""
    moves = _moves(task, measured)
    base = np.full(N_FEATURES, np.nan) if before is None else before.base.copy()
    made = nothing(count)
    offer(
        moves.flow,
        moves.placed,
        moves.pieces,
        measured.placement,
        base,
        rng.random((count, TRIES, 2)),
        made.here,
        made.cores,
        made.features,
    )
    made = made._replace(base=base, chain=0 if before is None else before.chain + 1)
    for part in made[1:]:
        part.flags.writeable = False
    return made


def context(
    task: EpisodeTask, measured: MeasuredMapping, made: Offer, rest: list[float]
) -> Float32Array:
    """The context of an offer; `rest` is its first five numbers."""
    table, latency_us = measured.partition.table, max(measured.latency_ps * 1e-6, 1e-9)
    busiest = [table.send_ps.max(), table.receive_ps.max()]
    here = np.exp(made.here)
    numbers = [
        *rest,
        *(min(ps * 1e-6 / latency_us, 1.0) for ps in busiest),
        *np.minimum(here / latency_us, 1.0),
        *np.clip(10.0 * (made.here - made.base), -MOST, MOST),
        *task.chip_features,
    ]
    return np.array(numbers, np.float32)


def _moves(task: EpisodeTask, measured: MeasuredMapping) -> Moves:
    partition = measured.partition
    if partition.moves is None:
        partition.moves = _tables(task, partition)
    found: Moves = partition.moves
    return found


def _tables(task: EpisodeTask, partition: Partition) -> Moves:
    table = partition.table
    shares = [part / max(part.max(), 1.0) for part in (table.send_ps, table.receive_ps)]
    pieces = np.stack([(table.layer + 1) / table.n_layers, *shares], axis=1)
    return Moves(*task.congestion.of(partition.counts), pieces)
