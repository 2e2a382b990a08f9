"""Which time steps of a network's run are recorded: a problem's load.

By default the window of `steps` steps in which the network sends the median number of messages, of
those windows in which the most layers send: neither a burst nor a lull stands for the whole.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Int64Array
from ..errors import NetworkImportError
from ..network import Activity, SparseMLP, run
from ..network.silence import is_readout

MOST_WORK = 1 << 31
"""Synapses times samples that a network without memory is run for; its last samples are taken."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What a network sends in a window of its run.

    Attributes:
        activity: The window's messages.
        inputs: Samples (T, widths[0]) that lead to it; the window is the run's last steps.
        first: The window's first step, of all samples given.
        of: Number of samples given.
        ever: Whether each layer, the input population first, sends in any step of the run.
    """

    activity: Activity
    inputs: Int64Array
    first: int
    of: int
    ever: tuple[bool, ...]


def recorded(
    network: SparseMLP, inputs: Int64Array, steps: int, first: int | None = None
) -> Recording:
    """Run a network on samples, and record a window.

    Args:
        network: The network; a ``relu`` one has no memory, so that it is run on as many of the
            last samples as `MOST_WORK` allows.
        inputs: One sample per time step, (T, widths[0]).
        steps: Length of the window.
        first: The window's first step, counted from 0; None for that of median activity.

    Raises:
        NetworkImportError: if the samples are too few for that, or a state leaves 24 bits.
    """
    depth, of = len(network.weights), len(inputs)
    if steps < 1 or of < depth + steps:
        raise NetworkImportError(
            f"{of} samples are too few: {depth} fill the pipeline of {depth} layers, and "
            f"{steps} steps are to be recorded"
        )
    if first is not None and not depth <= first <= of - steps:
        raise NetworkImportError(
            f"--from {first}: of {of} samples, {steps} steps can be recorded from step {depth}, "
            f"when {depth} layers are filled, to step {of - steps}"
        )
    start = _start(network, of, steps, first)
    end = of if first is None else first + steps
    try:
        messages = run(network, inputs[start:end])
    except OverflowError as error:
        raise NetworkImportError(str(error)) from error
    sent: Int64Array = np.array([np.count_nonzero(layer, axis=1) for layer in messages])
    chosen = end - start - steps if first is not None else _median_window(network, sent, steps)
    window = slice(chosen, chosen + steps)
    activity = Activity(tuple(np.ascontiguousarray(layer[window]) for layer in messages))
    begin = start + chosen - depth if network.neuron == "relu" else start
    samples = inputs[begin : start + chosen + steps]
    return Recording(
        activity, samples, start + chosen, of, tuple(bool(layer.any()) for layer in sent)
    )


def _start(network: SparseMLP, of: int, steps: int, first: int | None) -> int:
    """First sample to run on: neurons with memory start from rest at the first of all."""
    depth = len(network.weights)
    if network.neuron != "relu":
        return 0
    if first is not None:
        return first - depth
    return max(of - max(MOST_WORK // max(network.synapses, 1), depth + steps), 0)


def _median_window(network: SparseMLP, sent: Int64Array, steps: int) -> int:
    """First step of the window of median activity once the pipeline is filled.

    Args:
        network: The network that was run.
        sent: Number of messages of each layer in each step, (layers, T).
        steps: Length of a window.
    """
    depth = len(network.weights)
    sums = np.cumsum(np.pad(sent, ((0, 0), (1, 0))), axis=1)
    windows = (sums[:, steps:] - sums[:, :-steps])[:, depth:]
    senders = [layer for layer in range(depth + 1) if not is_readout(network, layer)]
    heard = (windows[senders] > 0).sum(axis=0)
    candidates = np.flatnonzero(heard == heard.max())
    ranked = candidates[np.argsort(windows.sum(axis=0)[candidates], kind="stable")]
    return depth + int(ranked[(len(ranked) - 1) // 2])
