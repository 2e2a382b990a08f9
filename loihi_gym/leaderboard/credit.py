"""Whose work a mapping is: near-copies are traced to whoever submitted them first.

A mapping is derived from the nearest one that was public before it, if at most one piece in `NEAR`
sits elsewhere, or two, the least that a swap moves; see `symmetry.elsewhere`. The problem's
reference mapping is public from the start and is everybody's. Of one's own earlier work nothing is
derived: the authors must be the very same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..benchmarks.suite import MAPPING
from .replayer import Played, Replayer
from .submission import Submission, SubmittedRun
from .symmetry import Picture, elsewhere, picture

NEAR = 10
"""One piece in so many may sit elsewhere in a near-copy."""


@dataclass(frozen=True)
class Credit:
    """What of a submission is its own.

    Attributes:
        sources: The earlier submission that each derived run's mapping comes from.
        public_ps: Lowest latency of each problem that was public before it.
    """

    sources: dict[SubmittedRun, str]
    public_ps: dict[str, int]

    def counted_from(self, played: Played) -> dict[SubmittedRun, int]:
        """Latency that counts as 1 for each derived run, in ps; see `Played.pairs`.

        A derived mapping counts by what it improves on the best that was public, if it does.
        """
        return {
            run: min(
                played.submission.suite.frozen(run.problem).reference_latency_ps,
                max(self.public_ps[run.problem], played.scores[run][0]),
            )
            for run in self.sources
        }


@dataclass
class Public:
    """The mappings of one suite that are public, in the order in which they became so.

    Attributes:
        replayer: Knows the suite's problems.
    """

    replayer: Replayer
    _pictures: dict[str, list[tuple[Submission | None, Picture]]] = field(default_factory=dict)

    def add(self, submission: Submission) -> None:
        """Take in a submission; illegal mappings are left out."""
        for run, mapping in submission.mappings.items():
            problem = self.replayer.problem(run.problem)
            if not problem.check(mapping):
                self._of(run.problem).append((submission, picture(problem.topology, mapping)))

    def sources(self, submission: Submission) -> dict[SubmittedRun, str]:
        """Folder that each derived run of a submission comes from.

        On solver tracks there are none unless more than half of the runs are: good solvers meet in
        the optimum of a small problem, and are no copies of each other.
        """
        found = self.nearest(submission)
        few = 2 * len(found) <= len(submission.mappings)
        return {} if submission.about.track != MAPPING and few else found

    def nearest(self, submission: Submission) -> dict[SubmittedRun, str]:
        """As `sources`, on any track."""
        folders = {run: self._source(submission, run) for run in submission.mappings}
        return {run: folder for run, folder in folders.items() if folder is not None}

    def _source(self, submission: Submission, run: SubmittedRun) -> str | None:
        mesh, mapping = self.replayer.problem(run.problem).topology, submission.mappings[run]
        own, authors = picture(mesh, mapping), _people(submission)
        others = [one for one in self._of(run.problem) if not one[0] or _people(one[0]) != authors]
        distances = [elsewhere(own, theirs) for _, theirs in others]
        shares = [moved / pieces for moved, pieces in distances]
        nearest = shares.index(min(shares))  # of several, the first: there is always the reference
        source, (moved, pieces) = others[nearest][0], distances[nearest]
        return source.folder if source is not None and moved <= max(2, pieces // NEAR) else None

    def _of(self, name: str) -> list[tuple[Submission | None, Picture]]:
        if name not in self._pictures:
            problem = self.replayer.problem(name)
            reference = picture(problem.topology, problem.reference_mapping)
            self._pictures[name] = [(None, reference)]
        return self._pictures[name]


def credits_of(replayer: Replayer, played: Sequence[Played]) -> list[Credit]:
    """What of each submission is its own; `played` are all of a suite, the first merged first."""
    public, credits = Public(replayer), list[Credit]()
    best = {name: replayer.suite.frozen(name).reference_latency_ps for name in replayer.suite.names}
    for one in played:
        credits.append(Credit(public.sources(one.submission), dict(best)))
        public.add(one.submission)
        for run, (latency, _) in one.scores.items():
            best[run.problem] = min(best[run.problem], latency)
    return credits


def sources_of(
    replayer: Replayer, submission: Submission, others: Iterable[Submission]
) -> dict[SubmittedRun, str]:
    """As `Public.sources`, against what a board has of a suite."""
    public = Public(replayer)
    for other in others:
        if other.about.suite == submission.about.suite:
            public.add(other)
    return public.sources(submission)


def _people(submission: Submission) -> frozenset[str]:
    return frozenset(submission.about.authors)
