"""Running the searches of a comparison; those that are done already are not run again.

joblib spreads them over processes, or over a Ray cluster.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..errors import RunError, unknown
from ..search.registry import check_installed, require
from ..search.run import CONFIG, read_config, resume, search
from ..search.session import Session
from .plan import Plan, SearchTask

EXECUTORS = ("local", "ray")
LOOK_SECONDS = 1.0
"""How often finished searches are looked for on a cluster's shared disk."""


def run_all(
    made: Plan, jobs: int, executor: str, on_done: Callable[[SearchTask], None] | None = None
) -> None:
    """Run what is missing, `jobs` searches at a time; the longest first.

    Raises:
        LoihiGymError: if a package or what a solver needs is missing, a search fails, or a worker
            process is killed.
    """
    if executor not in EXECUTORS:
        raise unknown("executor", executor, list(EXECUTORS))
    require("comparing", "compare", "joblib", "matplotlib")  # the report draws
    if executor == "ray":
        require("--executor ray", "ray", "ray")
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    missing = sorted((t for t in made.tasks if not t.done), key=lambda t: -t.config.budget)
    for solver in sorted({task.config.solver for task in missing}):
        check_installed(solver)
    absolute = [replace(task, out=task.out.absolute()) for task in missing]
    if executor == "ray":  # its joblib backend returns everything at the end
        with _ray(), _watched(missing, on_done):
            Parallel(n_jobs=jobs, batch_size=1)(delayed(run_task)(task) for task in absolute)
        return
    work = [delayed(run_task)(task, os.getpid()) for task in absolute]
    try:
        for task in Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(work):
            if on_done is not None:
                on_done(task)
    except BrokenProcessPool as error:
        raise RunError(
            "a worker process was killed, perhaps for want of memory: give the same command again, "
            "with fewer --jobs; what is done is kept"
        ) from error


@contextmanager
def _watched(
    tasks: list[SearchTask], on_done: Callable[[SearchTask], None] | None
) -> Iterator[None]:
    """Meanwhile look on disk for what is done, and say so."""
    over, left = threading.Event(), list(tasks)

    def look() -> None:
        for task in [task for task in left if task.done]:
            left.remove(task)
            if on_done is not None:
                on_done(task)

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        look()


def run_task(task: SearchTask, master: int | None = None) -> SearchTask:
    """Run one search, or what is left of it.

    Args:
        task: The search.
        master: Process whose worker runs it, which ends when that is killed; None for whoever.

    Raises:
        RunError: if its directory holds another one.
    """

    def look(_: Session) -> None:
        if master not in (None, os.getpid(), os.getppid()):
            raise RunError("the comparison was killed")

    if (task.out / CONFIG).exists():
        if read_config(task.out) != task.config:
            raise RunError(f"{task.out} holds another search: choose another directory")
        resume(task.out, look)
    else:
        search(task.config, task.out, look)
    return task


@contextmanager
def _ray() -> Iterator[None]:
    """Lets joblib work on the Ray cluster that is there, or on one of this machine's cores."""
    import ray
    from joblib import parallel_config
    from ray.util.joblib import register_ray

    started = not ray.is_initialized()
    register_ray()  # type: ignore[no-untyped-call]
    with parallel_config(backend="ray"):
        try:
            yield
        finally:
            if started:
                ray.shutdown()
