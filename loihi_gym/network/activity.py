"""`Activity`: the recorded messages that set a problem's load."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Int32Array, IntArray
from .execute import run
from .sparse_mlp import SparseMLP


@dataclass(frozen=True, eq=False)
class Activity:
    """What every layer sends in T time steps of the pipelined network.

    Attributes:
        messages: Payloads that each layer sends, int32 (T, width) for each; 0 is silence.
    """

    messages: tuple[Int32Array, ...]

    @property
    def steps(self) -> int:
        """Number of time steps, T."""
        return len(self.messages[0])

    @property
    def active(self) -> tuple[float, ...]:
        """Mean part of each layer's neurons that send in a step, 0 to 1."""
        return tuple(float((layer != 0).mean()) for layer in self.messages)

    @property
    def message_bits(self) -> int:
        """Size of a message on a link: 32, or 64 if any payload needs more than 8 bits."""
        return 32 * max(self.layer_words)

    @property
    def layer_words(self) -> tuple[int, ...]:
        """32-bit words of a message of each layer: 1, or 2 if a payload of it needs over 8 bits."""
        return tuple(
            1 if layer.min() >= -128 and layer.max() <= 127 else 2 for layer in self.messages
        )


def record(network: SparseMLP, inputs: IntArray, steps: int) -> Activity:
    """Run a network until every layer is busy, and return the activity of the last steps.

    Args:
        network: Network to run.
        inputs: Samples, one per time step, (at least depth + steps, widths[0]).
        steps: Number of time steps to keep.

    Raises:
        ValueError: if `inputs` is too short to fill the pipeline and then record.
    """
    depth = len(network.weights)
    if steps < 1 or len(inputs) < depth + steps:
        raise ValueError(
            f"{len(inputs)} input samples are too few: {depth} fill the pipeline of this network, "
            f"and {steps} steps are to be recorded"
        )
    messages = run(network, inputs[: depth + steps])
    return Activity(tuple(np.ascontiguousarray(layer[-steps:]) for layer in messages))
