"""The types of arrays, each named once; shapes stand in the docstrings of what holds them."""

from typing import Any

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
IntArray = npt.NDArray[np.integer]
"""Integers of any width."""
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
NumberArray = npt.NDArray[np.number]
"""Numbers of any kind."""
Records = npt.NDArray[Any]
"""Structured arrays: the kernels' tables."""
NamedArrays = dict[str, npt.NDArray[Any]]
"""What an ``.npz`` file holds."""
