"""Problems from other tools' networks: what ``loihi-gym import`` does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Int64Array, IntArray, NumberArray
from ..chip import load_chip
from ..errors import NetworkImportError
from ..mapping import Problem
from ..network import Activity, run
from ..network.readers import read_network
from ..network.readers.nir_graph import DT_S
from .custom import fastest_heuristic

PAYLOAD_LIMIT = (1 << 23) - 1
STEPS = 4
"""Time steps recorded if no other number is asked for."""


def import_problem(
    path: str | Path,
    activity: NumberArray | None = None,
    chip: str = "loihi2",
    steps: int = STEPS,
    name: str | None = None,
    dt_s: float = DT_S,
) -> tuple[Problem, tuple[str, ...]]:
    """Read a network, run it on its samples and record what its neurons send.

    A ReLU network has no memory: the last samples that fill its pipeline and `steps` more are run.
    Other neurons start from rest at the first sample and are recorded in the last `steps`.

    Args:
        path: The network; see `read_network`.
        activity: Input samples, one per time step; None if the file has them.
        chip: Name of a chip, or a chip file.
        steps: Time steps to record.
        name: Of the problem; default the file's.
        dt_s: Time step of a NIR graph.

    Returns:
        The problem, its reference the fastest standard heuristic on `mesh`, and notes.

    Raises:
        NetworkImportError: names the layer that is not supported, or what the samples lack.
        IllegalMappingError: if the network does not fit on the chip.
    """
    imported = read_network(path, activity, dt_s)
    network, inputs = imported.network, imported.inputs
    depth = len(network.weights)
    if steps < 1 or len(inputs) < depth + steps:
        raise NetworkImportError(
            f"{path}: {len(inputs)} samples are too few: {depth} fill the pipeline of "
            f"{depth} layers, and {steps} steps are to be recorded"
        )
    if network.neuron == "relu":
        inputs = inputs[-(depth + steps) :]
    if np.abs(inputs).max(initial=0) > PAYLOAD_LIMIT:
        raise NetworkImportError(f"{path}: the activity has values of more than 24 bits")
    try:
        messages = run(network, inputs)
    except OverflowError as error:
        raise NetworkImportError(f"{path}: {error}") from error
    recorded = Activity(tuple(np.ascontiguousarray(layer[-steps:]) for layer in messages))
    problem = Problem(
        name or Path(path).stem, network, recorded, load_chip(chip), inputs=_smallest(inputs)
    )
    return replace(problem, reference=fastest_heuristic(problem)), imported.notes


def read_activity(path: str | Path) -> npt.NDArray[Any]:
    """Input samples from an ``.npy`` file.

    Raises:
        NetworkImportError: if it cannot be read or is not an array of numbers.
    """
    try:
        with Path(path).open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
    except OSError as error:
        raise NetworkImportError(f"activity {path}: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise NetworkImportError(f"activity {path} is not an .npy file: {error}") from error
    if not isinstance(loaded, np.ndarray) or loaded.dtype.kind not in "iufb":
        raise NetworkImportError(f"activity {path} is not one array of numbers (.npy)")
    return loaded


def _smallest(values: Int64Array) -> IntArray:
    """The same integers in the smallest type that holds them."""
    largest = int(np.abs(values).max(initial=0))
    for kind in (np.int8, np.int16, np.int32):
        if largest <= np.iinfo(kind).max:
            return values.astype(kind)
    return values
