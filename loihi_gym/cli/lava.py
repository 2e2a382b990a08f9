"""Commands that need Lava: its own environment, and having it check a network."""

import sys

import click

from ..backends.lava import LavaWorker, examine, installed
from ..backends.lava import install as make_environment
from ..backends.lava import verify as compare_all
from ..benchmarks import load
from . import options
from .app import Commands, app
from .options import read_mapping
from .output import show, show_json, table
from .progress import patience

MARKS = {True: "ok  ", False: "BAD ", None: "--  "}


@app.group(cls=Commands)
def lava() -> None:
    """Lava, Intel's framework, in a Python 3.10 environment of its own.

    It runs on Python 3.10 alone, so no extra of this package can install it: `loihi-gym lava
    install` does, whatever Python runs loihi_gym.
    """


@lava.command(epilog="Example: loihi-gym lava install")
def install() -> None:
    """Make the environment that Lava runs in: Python 3.10 with lava-nc, about 300 MB."""
    if not installed():
        show("installing lava-nc; this takes about a minute", error=True)
    show(str(make_environment()))


@lava.command(epilog="Example: loihi-gym lava doctor")
def doctor() -> None:
    """Show versions, whether lava-loihi, SLURM and a board are there, and test Lava itself.

    A line that begins with -- is of no matter without a Loihi 2; with BAD, Lava does not work.
    """
    works = True
    for finding in examine():
        works = works and finding.good is not False
        show(f"{MARKS[finding.good]}{finding.what}: {finding.detail}")
    if not works:
        sys.exit(1)


@app.command(epilog="Example: loihi-gym verify mlp-xs balanced/strided")
@click.argument("name", metavar="BENCHMARK")
@click.argument("mapping", metavar="[MAPPING]", required=False)
@options.json
def verify(name: str, mapping: str | None, as_json: bool) -> None:
    """Run BENCHMARK in Lava and here, and compare every message.

    Of a network with ReLU neurons also with sigma-delta neurons on the same weights.

    With MAPPING also in pieces, one Lava process per logical core: a file, the name of a standard
    heuristic, or 'heuristic' for the benchmark's reference. Exits with 1 if any message differs.
    Needs 'loihi-gym lava install'.
    """
    problem = load(name)
    chosen = None
    if mapping is not None:
        chosen = read_mapping(problem, problem.reference if mapping == "heuristic" else mapping)
    columns = ("neurons", "processes", "steps", "messages", "not silent", "differing")
    rows = table(*columns, title=name)
    with patience("running Lava"), LavaWorker() as worker:
        results = list(compare_all(worker, problem, chosen))
    for result in results:
        counts = (result.processes, result.steps, result.compared, result.sent, result.differing)
        rows.add_row(result.neuron, *(f"{count:,}" for count in counts))
    if as_json:
        fields = ("neuron", "processes", "steps", "compared", "sent", "differing", "equal")
        show_json(
            {
                "benchmark": name,
                "runs": [{field: getattr(one, field) for field in fields} for one in results],
            }
        )
        sys.exit(0 if all(one.equal for one in results) else 1)
    first = [f"{result.neuron}: {result.first}" for result in results if not result.equal]
    show(rows, "", *(first or ["Lava and loihi_gym compute the same, to the bit."]))
    if first:
        sys.exit(1)
