"""Does a ranking survive other constants?"""

import json
from pathlib import Path

import click
import numpy as np

from ..backends.constant_sweep import REFERENCE, plot
from ..backends.constant_sweep import sensitivity as measure
from ..benchmarks import load
from ..mapping import random_mapping
from .app import app, show, table
from .problems import json_option, read_mapping


@app.command(epilog="Example: loihi-gym sensitivity mlp-xs packed/hilbert --random 10 -o plot.png")
@click.argument("name", metavar="BENCHMARK")
@click.argument("mappings", metavar="MAPPING...", nargs=-1)
@click.option("--random", "n_random", type=click.IntRange(0), default=20, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random mappings.")
@click.option("-o", "--output", metavar="FILE", help="Also draw a picture.")
@json_option
def sensitivity(
    name: str,
    mappings: tuple[str, ...],
    n_random: int,
    seed: int,
    output: str | None,
    as_json: bool,
) -> None:
    """Rank MAPPINGs, the reference and random ones while each constant moves over its range.

    A MAPPING is a file or the name of a standard heuristic.
    """
    problem, rng = load(name), np.random.default_rng(seed)
    chosen = {REFERENCE: problem.reference_mapping}
    chosen |= {text: read_mapping(problem, text) for text in mappings}
    chosen |= {f"random {k}": random_mapping(problem, rng) for k in range(n_random)}
    shifts = measure(problem, chosen)
    names = list(chosen)
    best = 1 if mappings else 0
    if output is not None:
        plot(output, problem.name, shifts, best, 0)
    if as_json:
        rows = [
            {
                "constant": shift.constant,
                "value": shift.value,
                "default": shift.default,
                "spearman": shift.spearman,
                "fastest": shift.fastest,
                "latencies_ps": dict(zip(names, shift.latencies_ps, strict=True)),
            }
            for shift in shifts
        ]
        click.echo(json.dumps(rows))
        return
    rows_table = table(
        *("constant", "default", "moved to", "Spearman", f"{Path(names[best]).name} takes off"),
        "fastest",
        title=f"{problem.name}: {len(chosen)} mappings on mesh, simulated",
    )
    rows_table.columns[5].justify = "left"
    for shift in shifts:
        rows_table.add_row(
            shift.constant,
            f"{shift.default:,}",
            f"{shift.value:,}",
            f"{shift.spearman:.3f}",
            f"{shift.reduction(best, 0):.1%}",
            Path(shift.fastest).name,
        )
    show(rows_table)
    if output is not None:
        click.echo(f"wrote {output}")
