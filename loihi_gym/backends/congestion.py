"""`Congestion`: tables with which `congestion_kernel` counts how messages meet."""

import numpy as np

from ..arrays import Float64Array, Int32Array
from ..chip.near import near
from ..mapping import Problem
from ..mapping.per_layer import PerLayer
from .assembly import link_service_ps
from .congestion_kernel import Flow, PlacedPieces

US = 1e-6
"""A picosecond in microseconds."""


class Congestion:
    """What the partitionings of one problem send. Of `Problem.traffic` only this is needed.

    Args:
        problem: What is to be placed.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._pairs = PerLayer(self._words)
        self._near = near(problem.topology)
        service = link_service_ps(problem.chip).astype(np.float64) * US
        self._link_us = service[: 4 * problem.topology.n_routers].reshape(-1, 4)
        self._core_us = float(service[-1])

    def of(self, counts: Int32Array) -> tuple[Flow, PlacedPieces]:
        """What a partitioning sends, and room for its pieces once they are placed."""
        flow = self.flow(counts)
        return flow, self.room(flow)

    def flow(self, counts: Int32Array) -> Flow:
        """What a partitioning sends."""
        mesh = self._problem.topology
        layer = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        fan_out = np.append(counts[1:], 0)[layer]
        return Flow(
            layer=layer,
            first=np.cumsum([0, *counts, 0], dtype=np.int32),
            pair_first=np.cumsum(fan_out, dtype=np.int64) - fan_out,
            words=np.concatenate(self._pairs.of(counts)),
            core_x=mesh.core_x,
            core_y=mesh.core_y,
            width=mesh.width,
            link_us=self._link_us,
            core_us=self._core_us,
            near=self._near,
        )

    def room(self, flow: Flow) -> PlacedPieces:
        """Room for the pieces of a partitioning; the large arrays are the same size for all."""
        mesh = self._problem.topology
        return PlacedPieces(
            placement=np.zeros(len(flow.layer), np.int32),
            occupant=np.full(mesh.n_cores, -1, np.int32),
            load_us=np.zeros((mesh.n_routers, 5, 5)),
            layer_us=np.zeros((self._problem.n_layers, mesh.n_routers, 4)),
        )

    def _words(self, layer: int, counts: Int32Array) -> Float64Array:
        """Words from each core of a layer to each of the next one's, over all steps, (pairs,)."""
        if layer == len(counts) - 1:
            return np.zeros(0)
        loads = self._problem.loads
        between = loads.between(layer, *counts[layer : layer + 2].tolist())
        words: Float64Array = between.sum(axis=2).reshape(-1) * float(loads.words[layer])
        return words
