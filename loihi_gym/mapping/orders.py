"""Orders in which a heuristic hands out physical cores to consecutive logical cores.

Every order goes chip by chip, so that a layer stays on one chip where it fits.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..chip import Topology

Order = npt.NDArray[np.int64]


def row_major(mesh: Topology) -> Order:
    """Along the rows of routers, all cores of a router in turn."""
    return np.lexsort((mesh.core_port, mesh.core_x, mesh.core_y, mesh.core_chip))


def column_major(mesh: Topology) -> Order:
    """Along the columns of routers."""
    return np.lexsort((mesh.core_port, mesh.core_y, mesh.core_x, mesh.core_chip))


def serpentine(mesh: Topology) -> Order:
    """Along the rows, every second one backwards, so that consecutive routers are neighbours."""
    x = np.where(mesh.core_y % mesh.chip_height % 2 == 0, mesh.core_x, -mesh.core_x)
    return np.lexsort((mesh.core_port, x, mesh.core_y, mesh.core_chip))


def hilbert(mesh: Topology) -> Order:
    """Along a Hilbert curve over each chip, which keeps consecutive cores close in both axes."""
    x, y = mesh.core_x % mesh.chip_width, mesh.core_y % mesh.chip_height
    side = 1 << max(mesh.chip_width - 1, mesh.chip_height - 1).bit_length()
    along = [_hilbert_index(side, int(a), int(b)) for a, b in zip(x, y, strict=True)]
    return np.lexsort((mesh.core_port, along, mesh.core_chip))


def strided(mesh: Topology) -> Order:
    """One core of every router before the second of any: consecutive ones on different routers."""
    return np.lexsort((mesh.core_x, mesh.core_y, mesh.core_port, mesh.core_chip))


ORDERS: dict[str, Callable[[Topology], Order]] = {
    "row-major": row_major,
    "column-major": column_major,
    "serpentine": serpentine,
    "hilbert": hilbert,
    "strided": strided,
}
"""The standard orders by name."""


def _hilbert_index(side: int, x: int, y: int) -> int:
    """Position of (x, y) on the Hilbert curve that fills a square whose side is a power of two."""
    index, half = 0, side // 2
    while half:
        right, upper = int(bool(x & half)), int(bool(y & half))
        index += half * half * ((3 * right) ^ upper)
        if not upper:  # turn the quadrant so that its curve runs like the whole
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        half //= 2
    return index
