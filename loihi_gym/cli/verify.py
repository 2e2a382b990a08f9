"""The command that has Lava check a network."""

import sys

import click
from rich.table import Table

from ..backends.lava import Comparison, LavaWorker
from ..backends.lava import verify as compare_all
from ..benchmarks import load
from .app import app, show, table
from .problems import read_mapping


@app.command(epilog="Example: loihi-gym verify mlp-xs --mapping balanced/strided")
@click.argument("name", metavar="BENCHMARK")
@click.option(
    "--mapping",
    metavar="MAPPING",
    help="Also run it in pieces, one Lava process per logical core: a file, the name of a standard "
    "heuristic, or 'heuristic' for the benchmark's reference.",
)
def verify(name: str, mapping: str | None) -> None:
    """Run BENCHMARK in Lava and here, with ReLU and sigma-delta neurons; compare every message.

    Exits with 1 if any message differs. Needs 'loihi-gym lava install'.
    """
    problem = load(name)
    chosen = None
    if mapping is not None:
        chosen = read_mapping(problem, problem.reference if mapping == "heuristic" else mapping)
    rows = table("neurons", "processes", "steps", "messages", "not silent", "differing", title=name)
    with LavaWorker() as worker:
        results = list(compare_all(worker, problem, chosen))
    for result in results:
        _add(rows, result)
    first = [f"{result.neuron}: {result.first}" for result in results if not result.equal]
    show(rows, "", *(first or ["Lava and loihi_gym compute the same, to the bit."]))
    if first:
        sys.exit(1)


def _add(rows: Table, result: Comparison) -> None:
    rows.add_row(
        result.neuron,
        f"{result.processes:,}",
        str(result.steps),
        f"{result.compared:,}",
        f"{result.sent:,}",
        f"{result.differing:,}",
    )
