"""Whether a submission may enter the board: what the maintainers' machine runs on a request."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..benchmarks.suite import MAPPING
from ..errors import BoardError, LoihiGymError, SubmissionError
from ..search.registry import check_options, is_bundled, solver_names
from .credit import sources_of
from .merges import completed, read_merges
from .names import nearest, skeleton
from .replayer import OnProgress, Played, Replayer, ignored
from .submission import (
    ABOUT,
    REPRODUCED,
    SUBMISSIONS,
    Submission,
    SubmittedRun,
    read_submission,
    require_new_folder,
)
from .symmetry import canonical_digest


class Checked(NamedTuple):
    """A submission that may enter the board.

    Attributes:
        played: What replaying it gave.
        sources: The earlier submission that each derived run's mapping comes from; see `credit`.
    """

    played: Played
    sources: dict[SubmittedRun, str]


def check(path: Path, board: Path | None = None, on_progress: OnProgress = ignored) -> Checked:
    """Read, replay and compare a new submission with the board.

    Args:
        path: Its directory.
        board: The leaderboard's directory, for duplicates; None looks for none.
        on_progress: See `Replayer.replay`.

    Raises:
        SubmissionError: if it breaks a rule.
        BoardError: if something is wrong with what is on the board already.
        SuiteError: if the code no longer computes what the suite states.
    """
    submission = read_submission(path)
    require_new_folder(submission.folder)
    if REPRODUCED in submission.files:
        raise SubmissionError(f"{REPRODUCED}: is for the maintainers to add; remove it")
    _require_solver(submission)
    others = [] if board is None else read_board(board, leave_out=path)
    _require_own_names(submission, others)
    replayer = Replayer(submission.suite)
    played = replayer.replay(submission, on_progress)
    require_new(submission, others, replayer)
    return Checked(played, sources_of(replayer, submission, others))


def board_of(path: Path) -> Path | None:
    """The board that a submission lies in, or the one in this directory; None without either."""
    parent = path.absolute().parent
    if parent.name == SUBMISSIONS:
        return parent.parent
    here = Path("leaderboard")
    return here if (here / SUBMISSIONS).is_dir() else None


def read_board(board: Path, leave_out: Path | None = None) -> list[Submission]:
    """All submissions of a board, the first merged first.

    Raises:
        BoardError: names the one that breaks a rule.
    """
    folder = board / SUBMISSIONS
    if not folder.is_dir():
        raise BoardError(f"{board} is no leaderboard: it has no directory {SUBMISSIONS}")
    left_out = leave_out and leave_out.absolute()
    names = [
        path.name
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.absolute() != left_out
    ]
    found = []
    for name, day in completed(read_merges(board), folder, names).items():
        try:
            found.append(replace(read_submission(folder / name), day=day))
        except SubmissionError as error:
            raise BoardError(f"{folder / name}: {error}") from error
    return found


def require_new(submission: Submission, others: Iterable[Submission], replayer: Replayer) -> None:
    """Raise if a submission only repeats what others on its track have.

    Raises:
        SubmissionError: names the other submission.
    """
    about, left = submission.about, _digests(submission, replayer)
    for other in others:
        if (other.about.suite, other.about.track) != (about.suite, about.track):
            continue
        if skeleton(other.about.name) == skeleton(about.name):
            raise SubmissionError(
                f"submission.toml: name {about.name!r} is taken by {other.folder}; choose another"
            )
        left -= _digests(other, replayer)
        if not left:
            raise SubmissionError(
                f"mappings.json: every mapping is on the board already, the last one by "
                f"{other.folder}, up to symmetries of the mesh"
            )


def _require_solver(submission: Submission) -> None:
    """Raise unless what is said to be a bundled solver is one, with options that it has."""
    bundled = submission.about.bundled
    if bundled is None:
        return
    try:
        if not is_bundled(bundled.solver):
            raise SubmissionError(f"solver {bundled.solver!r} is not one of this package")
        check_options(bundled.solver, bundled.options)
    except LoihiGymError as error:
        raise SubmissionError(f"{ABOUT}: [bundled]: {error}") from error


def _require_own_names(submission: Submission, others: Iterable[Submission]) -> None:
    """Raise if a new submission's names are taken for a bundled solver's, or for other people's."""
    about = submission.about
    ours = {name for name in solver_names() if is_bundled(name)}
    ours -= {about.bundled.solver} if about.bundled else set()
    fields = {"name": about.name}
    if about.track != MAPPING and about.bundled is None:
        fields["solver"] = about.solver
    for field, value in fields.items():
        if taken := nearest(value, sorted(ours)):
            raise SubmissionError(
                f"{ABOUT}: {field} {value!r} is taken for {taken!r}, a solver of this package that "
                "[bundled] does not name; choose another"
            )
    people = {one for other in others for one in other.about.authors}
    for author in about.authors:
        for other in sorted(people - {author}):
            if skeleton(author) == skeleton(other):
                raise SubmissionError(
                    f"{ABOUT}: author {author!a} looks like {other!a}, who is on the "
                    "board; write it the same way, or add to it"
                )


def _digests(submission: Submission, replayer: Replayer) -> set[tuple[str, str]]:
    """(Problem, canonical hash) of each run's best mapping, illegal ones left out."""
    return {
        (run.problem, canonical_digest(replayer.problem(run.problem).topology, mapping))
        for run, mapping in submission.mappings.items()
        if not replayer.problem(run.problem).check(mapping)
    }
