"""Commands that search for mappings."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from ..benchmarks import load
from ..errors import LoihiGymError, ProblemFileError
from ..mapping import save_problem
from ..search.config import Config
from ..search.recorder import Standing
from ..search.registry import flag, load_solver, parse_options, solver_names, solver_options
from ..search.run import Outcome, free_directory, resume, search
from .app import app, show, table
from .problems import backend_option, bound_text, json_option, microjoules, microseconds

PLAIN_SECONDS = 10.0
"""How often progress is printed where there is no terminal to draw a bar on."""


@app.command("solvers")
def list_solvers() -> None:
    """List the solvers and their options."""
    rows = table("solver", "what it does", "options")
    rows.columns[1].justify = rows.columns[2].justify = "left"
    for name in solver_names():
        doc = (load_solver(name).__doc__ or "").strip().splitlines()
        options = " ".join(flag(option) for option in solver_options(name).values())
        rows.add_row(name, doc[0] if doc else "", options)
    show(rows)


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    epilog="Example: loihi-gym solve ga mlp-deep --budget 2000 --seed 0. "
    "A solver's own options (loihi-gym solvers) follow: loihi-gym solve ga mlp-xs --unseeded",
)
@click.argument("solver", metavar="SOLVER", required=False)
@click.argument("benchmark", metavar="BENCHMARK", required=False)
@click.option("--budget", type=int, default=1000, show_default=True, help="Evaluations to spend.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the search.")
@backend_option
@click.option("--seconds", type=float, help="End after this wall time, too.")
@click.option("--count-unique", is_flag=True, help="A mapping asked for again costs nothing.")
@click.option("--out", metavar="DIR", help="New directory for the run.  [default: runs/...]")
@click.option("--resume", "resumed", metavar="DIR", help="Go on with an interrupted run instead.")
@json_option
@click.pass_context
def solve(
    context: click.Context,
    solver: str | None,
    benchmark: str | None,
    budget: int,
    seed: int,
    backend: str,
    seconds: float | None,
    count_unique: bool,
    out: str | None,
    resumed: str | None,
    as_json: bool,
) -> None:
    """Search for a fast mapping of BENCHMARK with SOLVER and report what it took off."""
    if resumed is not None:
        if solver is not None or out is not None:
            raise click.UsageError("--resume takes all settings from the run's directory.", context)
        with _progress() as on_progress:
            outcome = resume(Path(resumed), on_progress)
    else:
        if solver is None or benchmark is None:
            raise click.UsageError("Name a solver and a benchmark.", context)
        options = parse_options(solver, context.args)
        config = Config(solver, benchmark, budget, seed, backend, options, seconds, count_unique)
        with _progress() as on_progress:
            directory = free_directory(config) if out is None else Path(out)
            outcome = search(config, directory, on_progress)
    if as_json:
        click.echo(json.dumps(outcome.summary()))
    else:
        show(*_report(outcome))


@app.command("map", epilog="Example: loihi-gym map net.nir --activity spikes.npy -o mapping.json")
@click.argument("network", metavar="NETWORK")
@click.option("--activity", metavar="INPUTS.npy", help="Input samples for a network file.")
@click.option("--chip", default="loihi2", show_default=True, help="Chip for a network file.")
@click.option("--steps", default=4, show_default=True, help="Time steps to record of it.")
@click.option("--budget", type=int, default=1000, show_default=True, help="Evaluations to spend.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the search.")
@backend_option
@click.option("--seconds", type=float, help="End after this wall time, too.")
@click.option("-o", "output", metavar="FILE", help="Write the mapping there, too.")
@click.option("--out", metavar="DIR", help="New directory for the run.  [default: runs/...]")
@json_option
def map_network(
    network: str,
    activity: str | None,
    chip: str,
    steps: int,
    budget: int,
    seed: int,
    backend: str,
    seconds: float | None,
    output: str | None,
    out: str | None,
    as_json: bool,
) -> None:
    """Find a fast mapping of NETWORK: a network or problem file, a benchmark's name or URI.

    Network files are those of `loihi-gym import`; the problem made of one is kept beside the run.
    """
    config = Config("map", network, budget, seed, backend, {}, seconds)
    directory = free_directory(config) if out is None else Path(out)
    if _is_network(network):
        from ..benchmarks.importing import import_problem, read_activity

        samples = None if activity is None else read_activity(activity)
        made, notes = import_problem(network, samples, chip, steps, Path(network).stem)
        directory.parent.mkdir(parents=True, exist_ok=True)
        problem = directory.with_name(f"{directory.name}-problem.npz")
        save_problem(str(problem), made)
        config = replace(config, benchmark=str(problem.absolute()))
        for note in notes:
            click.echo(f"note: {note}", err=True)
    with _progress() as on_progress:
        outcome = search(config, directory, on_progress)
    if output is not None:
        try:
            outcome.mapping.save(output)
        except OSError as error:
            raise LoihiGymError(f"mapping file {output}: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps(outcome.summary()))
    else:
        show(*_report(outcome))


def _is_network(name: str) -> bool:
    """Whether it is a file that must be made a problem first; benchmarks and problems are none."""
    if not name.endswith(".npz"):
        return Path(name).suffix in (".net", ".nir", ".pt")
    try:
        load(name)
    except ProblemFileError:
        return Path(name).exists()
    return False


@contextmanager
def _progress() -> Iterator[Any]:
    """Shows how a search stands: a live bar on a terminal, else a line now and then, on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _PlainProgress(console)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TextColumn("best {task.fields[best]} us, {task.fields[reduction]:.1%} off"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task("evaluations", total=None, rate=0.0, best="-", reduction=0.0)

    def update(now: Standing) -> None:
        bar.update(
            task,
            completed=now.evaluations,
            total=now.budget,
            rate=now.evaluations / max(now.seconds, 1e-9),
            best=microseconds(now.best_latency_ps),
            reduction=now.reduction,
        )

    with bar:
        yield update


class _PlainProgress:
    """A line every `PLAIN_SECONDS`, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = time.monotonic()

    def __call__(self, now: Standing) -> None:
        if time.monotonic() - self._last < PLAIN_SECONDS:
            return
        self._last = time.monotonic()
        self._console.print(
            f"{now.evaluations}/{now.budget} evaluations, "
            f"{now.evaluations / now.seconds:.0f}/s, best {microseconds(now.best_latency_ps)} us, "
            f"{now.reduction:.1%} below the reference",
            highlight=False,
            soft_wrap=True,
        )


def _report(outcome: Outcome) -> list[object]:
    problem, reference, best = outcome.problem, outcome.reference, outcome.best
    config = outcome.config
    rows = table(
        *("", "reference", "best found"),
        title=f"{config.solver} on {config.benchmark}: {outcome.reduction:.1%} less latency after "
        f"{outcome.evaluations:,} evaluations in {outcome.costs.seconds:.0f} s",
    )
    rows.columns[1].justify = rows.columns[2].justify = "left"
    before = problem.reference_mapping
    cells = [
        ("latency (us)", microseconds(reference.latency_ps), microseconds(best.latency_ps)),
        ("lower bound", *(bound_text(problem, m) for m in (reference, best))),
        ("energy (uJ)", microjoules(reference), microjoules(best)),
        ("cores", str(before.n_logical_cores), str(outcome.mapping.n_logical_cores)),
        (
            "cores per layer",
            " ".join(map(str, before.cores_per_layer)),
            " ".join(map(str, outcome.mapping.cores_per_layer)),
        ),
        ("bottleneck", str(reference.bottleneck or ""), str(best.bottleneck or "")),
    ]
    for row in cells:
        if any(row[1:]):  # what the backend has measured
            rows.add_row(*row)
    notes = [
        f"Reference: {problem.reference}, the fastest standard heuristic. Measured on "
        f"{config.backend}{'' if config.backend == 'lava' else ', simulated'}."
    ]
    if outcome.out is not None:
        notes += [
            f"mapping      {outcome.out}/mapping.json",
            f"trace        {outcome.out}/trace.jsonl",
            f"TensorBoard  tensorboard --logdir {outcome.out}",
        ]
    return [rows, "", *notes]
