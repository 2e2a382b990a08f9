"""What merging a request changes: exactly one new submission is added, and nothing else happens.

What counts is the tree that the merge gives, whatever way the request's history took. A request
whose history crosses the base's, so that they have several merge bases, is refused: what merging
it gives depends on who merges.

A request comes from anybody. Its commit is read from git's database as data: nothing of it is
checked out, so none of its code, hooks, filters or links can have an effect, and its files are
copied only after their kinds and sizes are known.
"""

import subprocess
from pathlib import Path
from typing import NamedTuple

from ..errors import SubmissionError, one_line
from .reading import shown
from .submission import LARGEST, SUBMISSIONS, require_new_folder

PLAIN_FILE = "100644"
"""Git's mode of a file that is no link and no program."""
BOARD = "leaderboard"
_SILENT = {
    "merge-base": "the commits have nothing in common",
    "merge-tree": "the request conflicts with the base; make it anew on top of it",
}
"""What it means if a command of git fails without a word on stderr."""


class Change(NamedTuple):
    """One file that differs between the base and what merging the request gives.

    Attributes:
        status: Git's letter, ``A`` for a new file.
        mode: Git's mode of the new file.
        blob: Git's name of its content.
        path: Where it is in the repository.
    """

    status: str
    mode: str
    blob: str
    path: str


def new_submission(repository: Path, base: str, head: str, copy_to: Path | None = None) -> str:
    """Name of the one submission folder that merging `head` adds to `base`.

    Args:
        repository: A git checkout.
        base: Commit that the request is held against.
        head: Commit of the request.
        copy_to: Directory in which the folder is written, as plain files.

    Raises:
        SubmissionError: if git does not know the commits, or they have no common ancestor or
            several; if they cannot be merged; if the merge adds no folder or several, changes or
            removes anything, or a file of it is of the wrong name, kind or size; if `copy_to` has
            the folder already.
    """
    found = _changes(repository, base, head)
    name = _folder(repository, found)
    if copy_to is not None:
        out = copy_to / name
        try:
            out.mkdir()
            for change in found:
                content = _git(repository, "cat-file", "blob", change.blob)
                (out / Path(change.path).name).write_bytes(content)
        except FileExistsError as error:
            raise SubmissionError(f"{name} is on the board already; choose another name") from error
        except OSError as error:
            raise SubmissionError(f"cannot write {out}: {error.strerror}") from error
    return name


def _changes(repository: Path, base: str, head: str) -> list[Change]:
    """All files that differ between `base` and what merging `head` into it gives."""
    ours, theirs = (_commit(repository, name) for name in (base, head))
    if len(_git(repository, "merge-base", "--all", ours, theirs).split()) > 1:
        raise SubmissionError(
            "the request's history crosses that of the base, so that they have several merge "
            "bases; make one commit on top of the base instead"
        )
    merged = _git(repository, "merge-tree", "--write-tree", "--name-only", ours, theirs)
    raw = _git(
        repository,
        *("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff"),
        *(f"{ours}^{{tree}}", merged.decode().split()[0]),
    )
    # ":oldmode newmode oldblob newblob status", NUL, path, NUL, for each file.
    parts = raw.decode("utf-8", "backslashreplace").split("\0")[:-1]
    found = []
    for line, path in zip(parts[::2], parts[1::2], strict=True):
        _, mode, _, blob, status = line.split(" ")
        found.append(Change(status, mode, blob, path))
    return found


def _folder(repository: Path, found: list[Change]) -> str:
    if not found:
        raise SubmissionError("the request changes nothing")
    folders = set()
    for change in found:
        parts = change.path.split("/")
        if parts[:2] != [BOARD, SUBMISSIONS] or len(parts) != 4:
            raise SubmissionError(
                f"the request changes {shown(change.path)}; it may only add one folder of files to "
                f"{BOARD}/{SUBMISSIONS}"
            )
        if change.status != "A":
            raise SubmissionError(
                f"the request changes or removes {shown(change.path)}; what is on the board stays"
            )
        folders.add(parts[2])
        _require_file(repository, change, parts[3])
    if len(folders) > 1:
        raise SubmissionError(
            f"the request adds {len(folders)} submissions; make one request for each"
        )
    (folder,) = folders
    require_new_folder(folder)
    return folder


def _require_file(repository: Path, change: Change, name: str) -> None:
    if name not in LARGEST:
        raise SubmissionError(
            f"the request adds {shown(change.path)}; a submission has {', '.join(LARGEST)} only"
        )
    if change.mode != PLAIN_FILE:
        raise SubmissionError(
            f"{shown(change.path)} has mode {change.mode}; it must be a plain file ({PLAIN_FILE})"
        )
    size = int(_git(repository, "cat-file", "-s", change.blob))
    if size > LARGEST[name]:
        raise SubmissionError(
            f"{shown(change.path)} has {size:,} bytes; the limit is {LARGEST[name]:,}"
        )


def _commit(repository: Path, name: str) -> str:
    """The commit of that name; a name that reads like an option of git is none."""
    words = ("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    return _git(repository, *words).decode().strip()


def _git(repository: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise SubmissionError("git is not installed") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        silent = _SILENT.get(arguments[0], "it failed")
        raise SubmissionError(
            f"git {arguments[0]}: {one_line(said[-1]) if said else silent}"
        ) from error
    return done.stdout
