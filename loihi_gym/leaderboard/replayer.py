"""Replaying a submission: every mapping is checked and measured again, none is believed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..backends import Backend, make_backend
from ..benchmarks.bundled import problem_of
from ..benchmarks.freeze import require_problem
from ..benchmarks.suite import SCORER, Suite
from ..errors import SubmissionError, SuiteError
from ..mapping import Mapping, Problem
from .score import Pair
from .submission import MAPPINGS, TRACE, Improvement, Submission, SubmittedRun

BATCH = 32
"""Mappings measured at once: enough for all cores of a machine, few enough to show progress."""

OnProgress = Callable[[int, int], None]
"""Called with the mappings measured and all mappings."""
Score = tuple[int, int]
"""Latency in ps, energy in fJ."""
Point = tuple[int, int]
"""Evaluation, latency in ps."""


def ignored(*_: object) -> None:
    """Progress that nobody follows."""


@dataclass(frozen=True)
class Played:
    """A submission that was replayed.

    Attributes:
        submission: Submission that was replayed.
        scores: Latency (ps) and energy (fJ) of each run's best mapping.
        curves: (evaluation, latency in ps) of each run's improvements; empty on the mapping track.
    """

    submission: Submission
    scores: dict[SubmittedRun, Score]
    curves: dict[SubmittedRun, tuple[Point, ...]]

    def pairs(self, counted_from: dict[SubmittedRun, int] | None = None) -> list[list[Pair]]:
        """(Latency that counts as 1, latency) of each run, in ps, by problem; see `score`.

        Args:
            counted_from: What counts as 1 where that is not the reference's latency.
        """
        pairs: dict[str, list[Pair]] = {name: [] for name in self.submission.suite.names}
        for run, (latency_ps, _) in self.scores.items():
            reference_ps = self.submission.suite.frozen(run.problem).reference_latency_ps
            base_ps = (counted_from or {}).get(run, reference_ps)
            pairs[run.problem].append((base_ps, latency_ps))
        return list(pairs.values())


@dataclass
class Replayer:
    """Measures mappings of one suite's problems, each only once.

    Attributes:
        suite: The suite.
    """

    suite: Suite
    _backends: dict[str, Backend] = field(default_factory=dict)
    _known: dict[tuple[str, Mapping], Score] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.suite.scorer != SCORER:
            raise SuiteError(
                f"suite {self.suite.name} is of scorer {self.suite.scorer}; this version has "
                f"{SCORER}: its board belongs in previous/"
            )

    def backend(self, name: str) -> Backend:
        """What measures mappings of a problem.

        Raises:
            SuiteError: if the problem is not the one that the suite was frozen with.
        """
        if name not in self._backends:
            problem = problem_of(self.suite.entry(name))
            require_problem(self.suite, problem)
            self._backends[name] = make_backend(self.suite.backend, problem)
        return self._backends[name]

    def problem(self, name: str) -> Problem:
        """A problem of the suite; raises as `backend`."""
        return self.backend(name).problem

    def measure(self, name: str, mapping: Mapping) -> Score:
        """Latency and energy of one mapping of a problem."""
        self._measure(name, [mapping])
        return self._known[name, mapping]

    def replay(self, submission: Submission, on_progress: OnProgress = ignored) -> Played:
        """Check and measure all mappings of a submission.

        Args:
            submission: What was read.
            on_progress: Called now and then.

        Raises:
            SubmissionError: names the first run, and what of it is illegal or untrue.
        """
        for source, run, mapping in _all(submission):
            self._require_legal(source, run, mapping)
        for run, steps in submission.traces.items():
            _require_ordered(run, steps, submission)
        total = sum(map(len, submission.traces.values())) or len(submission.mappings)
        curves, done = dict[SubmittedRun, tuple[Point, ...]](), 0
        for run, best in submission.mappings.items():
            steps, curve = submission.traces.get(run, ()), list[Point]()
            for first in range(0, len(steps), BATCH):
                curve += self._continued(run, curve[-1:], steps[first : first + BATCH])
                on_progress(done + len(curve), total)
            self._measure(run.problem, [best])
            done += len(steps) or 1
            on_progress(done, total)
            if steps:
                curves[run] = tuple(curve)
        scores = {
            run: self._known[run.problem, mapping] for run, mapping in submission.mappings.items()
        }
        return Played(submission, scores, curves)

    def _measure(self, name: str, mappings: Sequence[Mapping]) -> None:
        new = [mapping for mapping in mappings if (name, mapping) not in self._known]
        if new:
            for mapping, result in zip(new, self.backend(name).evaluate_batch(new), strict=True):
                self._known[name, mapping] = result.latency_ps, result.energy_fj or 0

    def _require_legal(self, source: str, run: SubmittedRun, mapping: Mapping) -> None:
        violations = self.problem(run.problem).check(mapping)
        if violations:
            more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
            raise SubmissionError(f"{source}: {run}: illegal mapping: {violations[0]}{more}")

    def _continued(
        self, run: SubmittedRun, last: Sequence[Point], steps: Sequence[Improvement]
    ) -> list[Point]:
        """The next points of a curve, each below the one before it; `last` is the last, if any."""
        self._measure(run.problem, [step.mapping for step in steps])
        points = [(step.evaluation, self._known[run.problem, step.mapping][0]) for step in steps]
        for (_, before), (evaluation, after) in pairwise([*last, *points]):
            if after >= before:
                raise SubmissionError(
                    f"{TRACE}: {run}: evaluation {evaluation} takes {after} ps, no less than the "
                    f"{before} ps before it: it is no improvement"
                )
        return points


def _all(submission: Submission) -> Iterator[tuple[str, SubmittedRun, Mapping]]:
    """Every mapping of a submission, with the file it is in."""
    for run, mapping in submission.mappings.items():
        yield MAPPINGS, run, mapping
    for run, steps in submission.traces.items():
        for step in steps:
            yield f"{TRACE}: evaluation {step.evaluation}", run, step.mapping


def _require_ordered(
    run: SubmittedRun, steps: Sequence[Improvement], submission: Submission
) -> None:
    """Raise unless a trace's evaluations rise within the budget, up to the best mapping."""
    budget = submission.suite.tracks[submission.about.track].budget
    if steps[0].evaluation != 1:
        raise SubmissionError(
            f"{TRACE}: {run}: begins with evaluation {steps[0].evaluation}; the first of a run is "
            "its best so far, and has to be there"
        )
    for before, after in pairwise(steps):
        if after.evaluation <= before.evaluation:
            raise SubmissionError(
                f"{TRACE}: {run}: evaluation {after.evaluation} comes after "
                f"{before.evaluation}; they have to rise"
            )
    if steps[-1].evaluation > budget:
        raise SubmissionError(
            f"{TRACE}: {run}: evaluation {steps[-1].evaluation} is beyond the budget of {budget}"
        )
    if steps[-1].mapping != submission.mappings[run]:
        raise SubmissionError(f"{TRACE}: {run}: its last mapping is not the one of {MAPPINGS}")
