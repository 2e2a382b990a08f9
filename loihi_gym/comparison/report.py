"""The report of a comparison: tables and pictures, every number from the runs' traces."""

import os
import platform
from pathlib import Path

import numpy as np

from . import plots
from .document import Document, table
from .plan import Plan
from .results import Instance, Results, read_results
from .statistics import Interval, improvement, interval, iqm, median, wins

NAME = "report"
NO_FIT = "does not fit"
USUAL_BACKEND = "mesh"
"""Of the bundled suites: needs no mention."""


def write_report(made: Plan, out: Path) -> Path:
    """Write ``report.md``, with its pictures beside it, and ``report.html``, which holds all.

    Raises:
        RunError: if a run is missing or its trace does not hold what it should.
    """
    results = read_results(made, out)
    suite = made.suite
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    document = Document(f"Comparison on {suite.name}")
    document.add(
        f"{suite.description}. {len(results.runs)} searches, measured on `{suite.backend}`, "
        "a simulation: none of these figures is the chip's. Reductions are against the "
        "reference mapping, the fastest of the standard heuristics. Every number is computed "
        "from the traces of the evaluations, and what they say was each run's best mapping at "
        "each budget was measured again.",
        f"Machine of this report: {machine}. Command: `{_command(made)}`",
        *_problems(results),
        *_left_out(results),
        *_overall(results),
    )
    for one in results.instances:
        document.add(*_one_problem(results, one))
        caption = f"{one.name}: best so far, median and quartiles over seeds"
        document.add_picture(f"curves-{one.name}", plots.curves(results, one), caption)
    document.add("## Performance profile")
    caption = "Runs within a factor of the best known"
    document.add_picture("profile", plots.profiles(results), caption)
    document.add(*_improvements(results), *_wins(results), *_costs(results), *_origin(results))
    document.write(out, NAME)
    return out / f"{NAME}.html"


def _problems(results: Results) -> list[str]:
    rows = [
        [
            one.name,
            NO_FIT if one.default is None else _us(one.default.latency_ps),
            _us(one.reference.latency_ps),
            _us(one.best_ps),
            _us(one.lower_bound_ps),
            _percent(1 - one.best_ps / one.reference.latency_ps),
            _less(one.lower_bound_ps, one.reference.latency_ps),
        ]
        for one in results.instances
    ]
    columns = ["problem", "lava-default (us)", "reference (us)", "best known (us)",
               "lower bound (us)", "reduction", "at most"]  # fmt: skip
    text = (
        "lava-default is row-major, what the toolchain would do; best known is the fastest of "
        "these runs; the lower bound is proven."
    )
    return ["## Problems", text, table(columns, rows)]


def _left_out(results: Results) -> list[str]:
    rows = [
        [label, one.name, one.left_out[label]]
        for label in results.labels
        for one in results.instances
        if label in one.left_out
    ]
    if not rows:
        return []
    text = (
        "Some solvers do not fit some problems, and are left out there. What stands over all "
        "problems is then over those that a solver fits, as its column says, and of two solvers "
        "over those that both fit: it is not comparable with that over all. The fewer a solver "
        "fits, the further down it stands."
    )
    return ["## Left out", text, table(["solver", "problem", "why"], rows)]


def _counted(results: Results) -> bool:
    """Whether tables say over how many problems a row is."""
    return any(one.left_out for one in results.instances)


def _overall(results: Results) -> list[str]:
    budgets = list(results.plan.suite.seeds)
    rows = []
    for label in results.labels:
        over = len(results.fitting(label))
        cells = [f"{over} of {len(results.instances)}"] if _counted(results) else []
        for budget in budgets:
            scores = results.scores(label, budget)
            cells.append(_interval(interval(iqm, scores)) if scores else NO_FIT)
        rows.append([label, *cells])
    text = (
        "Interquartile mean of the latency reduction over all problems, with stratified bootstrap "
        "95 % intervals, by budget of evaluations."
    )
    problems = ["problems"] if _counted(results) else []
    columns = ["solver", *problems, *(f"{budget:,}" for budget in budgets)]
    return ["## Over all problems", text, table(columns, rows)]


def _one_problem(results: Results, one: Instance) -> list[str]:
    budgets = list(results.plan.suite.seeds)
    last = max(budgets)
    rows = []
    for label in results.labels:
        if label in one.left_out:
            rows.append([label, *[NO_FIT] * len(budgets), *[""] * 4])
            continue
        scores = [results.reductions(label, one.name, budget) for budget in budgets]
        cells = [_interval(interval(median, [score])) for score in scores]
        at_last = (1 - np.median(scores[-1])) * one.reference.latency_ps
        runs = results.of(label, one.name, last)
        bound_ps, before_fj = one.lower_bound_ps, one.reference.energy_fj
        energies = [r.best.energy_fj for r in runs if r.best.energy_fj is not None]
        rows.append(
            [
                label,
                *cells,
                _percent(iqm([scores[-1]])),
                _percent(at_last / one.best_ps - 1),
                "" if bound_ps is None else _percent(at_last / bound_ps - 1),
                _less(float(np.median(energies)) if energies else None, before_fj),
            ]
        )
    columns = ["solver", *(f"{budget:,}" for budget in budgets), f"IQM {last:,}",
               "above best known", "above lower bound", "energy reduction"]  # fmt: skip
    text = (
        "Median latency reduction over seeds with bootstrap 95 % intervals, by budget. The last "
        f"columns are of the runs with {last:,} evaluations; no solver is ranked by energy."
    )
    return [f"## {one.name}", text, table(columns, rows)]


