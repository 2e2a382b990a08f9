"""Threads for kernels that release the GIL: one pool in each process, one thread per processor."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

filling = threading.RLock()
"""Held by the thread that fills a cache of a problem. A fork waits for it (see `held_by_forks`)."""


def processors() -> int:
    """Processors that this process may use; not every system tells them from those there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def pool() -> ThreadPoolExecutor:
    """The threads of this process. A fork copies a pool, but not its threads: it gets its own."""
    return _pool(os.getpid())


@lru_cache(maxsize=1)
def _pool(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(processors(), thread_name_prefix="loihi-gym")


def held_by_forks(*locks: Any) -> None:
    """Let every fork wait for these locks, in this order, and free them on both sides.

    A child has only the thread that forked: a lock that another one held would never be free.
    """

    def take() -> None:
        for lock in locks:
            lock.acquire()

    def give() -> None:
        for lock in reversed(locks):
            lock.release()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=take, after_in_parent=give, after_in_child=give)
