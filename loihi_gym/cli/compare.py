"""Commands that compare solvers and look at what they did."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..backends import load_backend
from ..benchmarks.suite import load_suite, suite_names
from ..comparison.plan import Plan, Scope, SearchTask, plan, read_plan, write_plan
from ..comparison.runner import EXECUTORS, run_all
from ..errors import LoihiGymError
from .app import app, show

SOLVERS = (
    "random,lava-default,packed,balanced,greedy,hillclimb,nested-es,nested-es:start=random,"
    "anneal,ga,ga:unseeded,cma,ppo,maskable-ppo,maskable-ppo:pretrained,dqn,map"
)
"""What is compared unless said otherwise: all that this package has."""


@app.command(
    epilog="Example: loihi-gym compare sparse-mlp-v1 --solvers random,ga,map --budgets 300,1000 "
    "--seeds 5 --jobs 2. A solver's options follow a colon: ga:unseeded, nested-es:start=random. "
    f"Suites: {', '.join(suite_names())}."
)
@click.argument("suite", metavar="SUITE")
@click.option("--solvers", default=SOLVERS, help="Solvers, with commas.  [default: all]")
@click.option("--budgets", help="Budgets of evaluations, with commas.  [default: the suite's]")
@click.option(
    "--seeds", help="Seeds of each budget: one number or several.  [default: the suite's]"
)
@click.option("--backend", metavar="NAME", help="What measures.  [default: the suite's]")
@click.option("--problems", help="Only these of the suite's problems, with commas.")
@click.option("--jobs", type=int, default=1, show_default=True, help="Searches at a time.")
@click.option(
    "--executor",
    default="local",
    show_default=True,
    help=f"Where searches run: {', '.join(EXECUTORS)} (a cluster, or this machine).",
)
@click.option("--out", metavar="DIR", help="Runs and report.  [default: runs/SUITE]")
def compare(
    suite: str,
    solvers: str,
    budgets: str | None,
    seeds: str | None,
    backend: str | None,
    problems: str | None,
    jobs: int,
    executor: str,
    out: str | None,
) -> None:
    """Run every solver on every problem of SUITE and write a report.

    What is there is not run again: interrupt it, give the same command, and it goes on.
    """
    if jobs < 1:
        raise click.UsageError(f"--jobs {jobs}: at least one is needed.")
    scope = Scope.of(load_suite(suite))
    if backend is not None:
        load_backend(backend)  # or say that there is none
        scope = replace(scope, backend=backend)
    chosen = _chosen(scope, budgets, seeds, problems)
    directory = Path(out) if out is not None else Path("runs") / chosen.name
    from ..comparison.report import write_report

    made = plan(chosen, solvers.split(","), directory)
    write_plan(made, directory)
    with _progress(made) as on_done:
        run_all(made, jobs, executor, on_done)
    show(f"report  {write_report(made, directory)}")


@app.command(epilog="Example: loihi-gym report runs/sparse-mlp-v1")
@click.argument("directory", metavar="DIR")
def report(directory: str) -> None:
    """Write the report of the comparison in DIR again."""
    from ..comparison.report import write_report

    show(f"report  {write_report(read_plan(Path(directory)), Path(directory))}")


@app.command(epilog="Example: loihi-gym archive runs/sparse-mlp-v1 -o sparse-mlp-v1.tar.xz")
@click.argument("directory", metavar="DIR")
@click.option("-o", "--output", metavar="FILE", required=True, help="The archive, a .tar.xz.")
def archive(directory: str, output: str) -> None:
    """Pack what the report of the comparison in DIR needs, to publish beside it.

    Some 2 kB a run: settings, costs and the evaluations that improved. `tar xf` it, and
    `loihi-gym report` and `loihi-gym compare` go on from there.
    """
    from ..comparison.archive import write_archive

    packed = write_archive(read_plan(Path(directory)), Path(directory), Path(output))
    show(f"packed  {output}  {packed} runs")


@app.command(epilog="Example: loihi-gym tensorboard runs")
@click.argument("directory", metavar="DIR")
@click.option("--port", type=int, default=6006, show_default=True, help="Where it listens.")
def tensorboard(directory: str, port: int) -> None:
    """Show all runs under DIR side by side in TensorBoard."""
    if not Path(directory).is_dir():
        raise LoihiGymError(f"there is no directory {directory}")
    from tensorboard.main import run_main

    sys.argv = ["tensorboard", "--logdir", directory, "--port", str(port)]
    run_main()


def _chosen(suite: Scope, budgets: str | None, seeds: str | None, problems: str | None) -> Scope:
    """The suite with other budgets, seeds or fewer problems."""
    if budgets is not None:
        asked = _numbers("--budgets", budgets)
        most = max(suite.seeds.values())
        suite = replace(suite, seeds={budget: suite.seeds.get(budget, most) for budget in asked})
    if seeds is not None:
        counts = _numbers("--seeds", seeds)
        if len(counts) == 1:
            counts *= len(suite.seeds)
        if len(counts) != len(suite.seeds):
            raise click.UsageError(f"--seeds {seeds}: give one number, or one for each budget.")
        suite = replace(suite, seeds=dict(zip(suite.seeds, counts, strict=True)))
    if problems is not None:
        names = tuple(problems.split(","))
        for name in names:
            if name not in suite.problems:
                raise click.UsageError(f"--problems {name}: not in suite {suite.name}.")
        suite = replace(suite, problems=names)
    return suite


def _numbers(option: str, text: str) -> list[int]:
    try:
        numbers = [int(word) for word in text.split(",")]
    except ValueError as error:
        raise click.UsageError(f"{option} {text}: not whole numbers with commas.") from error
    if min(numbers) < 1:
        raise click.UsageError(f"{option} {text}: not all at least 1.")
    return numbers


@contextmanager
def _progress(made: Plan) -> Iterator[Callable[[SearchTask], None]]:
    """One bar over the evaluations of all searches; where there is no terminal, a line for each."""
    console = Console(stderr=True)
    total = sum(task.config.budget for task in made.tasks)
    done = sum(task.config.budget for task in made.tasks if task.done)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    row = bar.add_task("evaluations", total=total, completed=done)

    def on_done(task: SearchTask) -> None:
        config = task.config
        what = f"{task.label} on {config.benchmark}, {config.budget:,}, seed {config.seed}"
        bar.update(row, advance=config.budget, description=what)
        if not console.is_terminal:
            console.print(f"done: {what}", highlight=False, soft_wrap=True)

    with bar:
        yield on_done
