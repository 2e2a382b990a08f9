"""What a comparison's runs found, read from their traces and measured again."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..arrays import Float64Array, Int64Array
from ..backends import Backend, Measurement
from ..benchmarks import load
from ..bounds import lower_bound
from ..errors import RunError
from ..mapping.heuristics import toolchain_default
from ..search.costs import SearchCosts, read_costs
from ..search.run import COSTS, begun_with, evaluations_each, measuring
from ..search.storage import read_json, write_json
from ..search.trace import NAME, Evaluation, read_trace
from .plan import Plan, SearchTask

BOUNDS = "lower-bounds.json"


@dataclass(frozen=True)
class FinishedRun:
    """One finished search.

    Attributes:
        task: The search that was run.
        best_ps: Best latency after each evaluation, (evaluations,).
        best: The best mapping's measurement, made again for this report.
        costs: What each process that ended the search spent.
        commit: Commit of the checkout it was begun with, None for a release.
        versions: Versions of Python and packages then, None for what was not installed.
    """

    task: SearchTask
    best_ps: Int64Array
    best: Measurement
    costs: tuple[SearchCosts, ...]
    commit: str | None
    versions: dict[str, str | None]

    def at(self, budget: int) -> int:
        """Best latency within a budget, in ps."""
        return int(self.best_ps[min(budget, len(self.best_ps)) - 1])


@dataclass(frozen=True)
class Instance:
    """A problem of the comparison, with what its runs are held against.

    Attributes:
        name: Name of the benchmark.
        reference: Measurement of the reference mapping.
        default: Measurement of what the toolchain would do; None where that does not fit.
        lower_bound_ps: No mapping is faster; None where what is measured is no Loihi.
        best_ps: The fastest mapping of all its runs; the reference's where no solver fits.
        left_out: Why it is left out of each contender that does not fit it, by label.
    """

    name: str
    reference: Measurement
    default: Measurement | None
    lower_bound_ps: int | None
    best_ps: int
    left_out: dict[str, str]


@dataclass(frozen=True)
class Results:
    """All of a comparison. Contenders by label, budgets as in the plan's suite."""

    plan: Plan
    runs: tuple[FinishedRun, ...]
    instances: tuple[Instance, ...]

    @cached_property
    def labels(self) -> list[str]:
        """Labels of the contenders, the one that leads at the largest budget first.

        The fewer problems a solver fits, the later: its mean is over others than theirs.
        """
        last = max(self.plan.suite.seeds)

        def place(label: str) -> tuple[int, float]:
            means = [one.mean() for one in self.scores(label, last)]
            return -len(means), -float(np.mean(means)) if means else 0.0

        return sorted((c.label for c in self.plan.contenders), key=place)

    def fitting(self, *labels: str) -> list[str]:
        """Names of the problems that all of these contenders fit."""
        return [one.name for one in self.instances if not one.left_out.keys() & set(labels)]

    def of(self, label: str, problem: str, budget: int) -> list[FinishedRun]:
        """The runs that stand for a budget, one per seed.

        Of the searches with a seed, that with the smallest budget that is no smaller: a larger one
        begins like it only where the solver is `anytime`, and then there is no smaller one.
        """
        chosen: dict[int, FinishedRun] = {}
        for run in sorted(self.runs, key=lambda run: run.task.config.budget):
            config = run.task.config
            mine = run.task.label == label and config.benchmark == problem
            if mine and config.budget >= budget and config.seed < self.plan.suite.seeds[budget]:
                chosen.setdefault(config.seed, run)
        return [chosen[seed] for seed in sorted(chosen)]

    def reductions(self, label: str, problem: str, budget: int) -> Float64Array:
        """Part of the reference latency that each run has taken off, (seeds,)."""
        instance = next(one for one in self.instances if one.name == problem)
        found = [run.at(budget) for run in self.of(label, problem, budget)]
        return 1.0 - np.array(found) / instance.reference.latency_ps

    def scores(self, label: str, budget: int, *others: str) -> list[Float64Array]:
        """`reductions` of the problems that a contender and these `others` fit."""
        return [self.reductions(label, name, budget) for name in self.fitting(label, *others)]


