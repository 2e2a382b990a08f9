"""Threads for kernels that release the GIL: one pool in each process, one thread per processor."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache


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