def _improvements(results: Results) -> list[str]:
    text = (
        "Chance that a run of the solver in the row beats one of the leader (the first row of "
        "the tables above), mean over problems, with stratified bootstrap 95 % intervals."
    )
    leader, *others = results.labels
    budgets = list(results.plan.suite.seeds)
    rows = []
    for label in others:
        over = len(results.fitting(label, leader))
        cells = [f"{over} of {len(results.instances)}"] if _counted(results) else []
        for b in budgets:
            pair = results.scores(label, b, leader), results.scores(leader, b, label)
            cells.append(_interval(interval(improvement, *pair)) if over else NO_FIT)
        rows.append([label, *cells])
    problems = ["problems"] if _counted(results) else []
    columns = [f"against {leader}", *problems, *(f"{budget:,}" for budget in budgets)]
    return ["## Probability of improvement", text, table(columns, rows)]


def _wins(results: Results) -> list[str]:
    budgets = list(results.plan.suite.seeds)
    names = [one.name for one in results.instances]
    counts = [
        wins([[results.reductions(label, name, b) for name in names] for label in results.labels])
        for b in budgets
    ]
    text = (
        f"Of {len(names)} problems, those on which a solver's median over seeds is the best, by "
        "budget; ties count for each."
    )
    rows = [
        [label, *(f"{count[row]}" for count in counts)] for row, label in enumerate(results.labels)
    ]
    return ["## Wins", text, table(["solver", *(f"{budget:,}" for budget in budgets)], rows)]


def _costs(results: Results) -> list[str]:
    rows = []
    for label in results.labels:
        runs = [run for run in results.runs if run.task.label == label]
        evaluations = sum(len(run.best_ps) for run in runs)
        spent = [costs for run in runs for costs in run.costs]
        seconds = sum(costs.cpu_seconds for costs in spent)
        # A policy is trained once, however many searches begin with it.
        trained = {one.policy: one for one in (costs.pretraining for costs in spent) if one}
        rows.append(
            [
                label,
                f"{len(runs)}",
                f"{evaluations:,}",
                f"{seconds:,.0f}",
                f"{1000 * seconds / evaluations:.1f}" if evaluations else "",
                f"{sum(costs.surrogate_calls for costs in spent):,}",
                f"{sum(costs.surrogate_cpu_seconds for costs in spent):,.0f}",
                f"{sum(one.calls for one in trained.values()):,}",
                f"{sum(one.cpu_seconds for one in trained.values()):,.0f}",
            ]
        )
    columns = ["solver", "runs", "evaluations", "CPU seconds", "ms per evaluation",
               "surrogate calls", "surrogate CPU s", "pretraining calls",
               "pretraining CPU s"]  # fmt: skip
    text = (
        "CPU time of the processes, measuring included; of a search that was killed, only what "
        "came after its last start. Surrogate calls are judgements without the backend, which no "
        "budget counts. Pretraining, not counted either, comes on top: once for each policy."
    )
    return ["## Costs", text, table(columns, rows)]


def _origin(results: Results) -> list[str]:
    commits = {
        label: sorted({(r.commit or "release")[:7] for r in results.runs if r.task.label == label})
        for label in results.labels
    }
    versions: dict[str, set[str]] = {}
    for run in results.runs:
        for name, version in run.versions.items():
            versions.setdefault(name, set()).add(version or "none")
    said = ", ".join(f"{name} {' and '.join(sorted(v))}" for name, v in sorted(versions.items()))
    return [
        "## Origin",
        f"Commits that the searches were begun with. Versions: {said}.",
        table(["solver", "commits"], [[label, ", ".join(c)] for label, c in commits.items()]),
    ]


def _command(made: Plan) -> str:
    solvers = ",".join(one.label for one in made.contenders)
    seeds = made.suite.seeds
    backend = "" if made.suite.backend == USUAL_BACKEND else f" --backend {made.suite.backend}"
    return (
        f"loihi-gym compare {made.suite.name} --solvers {solvers} "
        f"--budgets {','.join(map(str, seeds))} --seeds {','.join(map(str, seeds.values()))}"
        f"{backend}"
    )


def _us(latency_ps: int | None) -> str:
    return "" if latency_ps is None else f"{latency_ps * 1e-6:.3f}"


def _less(part: float | None, whole: int | None) -> str:
    """What `part` is less than `whole`; empty if the backend does not measure it."""
    return "" if part is None or not whole else _percent(1 - part / whole)


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _interval(found: Interval) -> str:
    if found.low == found.high:  # no chance in it
        return f"{100 * found.value:.1f}"
    return f"{100 * found.value:.1f} ({100 * found.low:.1f}, {100 * found.high:.1f})"
