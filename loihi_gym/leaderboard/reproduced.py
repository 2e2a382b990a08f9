"""`reproduced.toml`: the maintainers' note that a submission's solver was run again.

It stands beside the submission's files and holds their hashes, so that it speaks of no others.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import SubmissionError
from ..files import write_text
from .reading import read_bytes, read_toml, shown
from .schema import Field, read_table, text, whole
from .submission import ABOUT, MAPPINGS, MAX_ABOUT, MAX_MAPPINGS, MAX_TRACE, REPRODUCED, TRACE

FORMAT = 1
HASHED = {ABOUT: MAX_ABOUT, MAPPINGS: MAX_MAPPINGS, TRACE: MAX_TRACE}
"""Files that a note speaks of, and how large they may be."""


@dataclass(frozen=True)
class Note:
    """When and with what a submission was reproduced.

    Attributes:
        date: Day of the reproduction, as YYYY-MM-DD.
        command: Command that was run.
        versions: Versions, by name, of Python, this package, and what its solvers use.
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
    data = read_table(read_toml(path, MAX_ABOUT), REPRODUCED, NOTE_FIELDS)
    for name, digest in _hashes(path.parent).items():
        if data["sha256"][name] != digest:
            raise SubmissionError(
                f"{REPRODUCED}: sha256 of {name} is {digest[:12]}…, not "
                f"{shown(data['sha256'][name])}: it was written for another submission; remove it, "
                "or reproduce again"
            )
    return Note(data["date"], data["command"], data["versions"])


def _texts(value: object, source: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise SubmissionError(f"{source} is {shown(value)}, not a table")
    return {name: WORDS(one, f"{source}: {name}") for name, one in value.items()}


WORDS = text("a line of text", r"[ -~]*")
HASH_FIELDS = dict.fromkeys(HASHED, Field(WORDS))
NOTE_FIELDS = {
    "format": Field(whole(FORMAT, FORMAT)),
    "date": Field(WORDS),
    "command": Field(WORDS),
    "sha256": Field(lambda value, source: read_table(value, source, HASH_FIELDS)),
    "versions": Field(_texts),
}


def _hashes(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256(read_bytes(folder / name, limit)).hexdigest()
        for name, limit in HASHED.items()
    }
