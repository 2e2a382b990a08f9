"""`robust`: one mapping measured on every chip of a set of hypotheses, and one figure for all.

The figure is relative: how long the mapping takes on each chip beside the reference mapping there,
joined over the chips. It is given in ps of the first chip, so that whoever minimises a latency
minimises it: solvers, environments and tables need not know. All of it is whole numbers.
"""

from collections.abc import Mapping as Named
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal, get_args

from ..chip.hypotheses import Hypotheses, load_hypotheses
from ..errors import BackendError, IllegalMappingError, unknown
from ..mapping import Mapping, Problem, fitting
from ..mapping.fewest import packed
from ..mapping.heuristics import COARSE
from .measurement import Backend, Measurement

ONE_CHIP = ("lava", "robust")
"""Backends that do not measure the chip that a problem names, or more than that."""

Aggregate = Literal["geometric", "worst"]


@dataclass(frozen=True, eq=False, repr=False)
class RobustMeasurement(Measurement):
    """One mapping on every chip of a set; its latency is the `aggregate_ps` of all of them.

    Attributes:
        by_chip: Measurement on each chip, by the hypothesis' name, in the order of the set.
    """

    by_chip: dict[str, Measurement] = field(default_factory=dict)


class RobustBackend(Backend):
    """Measures on every chip of a set; each mapping costs as many evaluations as there are chips.

    Args:
        problem: What is mapped.
        hypotheses: The set, its name, or the path of a .toml file. It is laid over the problem's
            own chip. None means ``loihi2-hypotheses`` or, for several chips,
            ``kapoho-point-hypotheses``.
        aggregate: ``geometric``, the geometric mean of what the mapping takes relative to the
            reference on each chip, or ``worst``, the largest of these.
        measure_by: Backend that measures on each chip.
        relative_to: Latency in ps on each chip that mappings are compared with, such as the best
            known there; None for the reference mapping's. The geometric mean orders mappings alike
            whatever they are compared with.

    Attributes:
        problem: The problem on the first chip; a mapping is legal if every chip can hold it.
        hypotheses: The set, over the problem's chip.
        reference: Measurement of the reference mapping: `Problem.reference` or, if some chip
            cannot hold that, the first chip's fastest standard heuristic that all can.
        evaluations_each: Evaluations that one mapping costs.

    Raises:
        BackendError: if `measure_by` cannot measure one plausible chip or another.
        UnknownNameError: if there is no such set or aggregate.
        ChipFileError: if the set's file is wrong.
        IllegalMappingError: if some chip cannot hold the network; names it.
    """

    name = "robust"
    repeatable = True

    def __init__(
        self,
        problem: Problem,
        *,
        hypotheses: str | Hypotheses | None = None,
        aggregate: Aggregate = "geometric",
        measure_by: str = "mesh",
        relative_to: Named[str, int] | None = None,
    ) -> None:
        from . import make_backend

        if measure_by in ONE_CHIP:
            raise BackendError(
                f"{measure_by} measures one chip, however it is built: leave out the set of chips"
            )
        if aggregate not in get_args(Aggregate):
            raise unknown("aggregate", str(aggregate), list(get_args(Aggregate)))
        self.hypotheses = hypotheses_of(problem, hypotheses)
        self.aggregate = aggregate
        self.problem, *others = on_each(problem, self.hypotheses)
        alone = replace(self.problem, alternatives=())
        self._backends = [make_backend(measure_by, one) for one in (alone, *others)]
        self.evaluations_each = len(self._backends)
        self._relative_to = relative_to
        self.reference = self._reference()

    def evaluate(self, mapping: Mapping) -> RobustMeasurement:
        """Measure one mapping on every chip; see `Backend.evaluate`."""
        return self._each([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings on every chip, in their order; see `evaluate`."""
        return list(self._each(mappings))

    def _each(self, mappings: Sequence[Mapping]) -> list[RobustMeasurement]:
        for mapping in mappings:
            self.problem.require(mapping)
        return [self._joined(parts, self.reference.by_chip) for parts in self._measure(mappings)]

    def _reference(self) -> RobustMeasurement:
        """Settle and measure the reference mapping."""
        problem = self.problem
        if problem.reference not in fitting(problem, {problem.reference.split("/")[0]}):
            mappings = fitting(problem, COARSE)
            measured = self._backends[0].evaluate_batch(list(mappings.values()))
            latencies = {n: m.latency_ps for n, m in zip(mappings, measured, strict=True)}
            fastest = min(latencies, key=lambda name: latencies[name])
            self.problem = replace(problem, reference=fastest)
        (parts,) = self._measure([self.problem.reference_mapping])
        return self._joined(parts, parts)

    def _measure(self, mappings: Sequence[Mapping]) -> list[dict[str, Measurement]]:
        """Each mapping on each chip."""
        by_chip = [backend.evaluate_batch(mappings) for backend in self._backends]
        names = self.hypotheses.names
        return [dict(zip(names, parts, strict=True)) for parts in zip(*by_chip, strict=True)]

    def _joined(
        self, by_chip: dict[str, Measurement], references: dict[str, Measurement]
    ) -> RobustMeasurement:
        given = self._relative_to
        before = [one.latency_ps if given is None else given[n] for n, one in references.items()]
        latencies = [one.latency_ps for one in by_chip.values()]
        return RobustMeasurement(
            latency_ps=aggregate_ps(latencies, before, self.aggregate),
            bottleneck=by_chip[self.hypotheses.names[0]].bottleneck,
            by_chip=by_chip,
        )


def hypotheses_of(problem: Problem, given: str | Hypotheses | None) -> Hypotheses:
    """A set laid over a problem's chip; None means the bundled one for as many chips as it has."""
    if given is None:
        several = problem.chip.n_chips > 1
        given = "kapoho-point-hypotheses" if several else "loihi2-hypotheses"
    return (given if isinstance(given, Hypotheses) else load_hypotheses(given)).over(problem.chip)


def on_each(problem: Problem, hypotheses: Hypotheses) -> list[Problem]:
    """The problem on each chip; of the first one, only what all can hold is legal.

    Raises:
        IllegalMappingError: if a chip cannot hold the network; names it.
    """
    known: set[object] = set()
    for one in hypotheses.members:
        holds = (one.chip.capacity, one.chip.structure.rows)
        if holds in known:
            continue
        known.add(holds)
        try:
            packed(replace(problem, chip=one.chip))
        except IllegalMappingError as error:
            raise IllegalMappingError(
                f"hypothesis {one.name} cannot hold the network: {error}; or leave it out: "
                f"{hypotheses.name},-{one.name}"
            ) from error
    first, *others = (replace(problem, chip=chip) for chip in hypotheses.chips)
    return [replace(first, alternatives=tuple(other.chip for other in others)), *others]


def aggregate_ps(
    latencies_ps: Sequence[int], references_ps: Sequence[int], aggregate: Aggregate
) -> int:
    """What latencies on several chips come to, in ps of the first chip, rounded down.

    Args:
        latencies_ps: Of a mapping on each chip.
        references_ps: Of the reference mapping on each chip.
        aggregate: ``geometric``: the reference's latency on the first chip times the geometric mean
            of latency / reference over the chips. ``worst``: times the largest of these.
    """
    first, n = references_ps[0], len(references_ps)
    if aggregate == "worst":
        return max(
            first * latency // reference
            for latency, reference in zip(latencies_ps, references_ps, strict=True)
        )
    return root(first**n * prod(latencies_ps) // prod(references_ps), n)


def root(value: int, degree: int) -> int:
    """The largest whole number whose power of that degree is not above `value`, by Newton."""
    if value < 2:
        return value
    guess = 1 << -(-value.bit_length() // degree)  # above the root, so that steps go down
    while True:
        step = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if step >= guess:
            return guess
        guess = step
