"""Writing files whole or not at all."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

from .errors import LoihiGymError


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one, never half.

    Raises:
        OSError: if that fails; its `filename` is `path`.
    """
    path = Path(path)
    try:
        _replace(path, data)
    except OSError as error:  # which may name the temporary file, or none
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.EINVAL, str(error), str(path)) from error


def write_text(path: str | Path, text: str) -> None:
    """As `write_bytes`, for UTF-8 text."""
    write_bytes(path, text.encode("utf-8"))


def require_writable(path: str | Path, directory: bool = False) -> None:
    """Raise at once if a file cannot be written later, so that no long work is lost.

    Args:
        path: The file to be written.
        directory: Whether it is a directory to be made, with all that is above it.

    Raises:
        LoihiGymError: names `path`, and what stands in the way.
    """
    try:
        reason = _hindrance(Path(path).absolute(), directory)
    except (OSError, ValueError) as error:  # a name too long, or with a NUL in it
        reason = getattr(error, "strerror", None) or str(error)
    if reason is not None:
        raise LoihiGymError(f"cannot write to {path}: {reason}")


def _hindrance(path: Path, directory: bool) -> str | None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        path.lstat()  # which raises for what can be no name
    nearest = next(each for each in (path, *path.parents) if each.exists())
    if nearest == path and path.is_dir() != directory:
        return "it is no directory" if directory else "it is a directory"
    if nearest != path and not nearest.is_dir():
        return f"{nearest} is no directory"
    if not directory and nearest not in (path, path.parent):
        return f"there is no directory {path.parent}"
    folder = nearest if nearest.is_dir() else path.parent
    return None if os.access(folder, os.W_OK) else f"no rights to write in {folder}"


def _replace(path: Path, data: bytes) -> None:
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        with temporary.open("xb") as file:
            file.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
