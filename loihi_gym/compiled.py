"""How kernels are compiled: every function that numba compiles has one of these decorators."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock
from numba import config, njit
from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock

from .errors import BackendError
from .threads import filling, held_by_forks

PATIENCE_S = 2.0
"""How long compiling may take before the user is told."""
LOCK_S = 10.0
"""How long to wait for another process that writes to the same directory."""

held_by_forks(filling, global_compiler_lock)
_uncached: list[str] = []


def kernel(function: Callable[..., Any], **options: Any) -> Any:
    """Compile a function at its first call; it releases the GIL.

    What is compiled is kept on disk, beside the module or where ``NUMBA_CACHE_DIR`` says. Where
    nothing can be written, each process compiles anew.

    Args:
        function: What is compiled.
        options: More options of `numba.njit`.
    """
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return _refused(function)
    compiled = njit(nogil=True, **options)(function)
    try:
        compiled._cache = _Cache(function)  # type: ignore[no-untyped-call]
    except RuntimeError:  # none of the directories that numba tries can be written
        _uncached.append(function.__qualname__)
    return compiled


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function into every kernel that calls it."""
    if config.DISABLE_JIT:  # type: ignore[attr-defined]
        return _refused(function)
    return njit(nogil=True, forceinline=True)(function)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say on stderr that `what` is being compiled if the block takes more than `PATIENCE_S`."""
    why = "; NUMBA_CACHE_DIR can name a directory to keep it in" if _uncached else ""
    often = "in every process" if _uncached else "once"
    line = f"loihi-gym: compiling {what} ({often}, about 10 s{why}) ...\n"
    notice = threading.Timer(PATIENCE_S, sys.stderr.write, [line])
    notice.daemon = True
    notice.start()
    try:
        yield
    finally:
        notice.cancel()


class _Cache(FunctionCache):
    """Compiled code on disk; if the disk is full or fails, it is compiled again."""

    def load_overload(self, *args: Any) -> Any:
        try:
            return super().load_overload(*args)  # type: ignore[no-untyped-call]
        except Exception:  # a torn file can raise anything
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, *args: Any) -> None:
        # Numba reads the index and then writes it: two processes at once could each give its code
        # the same name, and one would load the other's. A lock that is not to be had is an OSError.
        with suppress(OSError), FileLock(Path(self.cache_path) / "numba.lock", timeout=LOCK_S):
            super().save_overload(*args)  # type: ignore[no-untyped-call]


def _refused(function: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise BackendError(
            f"NUMBA_DISABLE_JIT is set, but {function.__name__} runs only compiled: unset it"
        )

    return refuse
