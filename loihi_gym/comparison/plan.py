"""Running many searches: every solver on every problem of a suite, with every budget and seed.

Each search is a run on disk (`run`), so that what is there is not run again and what was
interrupted goes on. joblib spreads them over processes, or over a Ray cluster.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..benchmarks.suite import Suite
from ..errors import LoihiGymError, RunError, unknown
from ..files import write_text
from ..search.registry import check_installed, check_options, is_anytime, parse_options, require
from ..search.run import CONFIG, RESULT, Config, read_config, resume, search
from ..search.session import Progress

EXECUTORS = ("local", "ray")
PLAN = "compare.json"
LOOK_SECONDS = 1.0
"""How often finished searches are looked for on a cluster's shared disk."""


@dataclass(frozen=True)
class Scope:
    """What solvers are compared on: a suite or a part of it.

    Attributes:
        name: Of the suite.
        description: One line.
        problems: Names of benchmarks.
        backend: What measures.
        seeds: Number of seeds, from 0 on, by budget of evaluations, ascending.
    """

    name: str
    description: str
    problems: tuple[str, ...]
    backend: str
    seeds: dict[int, int]

    @classmethod
    def of(cls, suite: Suite) -> "Scope":
        """All of a suite."""
        return cls(suite.name, suite.description, suite.names, suite.backend, suite.seeds)


@dataclass(frozen=True)
class Contender:
    """A solver with its options, as ``name`` or ``name:option=value+option``.

    Attributes:
        label: As it was written; names it in reports.
        solver: Name of the solver.
        options: Its own options.
    """

    label: str
    solver: str
    options: dict[str, Any]


@dataclass(frozen=True)
class SearchTask:
    """One search.

    Attributes:
        label: Of the contender.
        config: What is run.
        out: The run's directory.
    """

    label: str
    config: Config
    out: Path

    @property
    def done(self) -> bool:
        """Whether it has been run to its end."""
        return (self.out / RESULT).exists()


@dataclass(frozen=True)
class Plan:
    """All searches of a comparison.

    Attributes:
        suite: What is compared on, budgets and seeds included.
        contenders: Who is compared.
        tasks: The searches.
    """

    suite: Scope
    contenders: tuple[Contender, ...]
    tasks: tuple[SearchTask, ...]


def contender(label: str) -> Contender:
    """Read ``name`` or ``name:option=value+option``; commas stand between contenders.

    Raises:
        LoihiGymError: if there is no such solver or it has no such option.
    """
    solver, _, rest = label.partition(":")
    words = [f"--{word}" for word in rest.split("+") if word]
    options = parse_options(solver, words)
    check_options(solver, options)
    return Contender(label, solver, options)


def plan(suite: Scope, labels: Sequence[str], out: Path) -> Plan:
    """The searches that a comparison needs.

    A solver that is the same search whatever its budget (`registry.anytime`) is run once per seed,
    with that seed's largest budget: the smaller ones are its beginning.

    Raises:
        LoihiGymError: if a contender does not exist or stands twice.
    """
    contenders = tuple(contender(label) for label in labels)
    if len(set(labels)) < len(labels):
        raise LoihiGymError(f"a solver stands twice: {', '.join(labels)}")
    tasks = []
    for problem in suite.problems:
        for one in contenders:
            for budget, seed in _searches(suite.seeds, is_anytime(one.solver, one.options)):
                config = Config(one.solver, problem, budget, seed, suite.backend, one.options)
                where = out / problem / one.label.replace(":", "-") / f"{budget}-seed{seed}"
                tasks.append(SearchTask(one.label, config, where))
    return Plan(suite, contenders, tuple(tasks))


def _searches(seeds: dict[int, int], anytime: bool) -> list[tuple[int, int]]:
    """(Budget, seed) of every search of one contender on one problem."""
    if not anytime:
        return [(budget, seed) for budget, count in seeds.items() for seed in range(count)]
    largest = {seed: budget for budget, count in sorted(seeds.items()) for seed in range(count)}
    return [(budget, seed) for seed, budget in largest.items()]


def write_plan(made: Plan, out: Path) -> None:
    """Leave a note of what is compared, from which `read_plan` makes the plan again."""
    note = {
        "suite": made.suite.name,
        "description": made.suite.description,
        "problems": made.suite.problems,
        "backend": made.suite.backend,
        "seeds": made.suite.seeds,
        "solvers": [one.label for one in made.contenders],
    }
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / PLAN, json.dumps(note, indent=2) + "\n")


def read_plan(out: Path) -> Plan:
    """The plan of a comparison on disk.

    Raises:
        RunError: if the directory holds none.
    """
    path = out / PLAN
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        suite = Scope(
            name=note["suite"],
            description=note["description"],
            problems=tuple(note["problems"]),
            backend=note["backend"],
            seeds={int(budget): count for budget, count in note["seeds"].items()},
        )
        labels = list(note["solvers"])
    except OSError as error:
        raise RunError(f"{out} holds no comparison: {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{path} is malformed: {error!r}") from error
    return plan(suite, labels, out)


def run_all(
    made: Plan, jobs: int, executor: str, on_done: Callable[[SearchTask], None] | None = None
) -> None:
    """Run what is missing, `jobs` searches at a time; the longest first.

    Raises:
        LoihiGymError: if a package or what a solver needs is missing, or a search fails.
    """
    if executor not in EXECUTORS:
        raise unknown("executor", executor, list(EXECUTORS))
    require("comparing", "compare", "joblib", "matplotlib")  # the report draws
    if executor == "ray":
        require("--executor ray", "ray", "ray")
    from joblib import Parallel, delayed

    missing = sorted((t for t in made.tasks if not t.done), key=lambda t: -t.config.budget)
    for solver in sorted({task.config.solver for task in missing}):
        check_installed(solver)
    absolute = [replace(task, out=task.out.absolute()) for task in missing]
    if executor == "ray":  # its joblib backend returns everything at the end
        with _ray(), _watched(missing, on_done):
            Parallel(n_jobs=jobs, batch_size=1)(delayed(run_task)(task) for task in absolute)
        return
    work = [delayed(run_task)(task, os.getpid()) for task in absolute]
    for task in Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(work):
        if on_done is not None:
            on_done(task)


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

    def look(_: Progress) -> None:
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
