"""Files of runs and comparisons: whatever the file system says is one line that names the file."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ..errors import LoihiGymError, RunError
from ..files import write_text

LARGEST = 1 << 26
"""Bytes of a JSON file that are read at most: a settings file is no larger than a few thousand."""


@contextmanager
def writing(path: Path, failure: str = "cannot be written") -> Iterator[None]:
    """While `path` is written: raise `RunError` for what the file system or the path refuses."""
    try:
        yield
    except LoihiGymError:
        raise
    except (OSError, ValueError, RecursionError) as error:  # ValueError: a NUL, no UTF-8
        reason = getattr(error, "strerror", None) or error
        raise RunError(f"{path} {failure}: {reason}") from error


def reading(path: Path) -> AbstractContextManager[None]:
    """While `path` is read: raise `RunError` for what the file system, path or content refuses."""
    return writing(path, "cannot be read")


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        RunError: if it cannot be read, is no JSON, or is larger than `LARGEST`.
    """
    with reading(path):
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise RunError(f"{path} cannot be read: it is no file")
        if path.stat().st_size > LARGEST:
            raise RunError(f"{path} is larger than {LARGEST:,} bytes: it is no settings file")
        return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file for people to read, whole or not at all.

    Raises:
        RunError: if it cannot be written.
    """
    with writing(path):
        write_text(path, json.dumps(data, indent=2) + "\n")


def whole_lines(path: Path) -> list[str]:
    """The lines of a text file, none if there is no file; a last line cut off is left out.

    Raises:
        RunError: if it cannot be read.
    """
    if not path.exists():
        return []
    with reading(path):
        return path.read_text(encoding="utf-8").split("\n")[:-1]


class LineFile:
    """A text file that grows by whole lines; a last line that a crash cut off is dropped first.

    Raises:
        RunError: whenever the file cannot be written; none of the lines of that call is in it then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []
        with writing(path):
            self._file = path.open("a+b", buffering=0)
            self._file.seek(0)
            self._file.truncate(self._file.read().rfind(b"\n") + 1)

    def add(self, line: str) -> None:
        """Keep a line, given without its end, for the next `flush`."""
        self._lines.append(line + "\n")

    def flush(self) -> None:
        """Write the lines that were added."""
        left, self._lines = "".join(self._lines).encode(), []
        with writing(self._path):
            size = self._file.seek(0, 2)
            try:
                while left:
                    left = left[self._file.write(left) :]
            except BaseException:
                self._file.truncate(size)
                raise

    def close(self) -> None:
        """Write what is left and close the file."""
        try:
            self.flush()
        finally:
            self._file.close()
