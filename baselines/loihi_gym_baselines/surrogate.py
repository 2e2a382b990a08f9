"""What `map` believes a mapping's latency to be before it is measured.

`Surrogate` describes a mapping by times that are known without simulation: the terms of the bound
(busiest sender, receiver, link) and measures of how much messages are in each other's way. `Model`
is a ridge regression of the logarithm of measured latencies on them, so it needs no constants of
its own: every measurement corrects it. Only measured mappings of the same search teach it.
"""

from typing import NamedTuple

import numpy as np

from loihi_gym.arrays import Float64Array, Int32Array
from loihi_gym.backends.congestion import US, Congestion
from loihi_gym.backends.congestion_kernel import (
    LEAST_US,
    N_FEATURES,
    Flow,
    PlacedPieces,
    features,
    place,
)
from loihi_gym.mapping.per_layer import PerLayer
from loihi_gym.mapping.recent import Recent

from .genome import Genes, Genome

KEPT = 256
"""Partitionings whose tables are kept."""


class Cut(NamedTuple):
    """A partitioning."""

    flow: Flow
    times: Float64Array  # what the partitioning alone decides, in us


class PlacedCut(NamedTuple):
    """A partitioning with its pieces in place."""

    flow: Flow
    placed: PlacedPieces
    times: Float64Array


class Surrogate:
    """Descriptions of one problem's mappings. L layers.

    Args:
        genome: Reads the problem's genes.

    Attributes:
        size: Numbers that describe a mapping: first those of `congestion_kernel.FEATURES`, then
            those that the partitioning alone decides.
    """

    def __init__(self, genome: Genome) -> None:
        self._genome = genome
        self._problem = problem = genome.problem
        self._layers = PerLayer(self._layer_times)
        self._cuts: Recent[bytes, Cut] = Recent(KEPT)
        self._congestion = Congestion(problem)
        # One for all partitionings: on a system of many chips each would take tens of MB.
        self._room = self._congestion.room(self._congestion.flow(genome.fewest))
        self.size = N_FEATURES + 6 + 2 * problem.n_layers

    def describe(self, genes: Genes) -> Float64Array:
        """The description of a mapping, (size,)."""
        cut = self.placed(genes)
        found = np.empty(N_FEATURES)
        features(cut.placed, found)
        return np.log(np.concatenate([found, cut.times]) + LEAST_US)

    def placed(self, genes: Genes) -> PlacedCut:
        """The partitioning of a mapping with its cores in place; valid until the next call."""
        counts, order = self._genome.split(genes)
        cut = self._cuts.get(counts.tobytes(), lambda: self._cut(counts))
        placement = order[: len(cut.flow.layer)].astype(np.int32)
        placed = self._room._replace(placement=placement)
        place(cut.flow, placed, placement)
        return PlacedCut(cut.flow, placed, cut.times)

    def _cut(self, counts: Int32Array) -> Cut:
        return Cut(self._congestion.flow(counts), self._times(counts))

    def _times(self, counts: Int32Array) -> Float64Array:
        """How long layers send and receive, and how far receivers fall behind, (6 + 2 L,)."""
        send, receive = (np.array(part) for part in zip(*self._layers.of(counts), strict=True))
        behind = np.maximum(receive[1:] - send[:-1], 0.0).max(axis=0, initial=0.0)
        together = [
            send.max(axis=0),
            receive.max(axis=0),
            np.maximum(send, receive).max(axis=0),
            behind,
            (send**4).sum(axis=0) ** 0.25,
            (receive**4).sum(axis=0) ** 0.25,
        ]
        return np.concatenate([np.sum(together, axis=1), send.sum(axis=1), receive.sum(axis=1)])

    def _layer_times(self, layer: int, counts: Int32Array) -> tuple[Float64Array, Float64Array]:
        """How long a layer's busiest core sends and receives in each step, (T,) each, in us."""
        loads, count = self._problem.loads, int(counts[layer])
        send = loads.send_ps(layer, counts).max(axis=1) * US
        received = loads.receivers(layer, count).receive_ps.max(axis=1) if layer else 0 * send
        return send, received * US


class Model(NamedTuple):
    """A linear model of the logarithm of a latency.

    Attributes:
        weights: Weights of the numbers of a description, (size,).
        offset: Constant that is added.
    """

    weights: Float64Array
    offset: float

    def predict(self, descriptions: Float64Array) -> Float64Array:
        """Predicted logarithms, (B, size) -> (B,)."""
        return descriptions @ self.weights + self.offset


RIDGE = 5.0
FADING = 3.0
"""Weight of a sample's best mapping, in e-folds, over its worst."""


def fit(descriptions: Float64Array, targets: Float64Array) -> Model:
    """Fit mappings, (B, size), to the logarithms of their latencies, (B,).

    The faster one is, the more it counts.
    """
    rank = np.argsort(np.argsort(targets)) / len(targets)
    weight = np.exp(-FADING * rank)
    weight *= len(weight) / weight.sum()
    centre = np.average(descriptions, axis=0, weights=weight)
    mean = float(np.average(targets, weights=weight))
    spread = np.sqrt(np.average((descriptions - centre) ** 2, axis=0, weights=weight)) + 1e-9
    scaled = (descriptions - centre) / spread
    square = (scaled * weight[:, None]).T @ scaled + RIDGE * np.eye(scaled.shape[1])
    weights = np.linalg.solve(square, (scaled * weight[:, None]).T @ (targets - mean)) / spread
    return Model(weights, mean - float(centre @ weights))
