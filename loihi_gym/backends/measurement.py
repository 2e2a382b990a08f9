"""What a backend is, and the `Measurement` it returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Literal, NamedTuple, Protocol

from ..arrays import Int64Array
from ..errors import BackendError
from ..mapping import Mapping, Problem
from ..notebook import html_table

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
    """One mapping, measured over the T recorded steps of its problem.

    A backend says what it has measured: the latency, and of the rest what it knows. N logical
    cores.

    Attributes:
        latency_ps: Sum of the step times.
        step_times_ps: Time of each step, barrier included; a single step if none are given.
        energy: Energy by cause.
        bottleneck: What the slowest step waited for.
        dendops: Neuron updates of each logical core, (T, N).
        synops: Synaptic operations of each logical core, (T, N).
        synmem_words: 64-bit words read from synaptic memory by each logical core, (T, N).
        messages_out: Messages each logical core sent, (T, N).
        messages_in: Messages each logical core received, (T, N).
        link_messages: Messages over each link id of the chip's `Topology`, (T, n_links).
        link_words: The same in 32-bit words, (T, n_links).

    Raises:
        BackendError: if times are not whole numbers from 0 on, or the latency is not their sum.
    """

    latency_ps: int
    step_times_ps: tuple[int, ...] = ()
    energy: EnergyBreakdown | None = None
    bottleneck: Bottleneck | None = None
    dendops: Int64Array | None = None
    synops: Int64Array | None = None
    synmem_words: Int64Array | None = None
    messages_out: Int64Array | None = None
    messages_in: Int64Array | None = None
    link_messages: Int64Array | None = None
    link_words: Int64Array | None = None

    def __post_init__(self) -> None:
        try:  # NumPy's integers are welcome, and become Python's, as traces need them
            times = tuple(index(ps) for ps in self.step_times_ps) or (index(self.latency_ps),)
        except TypeError as error:
            raise BackendError(f"a backend gave times that are not whole ps: {error}") from error
        if sum(times) != self.latency_ps or min(times) < 0:
            raise BackendError(
                f"a backend gave latency_ps = {self.latency_ps}, which is not the sum of step "
                "times from 0 ps on"
            )
        object.__setattr__(self, "step_times_ps", times)
        object.__setattr__(self, "latency_ps", sum(times))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._facts().values())})"

    def _repr_html_(self) -> str:
        """What was measured, a row each, for notebooks."""
        steps = ", ".join(f"{ps * 1e-6:.3f}" for ps in self.step_times_ps)
        rows = [*self._facts().items(), ("step times (us)", steps)]
        return html_table("Measurement", ("", ""), rows, "Simulated, unless a chip measured it.")

    def _facts(self) -> dict[str, str]:
        """Latency and, where they are known, energy and bottleneck, for people."""
        number = len(self.step_times_ps)
        steps = f"{number} step{'' if number == 1 else 's'}"
        facts = {"latency": f"{self.latency_ps * 1e-6:.3f} us in {steps}"}
        if self.energy_j is not None:
            facts["energy"] = f"{self.energy_j * 1e6:.2f} uJ"
        if self.bottleneck is not None:
            facts["bottleneck"] = str(self.bottleneck)
        return facts

    @property
    def counted(self) -> bool:
        """Whether it is of a Loihi: its loads of cores and links are there, in Loihi's terms."""
        return self.link_messages is not None

    @property
    def latency_s(self) -> float:
        """Latency in seconds."""
        return self.latency_ps * 1e-12

    @property
    def energy_fj(self) -> int | None:
        """Energy over all recorded steps in femtojoules; None if it was not measured."""
        return None if self.energy is None else sum(self.energy)

    @property
    def energy_j(self) -> float | None:
        """Energy over all recorded steps in joules; None if it was not measured."""
        return None if self.energy is None else sum(self.energy) * 1e-15


class Placed(Protocol):
    """A mapping that a backend has placed, from which it gets to the next one swap by swap.

    Attributes:
        mapping: The mapping.
        latency_ps: Its latency.
        energy_fj: Its energy; None if that is not measured.

    It may have a `bottleneck`, too.
    """

    mapping: Mapping
    latency_ps: int
    energy_fj: int | None

    def swapped(self, core_a: int, core_b: int) -> "Placed":
        """The mapping with what is on two physical cores exchanged; this one stays as it is."""
        ...


class Backend(Protocol):
    """Measures mappings of one problem. A class of yours may inherit `evaluate_batch` from this.

    A backend may have more to offer; who can make use of it asks with `getattr`:

    - `repeatable`, a bool of the class: a mapping measured again gives the same integers.
    - `reference`: the `Measurement` of the problem's reference mapping, already made.
    - `place(mapping)`: a `Placed`, for environments that go on by swaps.
    - `compiled`, a bool of the class: what `place` returns has `tables` and `state` of
      `bound_kernel`, and compiled loops may change it.
    - `close()`: ends what the backend has started.
    """

    name: str
    problem: Problem

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping.

        Raises:
            IllegalMappingError: if `Problem.check` finds a violation.
            MeasurementError: if this mapping could not be measured.
        """
        ...

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order; one by one unless a backend knows better."""
        return [self.evaluate(mapping) for mapping in mappings]
