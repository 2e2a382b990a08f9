"""Building the board: results, README and page from nothing but the submissions."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..benchmarks.suite import Suite, load_suite, previous_names, suite_names
from ..errors import BoardError, SubmissionError
from ..files import write_text
from .check import read_board, require_new
from .merges import MERGED, merges_text
from .page import page
from .ranking import results, results_text
from .replayer import Played, Replayer, ignored
from .submission import Submission
from .tables import with_tables

README, RESULTS, SITE = "README.md", "results", "site/index.html"

OnSubmission = Callable[[str, int, int], None]


def generate(board: Path, on_progress: OnSubmission = ignored) -> dict[str, str]:
    """All generated files of a board by path, as text; nothing is written.

    Args:
        board: The leaderboard's directory.
        on_progress: Called with (submission, mappings measured, all its mappings) now and then.

    Raises:
        BoardError: if a submission breaks a rule; names it.
        SuiteError: if the code no longer computes what a suite states.
    """
    submissions = read_board(board)
    made = []
    for suite in sorted(_suites(submissions), key=lambda one: len(one.name)):  # the main one first
        own = [one for one in submissions if one.about.suite == suite.name]
        replayer = Replayer(suite)
        made.append(results(replayer, _replayed(own, replayer, on_progress), board))
    files = {f"{RESULTS}/{one['suite']}.json": results_text(one) for one in made}
    try:
        readme = (board / README).read_text(encoding="utf-8")
    except OSError as error:
        raise BoardError(f"{board / README}: {error.strerror}") from error
    files[README] = with_tables(readme, made)
    files[SITE] = page(made)
    files[MERGED] = merges_text({one.folder: one.day for one in submissions})
    return files


def _suites(submissions: list[Submission]) -> list[Suite]:
    """Suites that a board has tables of: this version's, or those of a board of earlier ones.

    Suites on plausible chips have no table yet.
    """
    earlier = any(one.about.suite in previous_names() for one in submissions)
    suites = map(load_suite, previous_names() if earlier else suite_names())
    return [suite for suite in suites if not suite.hypotheses]


def build(board: Path, on_progress: OnSubmission = ignored) -> list[str]:
    """Write all generated files of a board; returns their paths.

    Raises:
        LoihiGymError: as `generate`.
    """
    files = generate(board, on_progress)
    for name, text in files.items():
        path = board / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return list(files)


def require_built(board: Path, on_progress: OnSubmission = ignored) -> None:
    """Raise unless the generated files are what `build` would write, to the byte.

    Raises:
        BoardError: names the first stale file.
        LoihiGymError: as `generate`.
    """
    files = generate(board, on_progress)
    for name, text in files.items():
        path = board / name
        if not path.exists() or path.read_bytes() != text.encode("utf-8"):
            raise BoardError(f"{path} is stale: run 'loihi-gym leaderboard build' and commit it")
    for path in sorted((board / RESULTS).glob("*")):
        if f"{RESULTS}/{path.name}" not in files:
            raise BoardError(f"{path} is of no suite of this version: move it to previous/")


def _replayed(
    submissions: list[Submission], replayer: Replayer, on_progress: OnSubmission
) -> list[Played]:
    played = []
    for number, one in enumerate(submissions):
        try:
            played.append(replayer.replay(one, partial(on_progress, one.folder)))
            require_new(one, submissions[:number], replayer)
        except SubmissionError as error:
            raise BoardError(f"{one.folder}, on the board since {one.day}: {error}") from error
    return played
