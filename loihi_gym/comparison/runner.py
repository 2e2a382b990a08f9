"""Running the searches of a comparison; those that are done already are not run again.

joblib spreads them over processes, Ray over a cluster.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..benchmarks import load
from ..errors import DoesNotFitError, RunError, unknown
from ..search.registry import check_installed, require
from ..search.run import CONFIG, read_config, resume, search
from ..search.session import Session
from ..search.storage import write_json
from .plan import LEFT_OUT, Plan, SearchTask

EXECUTORS = ("local", "ray")


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
    missing = sorted((t for t in made.tasks if not t.done), key=lambda t: -t.config.budget)
    for solver in sorted({task.config.solver for task in missing}):
        check_installed(solver)
    absolute = [replace(task, out=task.out.absolute()) for task in missing]
    for task in (_on_ray if executor == "ray" else _on_this_machine)(absolute, jobs):
        if on_done is not None:
            on_done(task)


def _on_this_machine(tasks: list[SearchTask], jobs: int) -> Iterator[SearchTask]:
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    work = [delayed(run_task)(task, os.getpid()) for task in tasks]
    try:
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(work)
    except BrokenProcessPool as error:
        raise RunError(
            "a worker process was killed, perhaps for want of memory: give the same command again, "
            "with fewer --jobs; what is done is kept"
        ) from error
    finally:
        # Idle workers end after a while, and the deaths of those that follow them may go unseen.
        get_reusable_executor().shutdown(kill_workers=True)


def _on_ray(tasks: list[SearchTask], jobs: int) -> Iterator[SearchTask]:
    """On the Ray cluster that is there, or on one of this machine's cores."""
    import ray
    from ray.exceptions import RayTaskError

    started = not ray.is_initialized()
    if started:
        ray.init()
    run, left = ray.remote(run_task), list(tasks)
    running: list[Any] = []
    try:
        while left or running:
            while left and len(running) < jobs:
                running.append(run.remote(left.pop(0)))
            (done,), running = ray.wait(running)
            yield ray.get(done)
    except RayTaskError as error:
        raise error.cause from error
    finally:
        if started:
            ray.shutdown()


def run_task(
    task: SearchTask,
    master: int | None = None,
    on_progress: Callable[[Session], None] | None = None,
) -> SearchTask:
    """Run one search, or what is left of it.

    Where a heuristic does not fit the problem, a note in its directory says so instead of a result.

    Args:
        task: The search.
        master: Process whose worker runs it, which ends when that is killed; None for whoever.
        on_progress: Called with the session whenever it has measured.

    Raises:
        RunError: if its directory holds another one.
    """

    def look(session: Session) -> None:
        if master not in (None, os.getpid(), os.getppid()):
            raise RunError("the comparison was killed")
        if on_progress is not None:
            on_progress(session)

    try:
        if (task.out / CONFIG).exists():
            if read_config(task.out) != task.config:
                raise RunError(f"{task.out} holds another search: choose another directory")
            resume(task.out, look)
        else:
            search(task.config, task.out, look)
    except DoesNotFitError as error:
        _ = load(task.config.benchmark).reference_mapping  # if it is this one, nothing can be run
        write_json(task.out / LEFT_OUT, {"does not fit": str(error)})
    return task
