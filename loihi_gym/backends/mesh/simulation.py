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
from ...threads import pool, processors
from ..assembly import assemble, busy_times
from ..measurement import Measurement
from .mesh_kernel import Load, Mesh, Tree, simulate
from .packing import delays, kernel_load, make_mesh, make_workspace, tick_ps

WORTH_SHARING = 1 << 14
"""Messages, about 1 ms of them, from which on a mapping's steps are simulated side by side."""


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
        spare = len(mappings) < processors()
        parts = [_parts(self._load(mapping), spare) for mapping in mappings]
        jobs = [
            (mapping, part) for mapping, own in zip(mappings, parts, strict=True) for part in own
        ]
        run = map if len(jobs) == 1 else pool().map
        times = iter(run(self._step_times, *zip(*jobs, strict=True)) if jobs else ())
        steps = [np.concatenate([next(times) for _ in own]) for own in parts]
        return [assemble(self.problem, *each) for each in zip(mappings, busy, steps, strict=True)]

    def _step_times(self, mapping: Mapping, load: Load) -> Int64Array:
        """Time of each of the load's steps in ps, barrier included."""
        chip = self.problem.chip
        mesh, tree = self._workspace()
        ticks = simulate(delays(chip), mesh, load, mapping.placement, tree)
        return ticks * tick_ps(chip) + chip.costs.barrier_ps

    def _load(self, mapping: Mapping) -> Load:
        """The kernel's form of a partitioning's load; the last are kept."""
        counts, chip = mapping.cores_per_layer, self.problem.chip
        return self._loads.get(
            counts.tobytes(), lambda: kernel_load(self.problem.traffic(counts), chip)
        )

    def _workspace(self) -> tuple[Mesh, Tree | None]:
        """This thread's workspace."""
        made: tuple[Mesh, Tree | None] | None = getattr(self._threads, "workspace", None)
        if made is None:
            made = self._threads.workspace = make_workspace(self.problem.chip)
        return made


def _parts(load: Load, spare: bool) -> list[Load]:
    """A load as processors share it: step by step if some are to spare."""
    if not spare or len(load.receive) < WORTH_SHARING:
        return [load]
    steps = range(len(load.tail))
    return [
        load._replace(neuron_first=load.neuron_first[t : t + 1], tail=load.tail[t : t + 1])
        for t in steps
    ]


@lru_cache(maxsize=1)
def compile_kernel() -> None:
    """Load the kernel from numba's cache on disk or, once on a machine, compile it."""
    chip = load_chip("loihi2-16")
    nothing, none = np.zeros(0, np.int64), np.zeros(0, np.int32)
    load = Load(none, none, none, np.zeros((1, 1), np.int64), nothing, nothing[None], nothing, none)
    with told("the mesh kernel"):
        simulate(delays(chip), make_mesh(chip), load, none)
