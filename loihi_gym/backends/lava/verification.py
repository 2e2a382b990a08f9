"""Lava checks our networks: the same messages in Lava's simulation as in ours, to the bit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, Int32Array, IntArray
from ...errors import MeasurementError
from ...mapping import Mapping, Problem
from ...network import SparseMLP, run
from .client import LavaWorker
from .jobs import Messages, Split, simulate

SIGMA_DELTA_THRESHOLD = 8
"""Of the sigma-delta variants: a sixteenth of the largest payload of a signed byte."""


class Difference(NamedTuple):
    """A message that differs."""

    layer: int
    step: int
    neuron: int
    ours: int
    lavas: int

    def __str__(self) -> str:
        place = f"layer {self.layer}, step {self.step}, neuron {self.neuron}"
        return f"{place}: {self.ours} here, {self.lavas} in Lava"


@dataclass(frozen=True)
class Comparison:
    """A network, run here and in Lava.

    Attributes:
        neuron: Kind of its neurons.
        processes: Lava processes that hold neurons: one per layer, or per logical core.
        steps: Time steps.
        compared: Messages compared, silence included.
        sent: Of these, how many are not silence.
        differing: How many differ.
        first: The first that differs.
    """

    neuron: str
    processes: int
    steps: int
    compared: int
    sent: int
    differing: int
    first: Difference | None

    @property
    def equal(self) -> bool:
        """Whether every message is the same."""
        return self.differing == 0


def compare(
    worker: LavaWorker,
    network: SparseMLP,
    inputs: IntArray,
    cores_per_layer: IntArray | None = None,
    split: Split = "rows",
) -> Comparison:
    """Run a network here as a whole, in Lava as a whole or in pieces, and compare all messages.

    Raises:
        MeasurementError: if Lava fails, or a neuron's state would not fit on the chip.
    """
    try:
        ours = run(network, inputs)
    except OverflowError as error:
        raise MeasurementError(f"with {network.neuron} neurons, {error}") from error
    lavas = simulate(worker, network, inputs, cores_per_layer, split)
    processes = len(ours) if cores_per_layer is None else int(np.sum(cores_per_layer))
    differing = [a != b for a, b in zip(ours, lavas, strict=True)]
    return Comparison(
        neuron=network.neuron,
        processes=processes,
        steps=len(inputs),
        compared=sum(layer.size for layer in ours),
        sent=sum(int(np.count_nonzero(layer)) for layer in ours),
        differing=sum(int(np.count_nonzero(layer)) for layer in differing),
        first=_first(ours, lavas, differing),
    )


def verify(
    worker: LavaWorker, problem: Problem, mapping: Mapping | None = None
) -> Iterator[Comparison]:
    """Compare a problem's network, and the sigma-delta variant of one with ReLU, with Lava.

    Args:
        worker: Who runs Lava.
        problem: Its network and inputs.
        mapping: Compare the network in its pieces too.

    Raises:
        MeasurementError: if Lava fails, or the problem has no inputs.
        IllegalMappingError: if the mapping is not legal.
    """
    inputs = inputs_of(problem)
    cuts: list[Int32Array | None] = [None]
    if mapping is not None:
        problem.require(mapping)
        cuts.append(mapping.cores_per_layer)
    for network in variants(problem.network):
        for cut in cuts:
            yield compare(worker, network, inputs, cut)


def variants(network: SparseMLP) -> list[SparseMLP]:
    """The network, and with sigma-delta neurons on the same weights if it has ReLU."""
    if network.neuron != "relu":
        return [network]
    thresholds = (SIGMA_DELTA_THRESHOLD,) * len(network.weights)
    return [network, replace(network, neuron="sigma-delta", thresholds=thresholds)]


def inputs_of(problem: Problem) -> IntArray:
    """The samples a problem's activity was recorded on.

    Raises:
        MeasurementError: if there are none, as in generated benchmarks.
    """
    if problem.inputs is None:
        raise MeasurementError(
            f"{problem.name} has no inputs to run: its activity was drawn or given, not recorded"
        )
    return problem.inputs


def _first(ours: Messages, lavas: Messages, differing: list[BoolArray]) -> Difference | None:
    for layer, wrong in enumerate(differing):
        if wrong.any():
            step, neuron = np.argwhere(wrong)[0].tolist()
            sent = [int(messages[layer][step, neuron]) for messages in (ours, lavas)]
            return Difference(layer, step, neuron, *sent)
    return None
