"""`reproduced.toml`: the maintainers' note that a submission's solver was run again.

It stands beside the submission's files and holds their hashes, so that it speaks of no others.
"""

import hashlib
from datetime import date
from pathlib import Path
from platform import python_version

from ..errors import SubmissionError
from ..files import write_text
from ..search.run import VERSIONED, installed_version
from .reading import read_bytes, read_toml, shown
from .schema import Field, read_table, text
from .submission import ABOUT, FORMAT, FORMATS, LARGEST, REPRODUCED


def write_reproduced(folder: Path) -> None:
    """Write the note into a submission's directory: day, command, hashes of files, and versions."""
    versions = {name: known for name in VERSIONED if (known := installed_version(name)) is not None}
    versions["python"] = python_version()
    lines = [
        "# Written by the maintainers after the solver's traces came out the same.",
        f"format = {FORMAT}",
        f'date = "{date.today().isoformat()}"',
        f'command = "loihi-gym leaderboard reproduce {folder.absolute().name}"',
        "[sha256]",
        *(f'"{name}" = "{digest}"' for name, digest in _hashes(folder).items()),
        "[versions]",
        *(f'"{name}" = "{version}"' for name, version in sorted(versions.items())),
    ]
    write_text(folder / REPRODUCED, "\n".join(lines) + "\n")


def require_reproduced(folder: Path) -> None:
    """Raise unless a submission's note is of the files beside it.

    Raises:
        SubmissionError: if it is malformed, or of other files.
    """
    note = read_table(read_toml(folder / REPRODUCED, LARGEST[ABOUT]), REPRODUCED, NOTE_FIELDS)
    for name, digest in _hashes(folder).items():
        if note["sha256"][name] != digest:
            raise SubmissionError(
                f"{REPRODUCED}: sha256 of {name} is {digest[:12]}…, not "
                f"{shown(note['sha256'][name])}: it was written for another submission; remove it, "
                "or reproduce again"
            )


def _texts(value: object, source: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise SubmissionError(f"{source} is {shown(value)}, not a table")
    return {name: WORDS(one, f"{source}: {name}") for name, one in value.items()}


WORDS = text("a line of text", r"[ -~]*")
HASH_FIELDS = dict.fromkeys(LARGEST, Field(WORDS))
NOTE_FIELDS = {
    "format": FORMATS,
    "date": Field(WORDS),
    "command": Field(WORDS),
    "sha256": Field(lambda value, source: read_table(value, source, HASH_FIELDS)),
    "versions": Field(_texts),
}


def _hashes(folder: Path) -> dict[str, str]:
    return {
        name: hashlib.sha256(read_bytes(folder / name, limit)).hexdigest()
        for name, limit in LARGEST.items()
    }
