"""Reading what a stranger wrote: regular files of bounded size, in strict JSON and TOML.

Nothing here follows a link, opens anything but a regular file, or holds more than the size it
allows. Whatever is wrong is a `SubmissionError` of one line, in which the stranger's text stands
only escaped and cut off.
"""

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import SubmissionError

MAX_DIGITS = 15
"""No number of a submission is longer; Python itself takes minutes for one of a million digits."""
SHOWN = 60
MAX_FILES = 100
"""More are not even listed: a submission has four."""
BOM = b"\xef\xbb\xbf"
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def shown(value: object) -> str:
    """A foreign value for an error message: escaped to ASCII, cut off, on one line."""
    if type(value) is int and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, str):
        value = value[: SHOWN + 1]
    elif isinstance(value, list | dict):
        return f"a {'list' if isinstance(value, list) else 'table'} of {len(value)}"
    text = ascii(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def names_in(folder: Path) -> list[str]:
    """Names of what is in a directory, sorted; of `MAX_FILES` at most.

    Raises:
        SubmissionError: if it is not a directory, or a link to one.
    """
    try:
        mode = folder.lstat().st_mode
        if not stat.S_ISDIR(mode):
            raise SubmissionError(f"{folder}: a submission is a directory, not a {_kind(mode)}")
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in islice(entries, MAX_FILES))
    except OSError as error:
        raise SubmissionError(f"{folder}: {error.strerror}") from error


def read_bytes(path: Path, limit: int) -> bytes:
    """A regular file of at most `limit` bytes.

    Raises:
        SubmissionError: if it is missing, larger, or anything else.
    """
    source = path.name
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise SubmissionError(f"{source}: is a {_kind(mode)}, not a regular file")
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise SubmissionError(f"{source}: is not a regular file")
            if state.st_size > limit:
                raise SubmissionError(
                    f"{source}: has {state.st_size:,} bytes; at most {limit:,} are read"
                )
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise SubmissionError(f"{source}: is missing") from error
    except OSError as error:
        raise SubmissionError(f"{source}: cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise SubmissionError(f"{source}: grows while it is read")
    return data


def read_text(path: Path, limit: int) -> str:
    """A regular file of at most `limit` bytes of UTF-8 without byte order mark.

    Raises:
        SubmissionError: if it is anything else.
    """
    data = read_bytes(path, limit)
    if data.startswith(BOM):
        raise SubmissionError(f"{path.name}: starts with a byte order mark; save it without")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SubmissionError(f"{path.name}: byte {error.start} is not UTF-8") from error


def read_toml(path: Path, limit: int) -> dict[str, Any]:
    """A TOML file.

    Raises:
        SubmissionError: if it cannot be read or is malformed.
    """
    text = read_text(path, limit)
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise SubmissionError(f"{path.name}: is nested too deeply") from error
    except ValueError as error:  # also a number of more digits than Python reads
        raise SubmissionError(f"{path.name}: is not TOML: {_reason(error)}") from error


def parse_json(text: str, source: str) -> Any:
    """JSON without duplicate keys, fractions, NaN, or numbers of more than `MAX_DIGITS` digits.

    Raises:
        SubmissionError: if it is malformed.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_fraction,
        )
    except RecursionError as error:
        raise SubmissionError(f"{source}: is nested too deeply") from error
    except _Refused as error:
        raise SubmissionError(f"{source}: {error}") from error
    except ValueError as error:
        raise SubmissionError(f"{source}: is not JSON: {_reason(error)}") from error


def lines_of(path: Path, limit: int, line_limit: int) -> Iterator[tuple[str, str]]:
    """The lines of a text file as ("FILE, line N", text).

    Raises:
        SubmissionError: if the file cannot be read, a line is longer than `line_limit` bytes or
            empty, or the last one does not end.
    """
    text = read_text(path, limit)
    if text and not text.endswith("\n"):
        raise SubmissionError(f"{path.name}: the last line is cut off")
    for number, line in enumerate(re.finditer(r"(.*)\n", text), 1):  # a copy of one at a time
        source = f"{path.name}, line {number}"
        if line.end() - line.start() > line_limit + 1:
            raise SubmissionError(f"{source}: is longer than {line_limit:,} characters")
        if not line[1].strip():
            raise SubmissionError(f"{source}: is empty")
        yield source, line[1]


class _Refused(Exception):
    """JSON that is well formed and yet not taken."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in pairs:
        if key in data:
            raise _Refused(f"key {shown(key)} stands twice")
        data[key] = value
    return data


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Refused(f"a number has {len(text):,} digits; at most {MAX_DIGITS} are read")
    return int(text)


def _fraction(text: str) -> Any:
    raise _Refused(f"{shown(text)[1:-1]} is not a whole number")


def _reason(error: ValueError) -> str:
    text = " ".join(str(error).split()).encode("ascii", "backslashreplace").decode()
    return text[: 2 * SHOWN]


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "symbolic link",
        stat.S_IFDIR: "directory",
        stat.S_IFREG: "file",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
    }
    return kinds.get(stat.S_IFMT(mode), "device")
