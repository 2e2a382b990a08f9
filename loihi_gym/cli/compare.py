"""Commands that compare solvers and look at what they did."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from ..backends import load_backend
from ..benchmarks.suite import load_suite, suite_names
from ..comparison.plan import Plan, Scope, SearchTask, plan, read_plan, write_plan
from ..comparison.runner import EXECUTORS, run_all
from ..errors import LoihiGymError
from ..progress_bar import Update
from . import options
from .app import app
from .output import show, show_json
from .progress import patience, progress

SOLVERS = (
    "random,lava-default,packed,balanced,greedy,hillclimb,nested-es,nested-es:start=random,"
    "anneal,ga,ga:unseeded,cma,random-walk,ppo,maskable-ppo,maskable-ppo:pretrained,dqn,"
    "refine:uniform,refine,refine-ppo:from-scratch,refine-ppo,map"
)
"""What is compared unless said otherwise: all that this package has."""


@app.command(
    epilog="Example: loihi-gym compare sparse-mlp-v2 --solvers random,ga,map --budgets 300,1000 "
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
@options.number("--jobs", 1, 1, "Searches at a time.")
@click.option(
    "--executor",
    default="local",
    show_default=True,
    help=f"Where searches run: {', '.join(EXECUTORS)} (a cluster, or this machine).",
)
@options.out_folder("Runs and report.  [default: runs/SUITE]")
@options.json
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
    as_json: bool,
) -> None:
    """Run every solver on every problem of SUITE and write a report.

    What is there is not run again: interrupt it, give the same command, and it goes on.
    """
    scope = Scope.of(load_suite(suite))
    if backend is not None:
        load_backend(backend)  # or say that there is none
        scope = replace(scope, backend=backend)
    chosen = _chosen(scope, budgets, seeds, problems)
    directory = Path(out) if out is not None else Path("runs") / chosen.name
    made = plan(chosen, solvers.split(","), directory)
    write_plan(made, directory)
    with progress("evaluations", every_s=0.0) as update:
        run_all(made, jobs, executor, _teller(made, update))
    _report(made, directory, as_json)


@app.command(epilog="Example: loihi-gym report runs/sparse-mlp-v2")
@click.argument("directory", metavar="DIR")
@options.json
def report(directory: str, as_json: bool) -> None:
    """Write the report of the comparison in DIR again."""
    _report(read_plan(Path(directory)), Path(directory), as_json)


def _report(made: Plan, directory: Path, as_json: bool) -> None:
    from ..comparison.report import write_report

    with patience("writing the report"):
        written = write_report(made, directory)
    if as_json:
        show_json({"report": str(written), "runs": len(made.tasks)})
    else:
        show(f"report  {written}")


@app.command(epilog="Example: loihi-gym archive runs/sparse-mlp-v2 -o sparse-mlp-v2.tar.xz")
@click.argument("directory", metavar="DIR")
@options.output("FILE", "The archive, a .tar.xz.")
@options.json
def archive(directory: str, output: str, as_json: bool) -> None:
    """Pack what the report of the comparison in DIR needs, to publish beside it.

    Some 2 kB a run: settings, costs and the evaluations that improved. `tar xf` it, and
    `loihi-gym report` and `loihi-gym compare` go on from there.
    """
    from ..comparison.archive import write_archive

    with patience("packing"):
        packed = write_archive(read_plan(Path(directory)), Path(directory), Path(output))
    if as_json:
        show_json({"archive": output, "runs": packed})
    else:
        show(f"packed  {output}  {packed} runs")


@app.command(epilog="Example: loihi-gym tensorboard runs")
@click.argument("directory", metavar="DIR")
@options.port(6006)
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


def _teller(made: Plan, update: Update) -> Callable[[SearchTask], None]:
    """What tells `update` of each search that is done, counted in evaluations."""
    total = sum(task.config.budget for task in made.tasks)
    done = sum(task.config.budget for task in made.tasks if task.done)

    def on_done(task: SearchTask) -> None:
        nonlocal done
        config = task.config
        done += config.budget
        what = f"{task.label} on {config.benchmark}, {config.budget:,}, seed {config.seed}"
        update(what, done, total)

    return on_done
