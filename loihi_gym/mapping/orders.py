"""Orders in which a heuristic hands out physical cores to consecutive logical cores.

Every order goes chip by chip, so that a layer can stay on one chip where it fits. All but
``row-major``, which is the numbering itself, go along the rows of chips like a serpentine, so that
consecutive chips are neighbours.
"""

from collections.abc import Callable

import numpy as np

from ..arrays import Int32Array, Int64Array
from ..chip import Topology


def row_major(mesh: Topology) -> Int64Array:
    """Along the rows of routers, all cores of a router in turn."""
    return np.lexsort((mesh.core_port, mesh.core_x, mesh.core_y, mesh.core_chip))


def column_major(mesh: Topology) -> Int64Array:
    """Along the columns of routers."""
    return np.lexsort((mesh.core_port, mesh.core_y, mesh.core_x, _along_chips(mesh)))


def serpentine(mesh: Topology) -> Int64Array:
    """Along the rows, every second one backwards, so that consecutive routers are neighbours."""
    x = np.where(mesh.core_y % mesh.chip_height % 2 == 0, mesh.core_x, -mesh.core_x)
    return np.lexsort((mesh.core_port, x, mesh.core_y, _along_chips(mesh)))


def hilbert(mesh: Topology) -> Int64Array:
    """Along a Hilbert curve over each chip, which keeps consecutive cores close in both axes."""
    x, y = mesh.core_x % mesh.chip_width, mesh.core_y % mesh.chip_height
    side = 1 << max(mesh.chip_width - 1, mesh.chip_height - 1).bit_length()
    return np.lexsort((mesh.core_port, _hilbert_index(side, x, y), _along_chips(mesh)))


def strided(mesh: Topology) -> Int64Array:
    """One core of every router before the second of any: consecutive ones on different routers."""
    return np.lexsort((mesh.core_x, mesh.core_y, mesh.core_port, _along_chips(mesh)))


def column_planes(mesh: Topology) -> Int64Array:
    """Along the columns of routers, one core of every router of a column before the second of any.

    None of the standard orders, which the reference mappings are chosen from; a start for searches.
    """
    return np.lexsort((mesh.core_y, mesh.core_port, mesh.core_x, _along_chips(mesh)))


ORDERS: dict[str, Callable[[Topology], Int64Array]] = {
    "row-major": row_major,
    "column-major": column_major,
    "serpentine": serpentine,
    "hilbert": hilbert,
    "strided": strided,
}
"""The standard orders by name."""


def _along_chips(mesh: Topology) -> Int64Array:
    """Position of each core's chip when every second row of chips is taken backwards."""
    columns = mesh.width // mesh.chip_width
    y, x = np.divmod(mesh.core_chip.astype(np.int64), columns)
    return y * columns + np.where(y % 2 == 0, x, columns - 1 - x)


def _hilbert_index(side: int, x: Int32Array, y: Int32Array) -> Int64Array:
    """Position of each (x, y) on the Hilbert curve that fills a square, its side a power of two."""
    index, half = np.zeros(len(x), np.int64), side // 2
    while half:
        right, upper = (x & half) > 0, (y & half) > 0
        index += half * half * ((3 * right) ^ upper)
        # Turn the quadrant so that its curve runs like the whole.
        x, y = np.where(right & ~upper, side - 1 - x, x), np.where(right & ~upper, side - 1 - y, y)
        x, y = np.where(upper, x, y), np.where(upper, y, x)
        half //= 2
    return index
