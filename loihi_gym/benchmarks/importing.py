"""Problems from other tools' networks: what ``loihi-gym import`` does."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Int64Array, NumberArray
from ..chip import load_chip
from ..errors import NetworkImportError, one_line
from ..mapping import Problem
from ..network import Activity, SparseMLP, run
from ..network.foreign import MAX_NAME, file_bytes, named
from ..network.readers import read_network
from ..network.readers.nir_graph import DT_S
from .references import fastest_heuristic

PAYLOAD_LIMIT = (1 << 23) - 1
STEPS = 4
"""Default number of time steps to record."""


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
        path: File of the network; see `read_network`.
        activity: Input samples, one per time step, (T, inputs); None if the file has them.
        chip: Name of a chip, or path of a chip file.
        steps: Number of time steps to record.
        name: Name of the problem; by default the file's, control characters replaced.
        dt_s: Time step of a NIR graph, in seconds.

    Returns:
        The problem, its reference the fastest standard heuristic on `mesh`, and notes.

    Raises:
        NetworkImportError: names the layer that is not supported, or what the samples lack.
        NetworkFileError: if the file is missing or corrupt.
        IllegalMappingError: if the network does not fit on the chip.
    """
    imported = read_network(path, activity, dt_s)
    network = imported.network
    with named(f"network file {path}", "network", NetworkImportError):
        recorded, inputs = _recorded(network, imported.inputs, steps)
    called = one_line(name or Path(path).stem, MAX_NAME)
    smallest = inputs.astype(np.min_scalar_type(-1 - int(np.abs(inputs).max(initial=0))))
    problem = Problem(called, network, recorded, load_chip(chip), inputs=smallest)
    return problem.with_reference(fastest_heuristic(problem)), imported.notes


def read_activity(path: str | Path) -> npt.NDArray[Any]:
    """Input samples from an ``.npy`` file.

    Raises:
        NetworkImportError: if it cannot be read or is not an array of numbers.
    """
    with named(f"activity {path}", ".npy file", NetworkImportError):
        loaded = np.load(io.BytesIO(file_bytes(path)), allow_pickle=False)
        if not isinstance(loaded, np.ndarray) or loaded.dtype.kind not in "iufb":
            raise NetworkImportError("it is not one array of numbers (.npy)")
        return loaded


def _recorded(network: SparseMLP, inputs: Int64Array, steps: int) -> tuple[Activity, Int64Array]:
    """What the network sends in its last steps, and the samples that it was run on."""
    depth = len(network.weights)
    if steps < 1 or len(inputs) < depth + steps:
        raise NetworkImportError(
            f"{len(inputs)} samples are too few: {depth} fill the pipeline of {depth} layers, and "
            f"{steps} steps are to be recorded"
        )
    if network.neuron == "relu":
        inputs = inputs[-(depth + steps) :]
    if np.abs(inputs).max(initial=0) > PAYLOAD_LIMIT:
        raise NetworkImportError("the activity has values of more than 24 bits")
    try:
        messages = run(network, inputs)
    except OverflowError as error:
        raise NetworkImportError(str(error)) from error
    return Activity(tuple(np.ascontiguousarray(layer[-steps:]) for layer in messages)), inputs
