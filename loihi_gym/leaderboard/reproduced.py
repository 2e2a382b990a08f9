"""`reproduced.toml`: the maintainers' note that a submission's solver was run again.

It stands beside the submission's files and holds their hashes, so that it speaks of no others.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SubmissionError
from ..files import write_text
from .reading import read_bytes, read_toml, shown, table, whole
from .submission import ABOUT, MAPPINGS, MAX_ABOUT, MAX_MAPPINGS, MAX_TRACE, REPRODUCED, TRACE

FORMAT = 1
HASHED = {ABOUT: MAX_ABOUT, MAPPINGS: MAX_MAPPINGS, TRACE: MAX_TRACE}
"""Files that a note speaks of, and how large they may be."""


@dataclass(frozen=True)
class Note:
    """When and with what a submission was reproduced.

    Attributes:
        date: Day, as YYYY-MM-DD.
        command: What was run.
        versions: Of Python, this package, and what its solvers use.
    """

    date: str
    command: str
    versions: dict[str, str]


def write_reproduced(folder: Path, note: Note) -> None:
    """Write the note into a submission's directory."""
    lines = [
        "# Written by the maintainers after the solver's traces came out the same.",
        f"format = {FORMAT}",
        f'date = "{note.date}"',
        f'command = "{note.command}"',
        "[sha256]",
        *(f'"{name}" = "{digest}"' for name, digest in _hashes(folder).items()),
        "[versions]",
        *(f'"{name}" = "{version}"' for name, version in sorted(note.versions.items())),
    ]
    write_text(folder / REPRODUCED, "\n".join(lines) + "\n")


def read_reproduced(path: Path) -> Note:
    """Read a note and hold it against the files beside it.

    Raises:
        SubmissionError: if it is malformed, or of other files.
    """
    data = read_toml(path, MAX_ABOUT)
    table(data, REPRODUCED, {"format", "date", "command", "sha256", "versions"}, set())
    whole(data["format"], f"{REPRODUCED}: format", FORMAT, FORMAT)
    hashes = _hashes(path.parent)
    stated = table(data["sha256"], f"{REPRODUCED}: sha256", set(hashes), set())
    for name, digest in hashes.items():
        if stated[name] != digest:
            raise SubmissionError(
                f"{REPRODUCED}: sha256 of {name} is {digest[:12]}…, not {shown(stated[name])}: it "
                "was written for another submission; remove it, or reproduce again"
            )
    versions: Any = data["versions"]
    if not isinstance(versions, dict):
        raise SubmissionError(f"{REPRODUCED}: versions is {shown(versions)}, not a table")
    return Note(str(data["date"]), str(data["command"]), {k: str(v) for k, v in versions.items()})


def _hashes(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256(read_bytes(folder / name, limit)).hexdigest()
        for name, limit in HASHED.items()
    }
