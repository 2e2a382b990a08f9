"""What a reader returns, and how it says what it cannot read.

Readers do not know the file's name: `read_network` adds it to what they raise.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, NoReturn

import numpy as np
from scipy.sparse import csr_array

from ...arrays import Int64Array, NumberArray
from ...errors import NetworkImportError, install_hint
from ..sparse_mlp import MAX_WEIGHT_BITS, Neuron, SparseMLP


@dataclass(frozen=True)
class Imported:
    """A network from a foreign file.

    Attributes:
        network: The network in our arithmetic.
        inputs: The samples given, as its input population takes them, integers (T, widths[0]).
        notes: What was assumed, rounded or left out, one sentence each.
        clock: What may be wrong with the time step if neurons never send; empty if nothing can.
    """

    network: SparseMLP
    inputs: Int64Array
    notes: tuple[str, ...] = ()
    clock: str = ""

    def noted(self, *notes: str) -> "Imported":
        """The same with notes ahead of its own."""
        return replace(self, notes=(*notes, *self.notes))


def needed(module: str, what: str, extra: str) -> Any:
    """A module that reading a kind of files needs.

    Raises:
        NetworkImportError: if it is not installed; names the extra of ours that has it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise NetworkImportError(
            f"reading {what} files needs {module}: {install_hint(extra)}"
        ) from error


def unsupported(layer: object, kind: str, reason: str) -> NoReturn:
    """Refuse a layer.

    Raises:
        NetworkImportError: always.
    """
    raise NetworkImportError(f"layer {layer} ({kind}): {reason}")


def require_chain(layer: object, kind: str, inputs: int, before: int) -> None:
    """Raise unless a layer takes as many inputs as the layer before it has neurons.

    Raises:
        NetworkImportError: names the layer.
    """
    if inputs != before:
        reason = f"it takes {inputs} inputs, but the layer before has {before} neurons"
        unsupported(layer, kind, f"{reason} (recurrent or skipping connections?)")


def network_of(
    layers: Iterable[tuple[csr_array, int, int, Int64Array]],
    neuron: Neuron = "relu",
    decays: Iterable[tuple[int, int]] = (),
    weight_bits: Sequence[int] = (),
) -> SparseMLP:
    """A network of layers, each its weights, exponent, threshold and biases, (width,)."""
    weights, exponents, thresholds, biases = zip(*layers, strict=True)
    given = tuple(bias.astype(np.int32) for bias in biases) if any(map(np.any, biases)) else ()
    bits = tuple(weight_bits) if any(bits < MAX_WEIGHT_BITS for bits in weight_bits) else ()
    return SparseMLP(weights, exponents, thresholds, neuron, given, tuple(decays), bits)


def sample_shape(inputs: NumberArray | None) -> tuple[int, ...]:
    """Shape of one of the samples given, which are one per time step.

    Raises:
        NetworkImportError: if there are none.
    """
    if inputs is None:
        raise NetworkImportError("give the input samples by --activity")
    if inputs.ndim < 2 or 0 in inputs.shape[1:]:
        raise NetworkImportError(
            f"the activity is {inputs.shape}; it must be (time steps, inputs), one sample for "
            "each step"
        )
    return tuple(inputs.shape[1:])


def checked_samples(inputs: NumberArray | None, width: int) -> NumberArray:
    """The samples given, flattened, one per time step, (T, width).

    Raises:
        NetworkImportError: if there are none, or they are of another size than the network's input.
    """
    if inputs is None or math.prod(sample_shape(inputs)) != width:
        shape = inputs.shape if inputs is not None else sample_shape(inputs)
        raise NetworkImportError(
            f"the activity is {shape}; it must be (time steps, {width}), one sample for each step"
        )
    return inputs.reshape(len(inputs), width)


def integer_samples(inputs: NumberArray | None, width: int) -> Int64Array:
    """The samples given to a network that takes spikes or whole numbers, (T, width).

    Raises:
        NetworkImportError: as `checked_samples`, or if some are not whole.
    """
    samples = checked_samples(inputs, width)
    whole: Int64Array = np.rint(samples).astype(np.int64)
    if (whole != samples).any():
        raise NetworkImportError(
            "this network takes spikes (0 or 1) or whole numbers, but the activity has fractions; "
            "encode the samples first"
        )
    return whole
