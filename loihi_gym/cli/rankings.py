"""Commands that tell whether a ranking of mappings holds: on other constants, other backends."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import click
import numpy as np

from ..backends import make_backend
from ..backends.constant_sweep import REFERENCE, Shift, plot
from ..backends.constant_sweep import sensitivity as measure
from ..benchmarks import load
from ..drawing.mesh_drawing import LONGEST_NAME
from ..errors import one_line
from ..mapping import random_mapping
from . import options
from .app import app
from .output import PlainTable, show, show_json, table
from .progress import patience


@app.command(epilog="Example: loihi-gym sensitivity mlp-xs packed/hilbert --random 10 -o plot.png")
@click.argument("name", metavar="BENCHMARK")
@click.argument("mappings", metavar="MAPPING...", nargs=-1)
@options.number("--random", 0, 20, "Random mappings to rank, too.", name="n_random")
@options.seed
@options.output("FILE", "Also draw a picture.", required=False)
@options.json
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
    chosen |= {text: options.read_mapping(problem, text) for text in mappings}
    chosen |= {f"random {k}": random_mapping(problem, rng) for k in range(n_random)}
    names, best = list(chosen), 1 if mappings else 0
    with patience(f"measuring {len(chosen)} mappings under each constant"):
        shifts = measure(problem, chosen)
        if output is not None:
            plot(output, one_line(problem.name, LONGEST_NAME), shifts, best, 0)
    if as_json:
        rows = [dict(zip(names, shift.latencies_ps, strict=True)) for shift in shifts]
        show_json([{**asdict(s), "latencies_ps": r} for s, r in zip(shifts, rows, strict=True)])
        return
    title = f"{problem.name}: {len(chosen)} mappings on mesh, simulated"
    show(_shift_table(shifts, Path(names[best]).name, best, title))
    if output is not None:
        show(f"wrote {output}")


def _shift_table(shifts: Sequence[Shift], name: str, best: int, title: str) -> PlainTable:
    columns = ("constant", "default", "moved to", "Spearman", f"{name} takes off", "fastest")
    rows = table(*columns, title=title, left=(5,))
    for shift in shifts:
        rows.add_row(
            shift.constant,
            f"{shift.default:,}",
            f"{shift.value:,}",
            f"{shift.spearman:.3f}",
            f"{shift.reduction(best, 0):.1%}",
            Path(shift.fastest).name,
        )
    return rows


@app.command("compare-backends", epilog="Example: loihi-gym compare-backends mlp-xs --mappings 40")
@click.argument("name", metavar="BENCHMARK")
@options.number("--mappings", 6, 40, "Mappings to measure.", name="count")
@options.seed
@click.option(
    "--backends",
    "names",
    default="mesh,bound,sanafe",
    show_default=True,
    metavar="NAMES",
    help="Which ones, separated by commas.",
)
@options.json
def compare_backends(name: str, count: int, seed: int, names: str, as_json: bool) -> None:
    """Measure the same heuristic and random mappings of BENCHMARK with several backends.

    `sanafe` is a peer simulator (pip install "loihi-gym[sanafe]"); its network has constants of
    its own, so compare the ranking.
    """
    from ..backends.comparison import agreement, latencies, sample_mappings

    problem = load(name)
    asked = [each.strip() for each in names.split(",")]
    chosen = {each: make_backend(each, problem) for each in asked}
    with patience(f"measuring with {names}"):
        mappings, n_heuristics = sample_mappings(problem, count, seed)
        found = {each: latencies(backend, mappings) for each, backend in chosen.items()}
    pairs = [
        agreement((a, b), found[a][0], found[b][0], n_heuristics) for a, b in combinations(found, 2)
    ]
    if as_json:
        show_json(
            {
                "latency_ps": {key: times.tolist() for key, (times, _) in found.items()},
                "agreement": [pair._asdict() for pair in pairs],
            }
        )
        return
    title = f"{name}: {n_heuristics} heuristic and {count - n_heuristics} random mappings"
    rows = table("backends", "Spearman", "of the random", "ratio", "10 - 90 %", title=title)
    for pair in pairs:
        rows.add_row(
            f"{pair.first} / {pair.second}",
            f"{pair.spearman:.3f}",
            f"{pair.spearman_random:.3f}",
            f"{pair.ratio_median:.3f}",
            f"{pair.ratio_low:.3f} - {pair.ratio_high:.3f}",
        )
    speeds = ", ".join(f"{key} {1000 * each:.3g} ms" for key, (_, each) in found.items())
    show(rows, f"Measuring one mapping took: {speeds}.")