def read_results(plan: Plan, out: Path) -> Results:
    """Read every run's trace, and measure what was its best mapping at each budget again.

    Raises:
        RunError: if a run is missing, or a mapping is not as fast as its trace says.
    """
    missing = [task for task in plan.tasks if not task.done]
    if missing:
        raise RunError(
            f"{len(missing)} of {len(plan.tasks)} runs in {out} are missing, the first is "
            f"{missing[0].out}: let 'loihi-gym compare' finish them"
        )
    runs: list[FinishedRun] = []
    instances = []
    for name in plan.suite.problems:
        backend = measuring(load(name), plan.suite.backend, plan.suite.hypotheses)
        tasks = [task for task in plan.tasks if task.config.benchmark == name]
        left_out = {task.label: task.why_left_out for task in tasks if task.left_out}
        fit = [task for task in tasks if task.label not in left_out]
        own = [_read(task, backend, list(plan.suite.seeds)) for task in fit]
        runs += own
        problem = backend.problem
        default = toolchain_default(problem)
        reference = backend.evaluate(problem.reference_mapping)
        one_chip = reference.counted and plan.suite.hypotheses is None
        bound_ps = _lower_bound_ps(backend, out / BOUNDS) if one_chip else None
        instances.append(
            Instance(
                name=name,
                reference=reference,
                default=None if default is None else backend.evaluate(default),
                lower_bound_ps=bound_ps,
                best_ps=min((int(r.best_ps[-1]) for r in own), default=reference.latency_ps),
                left_out=left_out,
            )
        )
    return Results(plan, tuple(runs), tuple(instances))


def _read(task: SearchTask, backend: Backend, budgets: list[int]) -> FinishedRun:
    trace, each = read_trace(task.out / NAME, whole=False), evaluations_each(backend)
    if not trace or trace[-1].index * each > task.config.budget:
        raise RunError(f"{task.out / NAME} is not of {task.config.budget:,} evaluations at most")
    best_ps = np.repeat(best_so_far(trace), each)
    ends = [min(budget, len(best_ps)) for budget in sorted(budgets)]
    best = [_measured_again(task, trace, at, best_ps, backend) for at in ends][-1]
    costs = tuple(read_costs(task.out / COSTS))
    return FinishedRun(task, best_ps, best, costs, *begun_with(task.out))


def _measured_again(
    task: SearchTask, trace: list[Evaluation], at: int, best_ps: Int64Array, backend: Backend
) -> Measurement:
    """The measurement of the best of a run's first `at` evaluations."""
    each = evaluations_each(backend)
    lines = (line for line in trace if line.index * each <= at)
    found = [line.mapping for line in lines if line.mapping is not None]
    if not found:
        raise RunError(f"{task.out / NAME} holds no mapping")
    measured = backend.evaluate(found[-1])
    if measured.latency_ps != best_ps[at - 1]:
        raise RunError(
            f"the best mapping of {task.out} takes {measured.latency_ps} ps, its trace says "
            f"{best_ps[at - 1]}: it was run with another version; remove it and compare again"
        )
    return measured


def best_so_far(trace: list[Evaluation]) -> Int64Array:
    """Best latency after each evaluation, in ps, up to the last one of the trace.

    Lines that are missing (`archive`) were no improvement; the first one is there.
    """
    found = np.full(trace[-1].index, np.iinfo(np.int64).max)
    found[[line.index - 1 for line in trace]] = [line.latency_ps for line in trace]
    return np.minimum.accumulate(found)


def _lower_bound_ps(backend: Backend, path: Path) -> int:
    """The lower bound of a problem, which takes a while, from a file beside the runs or new."""
    name = backend.problem.name
    known = read_json(path) if path.exists() else {}
    if not isinstance(known, dict) or type(known.get(name, 0)) is not int:
        raise RunError(f"{path} holds no lower bounds: remove it, and they are computed again")
    if name not in known:
        known[name] = lower_bound(backend.problem).of(backend.name)
        write_json(path, known)
    return int(known[name])
