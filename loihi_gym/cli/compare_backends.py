"""Commands that compare what backends say."""

import json
from itertools import combinations

import click

from ..backends import make_backend
from ..benchmarks import load
from .app import app, show, table
from .problems import json_option


@app.command("compare-backends", epilog="Example: loihi-gym compare-backends mlp-xs --mappings 40")
@click.argument("name", metavar="BENCHMARK")
@click.option(
    "--mappings", "count", type=click.IntRange(6), default=40, show_default=True, metavar="N"
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="S")
@click.option(
    "--backends",
    "names",
    default="mesh,bound,sanafe",
    show_default=True,
    metavar="NAMES",
    help="Which ones, separated by commas.",
)
@json_option
def compare_backends(name: str, count: int, seed: int, names: str, as_json: bool) -> None:
    """Measure the same heuristic and random mappings of BENCHMARK with several backends.

    `sanafe` is a peer simulator (pip install "loihi-gym[sanafe]"); its network has constants of
    its own, so compare the ranking.
    """
    from ..backends.comparison import agreement, latencies, sample_mappings

    problem = load(name)
    asked = [each.strip() for each in names.split(",")]
    mappings, n_heuristics = sample_mappings(problem, count, seed)
    chosen = {each: make_backend(each, problem) for each in asked}
    found = {each: latencies(backend, mappings) for each, backend in chosen.items()}
    pairs = [
        agreement((a, b), found[a][0], found[b][0], n_heuristics) for a, b in combinations(found, 2)
    ]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "latency_ps": {key: times.tolist() for key, (times, _) in found.items()},
                    "agreement": [pair._asdict() for pair in pairs],
                }
            )
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
