"""Problems from other tools' networks: what ``loihi-gym import`` does."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import NumberArray
from ..chip import load_chip
from ..errors import NetworkImportError, SilentNetworkError, one_line
from ..mapping import Problem
from ..network import SparseMLP
from ..network.foreign import MAX_NAME, file_bytes, named
from ..network.readers import read_network
from ..network.readers.layer_table import LayerTable
from ..network.silence import named_layers, silent_layers
from .recording import Recording, recorded
from .references import fastest_heuristic

PAYLOAD_LIMIT = (1 << 23) - 1
STEPS = 4
"""Default number of time steps to record."""
WARNING = "warning: "
WEAK = "are the samples those that it was trained on, in the same units?"


def import_problem(
    path: str | Path,
    activity: NumberArray | None = None,
    chip: str = "loihi2",
    steps: int = STEPS,
    name: str | None = None,
    dt_s: float | None = None,
    first: int | None = None,
    on_progress: Callable[[str], None] = lambda doing: None,
    require_messages: bool = False,
    table: LayerTable | None = None,
) -> tuple[Problem, tuple[str, ...]]:
    """Read a network, run it on its samples and record what its neurons send.

    Args:
        path: File of the network; see `read_network`.
        activity: Input samples, one per time step, (T, ...); None if the file has them.
        chip: Name of a chip, or path of a chip file.
        steps: Number of time steps to record.
        name: Name of the problem; by default the file's, control characters replaced.
        dt_s: Time step of a NIR graph; None to take it from the graph, see `nir_time`.
        first: First time step to record, counted from 0; None for the window of median activity,
            see `recording`.
        on_progress: Called with what is done next, a few words.
        require_messages: Whether a layer that sends nothing is an error instead of a warning.
        table: Layers of a state dict in their order.

    Returns:
        The problem, its reference the fastest standard heuristic on `mesh`, and notes. A note that
        begins with `WARNING` is of a layer that sends nothing.

    Raises:
        NetworkImportError: names the layer that is not supported, or what the samples lack.
        NetworkFileError: if the file is missing or corrupt.
        IllegalMappingError: if the network does not fit on the chip.
        SilentNetworkError: if messages are required, and a layer sends none.
    """
    on_progress("reading the network")
    imported = read_network(path, activity, dt_s, table)
    network = imported.network
    with named(f"network file {path}", "network", NetworkImportError):
        if np.abs(imported.inputs).max(initial=0) > PAYLOAD_LIMIT:
            raise NetworkImportError("the activity has values of more than 24 bits")
        on_progress(f"running {network.synapses:,} synapses on {len(imported.inputs):,} samples")
        recording = recorded(network, imported.inputs, steps, first)
    called = one_line(name or Path(path).stem, MAX_NAME)
    inputs = recording.inputs
    smallest = inputs.astype(np.min_scalar_type(-1 - int(np.abs(inputs).max(initial=0))))
    problem = Problem(called, network, recording.activity, load_chip(chip), inputs=smallest)
    notes = (*imported.notes, _window(recording), *_silence(network, recording, imported.clock))
    if require_messages and notes[-1].startswith(WARNING):
        raise SilentNetworkError(f"{path}: {notes[-1].removeprefix(WARNING)}")
    on_progress("measuring the standard heuristics")
    return problem.with_reference(fastest_heuristic(problem)), notes


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


def _window(recording: Recording) -> str:
    last = recording.first + recording.activity.steps - 1
    return f"steps {recording.first} to {last} of {recording.of} are recorded (--from chooses)"


def _silence(network: SparseMLP, recording: Recording, clock: str) -> list[str]:
    """A warning if layers send nothing, with what the first of them most likely lacks."""
    silent = silent_layers(network, recording.activity)
    if not silent:
        if not recording.activity.messages[-1].any() and network.neuron != "lif":
            return ["the last layer has no positive value in the recorded steps: it sends nothing"]
        return []
    if recording.ever[silent[0]]:
        cause = "it does in other steps: choose a window by --from, or record more by --steps"
    elif silent[0] == 0:
        cause = f"the activity is 0 in all {recording.of} steps"
    else:
        cause = f"it never does in {recording.of} steps: {clock or WEAK}"
    return [f"{WARNING}{named_layers(silent)} nothing in the recorded steps; {cause}"]
