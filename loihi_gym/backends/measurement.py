"""What a backend is, and the `Measurement` it returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from ..arrays import Int64Array
from ..mapping import Mapping, Problem

Term = Literal["update", "receive", "link"]


class Bottleneck(NamedTuple):
    """What the slowest time step waited for.

    Attributes:
        term: ``update`` (a core updating neurons and sending), ``receive`` (a core taking
            messages) or ``link`` (a link or core port carrying them).
        index: Physical core, or link id for ``link``.
        step: The slowest recorded time step.
        where: The place in words.
        share: Part of that step during which the place was busy, 0 to 1.
    """

    term: Term
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    step: int
    where: str
    share: float

    def __str__(self) -> str:
        return f"{self.term} at {self.where}, busy {self.share:.0%} of step {self.step}"


class EnergyBreakdown(NamedTuple):
    """Energy over all recorded steps by cause, int femtojoules."""

    synops_fj: int
    neurons_fj: int
    messages_fj: int
    static_fj: int


@dataclass(frozen=True, eq=False)
class Measurement:
    """One mapping, measured over the T recorded steps of its problem. N logical cores.

    Attributes:
        latency_ps: Sum of the step times.
        step_times_ps: Time of each step, barrier included, T of them.
        energy: Energy by cause.
        bottleneck: What the slowest step waited for.
        dendops: Neuron updates of each logical core, (T, N).
        synops: Synaptic operations of each logical core, (T, N).
        synmem_words: 64-bit words read from synaptic memory by each logical core, (T, N).
        messages_out: Messages each logical core sent, (T, N).
        messages_in: Messages each logical core received, (T, N).
        link_messages: Messages over each link id of the chip's `Topology`, (T, n_links).
    """

    latency_ps: int
    step_times_ps: tuple[int, ...]
    energy: EnergyBreakdown
    bottleneck: Bottleneck
    dendops: Int64Array
    synops: Int64Array
    synmem_words: Int64Array
    messages_out: Int64Array
    messages_in: Int64Array
    link_messages: Int64Array

    @property
    def latency_s(self) -> float:
        """Latency in seconds."""
        return self.latency_ps * 1e-12

    @property
    def energy_fj(self) -> int:
        """Energy over all recorded steps in femtojoules."""
        return sum(self.energy)

    @property
    def energy_j(self) -> float:
        """Energy over all recorded steps in joules."""
        return self.energy_fj * 1e-15


class Backend(Protocol):
    """Measures mappings of one problem."""

    name: str
    problem: Problem

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping.

        Raises:
            IllegalMappingError: if `Problem.check` finds a violation.
        """
        ...

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order, using all cores of the machine."""
        ...
