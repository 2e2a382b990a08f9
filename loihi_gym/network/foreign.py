"""Files that anybody may have written: read with bounds, refused in a line that names the file."""

import stat
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import LoihiGymError, NetworkImportError, one_line

MAX_BYTES = 1 << 31
"""Most bytes of a file, and of what it unpacks to: some 400 million synapses."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
MAX_NAME = 200
"""Most characters of a problem's name."""
MALFORMED = (
    *(ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RuntimeError),
    *(MemoryError, EOFError, SyntaxError, NotImplementedError, zipfile.BadZipFile, zlib.error),
    tokenize.TokenError,
)
"""What malformed content provokes in numpy, zipfile, h5py, nir and torch, and in our own checks."""


def file_bytes(path: str | Path) -> bytes:
    """The content of a regular file of at most `MAX_BYTES`.

    Raises:
        OSError, ValueError: if it is anything else; they do not name it.
    """
    require_file(path)
    return Path(path).read_bytes()


def require_file(path: str | Path) -> None:
    """Raise unless a path is a regular file of at most `MAX_BYTES`; raises as `file_bytes`."""
    state = Path(path).stat()
    if not stat.S_ISREG(state.st_mode):
        raise ValueError(f"it is a {'directory' if stat.S_ISDIR(state.st_mode) else 'device'}")
    require_size(state.st_size)


def refuse_pointer(path: str | Path) -> None:
    """Raise if a file is but a pointer of Git LFS to what should be there.

    Raises:
        OSError, NetworkImportError: as above, or if it cannot be read.
    """
    require_file(path)
    with Path(path).open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise NetworkImportError(
                "it is a pointer of Git LFS, not the file itself: run git lfs pull where it is from"
            )


def require_size(size: int) -> None:
    """Raise ValueError for more than `MAX_BYTES`."""
    if size > MAX_BYTES:
        raise ValueError(f"it has {size:,} bytes; at most {MAX_BYTES:,} are read")


def require_name(name: str) -> str:
    """A name that may be shown as it is.

    Raises:
        ValueError: if it is empty, longer than `MAX_NAME`, or has control characters.
    """
    if not name.isprintable() or not 0 < len(name) <= MAX_NAME:
        raise ValueError(f"name {ascii(name)[:60]} is not 1 to {MAX_NAME} printable characters")
    return name


@contextmanager
def named(source: str, what: str, kind: type[LoihiGymError]) -> Iterator[None]:
    """Make one line that names the file of whatever its content provokes.

    Args:
        source: What to call the file.
        what: What it should hold, such as ``network``.
        kind: Error to raise. A NetworkImportError stays one.
    """
    try:
        yield
    except NetworkImportError as error:
        raise NetworkImportError(one_line(f"{source}: {error}")) from error
    except OSError as error:
        raise kind(one_line(f"{source}: {error.strerror or error}")) from error
    except KeyError as error:
        raise kind(one_line(f"{source} lacks {error.args[0]!r}: not a valid {what}")) from error
    except MALFORMED as error:
        reason = str(error) or type(error).__name__
        raise kind(one_line(f"{source} is not a valid {what}: {reason}")) from error
