"""`merged.txt`: when each submission was merged, and in which order.

`build` adds the folders that the file does not have yet: with the day and in the order in which
git's main line took them up, or today where git knows nothing of them. Requests cannot touch the
file, so the day in a folder's name, which anybody may choose, decides nothing.
"""

import os
import subprocess
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from ..errors import BoardError

MERGED = "merged.txt"
Merges = dict[str, str]
"""Day, as YYYY-MM-DD, of each folder, the first merged first."""


def read_merges(board: Path) -> Merges:
    """What `merged.txt` says; nothing if there is none.

    Raises:
        BoardError: names the line that is malformed.
    """
    path, merges = board / MERGED, Merges()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return merges
    except (OSError, UnicodeDecodeError) as error:
        raise BoardError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        day, space, folder = line.partition(" ")
        try:
            date.fromisoformat(day)
        except ValueError:
            space = ""
        if not space or not folder or folder in merges:
            raise BoardError(f"{path}, line {number}: it takes YYYY-MM-DD FOLDER, each folder once")
        merges[folder] = day
    return merges


def merges_text(merges: Merges) -> str:
    """`merged.txt`."""
    return "".join(f"{day} {folder}\n" for folder, day in merges.items())


def completed(merges: Merges, submissions: Path, folders: Iterable[str]) -> Merges:
    """The merges of just these folders: known ones stay, new ones come behind them.

    Args:
        merges: What `merged.txt` says.
        submissions: Directory of the folders, in a git checkout or not.
        folders: Names of all that are on the board.
    """
    names = sorted(folders)
    known = {name: day for name, day in merges.items() if name in names}
    new = [name for name in names if name not in known]
    by_git = _first_seen(submissions) if new else {}
    today = datetime.now(UTC).date().isoformat()
    new.sort(key=lambda name: list(by_git).index(name) if name in by_git else len(by_git))
    return known | {name: by_git.get(name, today) for name in new}


def _first_seen(submissions: Path) -> Merges:
    """Day, in UTC, on which the checked out branch itself took up each folder."""
    words = ("log", "--first-parent", "--diff-merges=first-parent", "--diff-filter=A", "--reverse")
    form = ("--format=%x00%cd", "--date=short-local", "--name-only", "-z", "--relative", "--", ".")
    try:
        done = subprocess.run(
            ["git", *words, *form],
            cwd=submissions,
            env={**os.environ, "TZ": "UTC"},
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):  # no git, no checkout: nothing is known
        return {}
    merges, day = Merges(), ""
    for part in done.stdout.decode("utf-8", "replace").replace("\n", "\0").split("\0"):
        folder, slash, _ = part.partition("/")
        if slash:
            merges.setdefault(folder, day)
        elif part:
            day = part
    return merges
