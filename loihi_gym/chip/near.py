"""Which cores are close to each other: on many chips the swaps that help are short ones.

Of 200 swaps of `mlp-deep-8chip`'s reference mapping with any core the best takes off 0.06 %, of 200
with a core at most two routers away 4 %; on one chip either kind does as well (``perf/swaps.py``).
"""

from typing import NamedTuple

import numpy as np

from ..arrays import Int32Array, Int64Array
from .topology import Topology

REACH = 2
"""Routers that a close core is away, at most, along X and Y together."""


class Near(NamedTuple):
    """The cores close to each core, itself included, one after another.

    Attributes:
        first: Where a core's begin, and the end, (C + 1,).
        cores: Physical cores.
    """

    first: Int64Array
    cores: Int32Array

    def to(self, core: int) -> Int32Array:
        """The cores close to one."""
        return self.cores[self.first[core] : self.first[core + 1]]


def near(mesh: Topology) -> Near:
    """The cores at most `REACH` routers from each core."""
    ports = int(mesh.core_port.max()) + 1
    at = np.full((mesh.height + 2 * REACH, mesh.width + 2 * REACH, ports), -1, np.int32)
    y, x = mesh.core_y + REACH, mesh.core_x + REACH
    at[y, x, mesh.core_port] = np.arange(mesh.n_cores, dtype=np.int32)
    reach = range(-REACH, REACH + 1)
    steps = [(dx, dy) for dy in reach for dx in reach if abs(dx) + abs(dy) <= REACH]
    around = np.concatenate([at[y + dy, x + dx] for dx, dy in steps], axis=1)
    first = np.concatenate(([0], np.cumsum((around >= 0).sum(axis=1))))
    return Near(first, around[around >= 0])
