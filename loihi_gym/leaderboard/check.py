"""Whether a submission may enter the board: what the maintainers' machine runs on a request."""

from collections.abc import Iterable
from pathlib import Path

from ..errors import BoardError, SubmissionError
from .replayer import OnProgress, Played, Replayer, ignored
from .submission import REPRODUCED, SUBMISSIONS, Submission, read_submission
from .symmetry import canonical_digest


def check(path: Path, board: Path | None = None, on_progress: OnProgress = ignored) -> Played:
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
    if REPRODUCED in submission.files:
        raise SubmissionError(f"{REPRODUCED}: is for the maintainers to add; remove it")
    others = [] if board is None else read_board(board, leave_out=path)
    replayer = Replayer(submission.suite)
    played = replayer.replay(submission, on_progress)
    require_new(submission, others, replayer)
    return played


def board_of(path: Path) -> Path | None:
    """The board that a submission lies in, or the one in this directory; None without either."""
    parent = path.absolute().parent
    if parent.name == SUBMISSIONS:
        return parent.parent
    here = Path("leaderboard")
    return here if (here / SUBMISSIONS).is_dir() else None


def read_board(board: Path, leave_out: Path | None = None) -> list[Submission]:
    """All submissions of a board, the oldest first.

    Raises:
        BoardError: names the one that breaks a rule.
    """
    folder = board / SUBMISSIONS
    if not folder.is_dir():
        raise BoardError(f"{board} is no leaderboard: it has no directory {SUBMISSIONS}")
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or (leave_out and path.absolute() == leave_out.absolute()):
            continue
        try:
            found.append(read_submission(path))
        except SubmissionError as error:
            raise BoardError(f"{path}: {error}") from error
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
        if other.about.name.casefold() == about.name.casefold():
            raise SubmissionError(
                f"submission.toml: name {about.name!r} is taken by {other.folder}; choose another"
            )
        left -= _digests(other, replayer)
        if not left:
            raise SubmissionError(
                f"mappings.json: every mapping is on the board already, the last one by "
                f"{other.folder}, up to symmetries of the mesh"
            )


def _digests(submission: Submission, replayer: Replayer) -> set[tuple[str, str]]:
    """(Problem, canonical hash) of each run's best mapping, illegal ones left out."""
    return {
        (run.problem, canonical_digest(replayer.problem(run.problem).topology, mapping))
        for run, mapping in submission.mappings.items()
        if not replayer.problem(run.problem).check(mapping)
    }
