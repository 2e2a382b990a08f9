"""What a reader returns, and how it says what it cannot read.

Readers do not know the file's name: `read_network` adds it to what they raise.
"""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from ...arrays import Int64Array, NumberArray
from ...errors import NetworkImportError
from ..sparse_mlp import SparseMLP


@dataclass(frozen=True)
class Imported:
    """A network from a foreign file.

    Attributes:
        network: The network in our arithmetic.
        inputs: The samples given, as its input population takes them, integers (T, widths[0]).
        notes: What was assumed, rounded or left out, one sentence each.
    """

    network: SparseMLP
    inputs: Int64Array
    notes: tuple[str, ...] = ()


def unsupported(layer: object, kind: str, reason: str) -> NoReturn:
    """Refuse a layer.

    Raises:
        NetworkImportError: always.
    """
    raise NetworkImportError(f"layer {layer} ({kind}): {reason}")


def checked_samples(inputs: NumberArray | None, width: int) -> NumberArray:
    """The samples given, one per time step, (T, width).

    Raises:
        NetworkImportError: if there are none, or they are of another size than the network's input.
    """
    if inputs is None:
        raise NetworkImportError("give the input samples by --activity")
    if inputs.ndim != 2 or inputs.shape[1] != width:
        raise NetworkImportError(
            f"the activity is {inputs.shape}; it must be (time steps, {width}), one sample for "
            "each step"
        )
    return inputs


def integer_inputs(inputs: NumberArray) -> Int64Array:
    """Inputs of a network that takes spikes or whole numbers.

    Raises:
        NetworkImportError: if some are not whole.
    """
    whole: Int64Array = np.rint(inputs).astype(np.int64)
    if (whole != inputs).any():
        raise NetworkImportError(
            "this network takes spikes (0 or 1) or whole numbers, but the activity has fractions; "
            "encode the samples first"
        )
    return whole
