"""`mesh`: event-driven simulation of the network on chip, with finite buffers and back-pressure.

The rules are in `mesh_reference`; how long what takes is in `packing`.
"""

import threading
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ...arrays import Int64Array
from ...chip import load_chip
from ...compiled import told
from ...mapping import Mapping, Problem
from ...mapping.recent import Recent
from ...threads import pool
from ..assembly import assemble, busy_times
from ..measurement import Measurement
from .mesh_kernel import Load, Mesh, simulate
from .packing import delays, kernel_load, make_mesh, tick_ps


class MeshBackend:
    """The `mesh` backend."""

    name = "mesh"
    repeatable = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._loads: Recent[bytes, Load] = Recent(64)
        self._threads = threading.local()

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; see `Backend.evaluate`."""
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order, on all cores of the machine.

        Raises:
            IllegalMappingError: if `Problem.check` finds a violation.
            BackendError: if the kernel cannot take the problem's chip or load; see `packing`.
        """
        for mapping in mappings:
            self.problem.require(mapping)
        compile_kernel()
        busy = [busy_times(self.problem, mapping) for mapping in mappings]
        loads = [self._load(mapping) for mapping in mappings]
        run = map if len(mappings) == 1 else pool().map
        steps = run(self._step_times, mappings, loads)
        return [assemble(self.problem, *parts) for parts in zip(mappings, busy, steps, strict=True)]

    def _step_times(self, mapping: Mapping, load: Load) -> Int64Array:
        """Time of each step in ps, barrier included, (T,)."""
        chip, words = self.problem.chip, self.problem.activity.message_bits // 32
        ticks = simulate(delays(chip, words), self._mesh(words), load, mapping.placement)
        return ticks * tick_ps(chip) + chip.costs.barrier_ps

    def _load(self, mapping: Mapping) -> Load:
        """The kernel's form of a partitioning's load; the last are kept."""
        counts, tick = mapping.cores_per_layer, tick_ps(self.problem.chip)
        return self._loads.get(
            counts.tobytes(), lambda: kernel_load(self.problem.traffic(counts), tick)
        )

    def _mesh(self, link_words: int) -> Mesh:
        """This thread's workspace; the activity fixes `link_words`, so there is one."""
        mesh: Mesh | None = getattr(self._threads, "mesh", None)
        if mesh is None:
            mesh = self._threads.mesh = make_mesh(self.problem.chip, link_words)
        return mesh


@lru_cache(maxsize=1)
def compile_kernel() -> None:
    """Load the kernel from numba's cache on disk or, once on a machine, compile it."""
    chip = load_chip("loihi2-16")
    nothing, none = np.zeros(0, np.int64), np.zeros(0, np.int32)
    load = Load(none, none, np.zeros((1, 1), np.int64), nothing, nothing[None], nothing, none)
    with told("the mesh kernel"):
        simulate(delays(chip, 1), make_mesh(chip, 1), load, none)
