"""Commands that tell whether a ranking of mappings holds: on other constants, other backends."""

from itertools import combinations
from pathlib import Path

import click
import numpy as np

from ..backends import make_backend
from ..backends.regrets import Regrets, plot
from ..backends.regrets import regrets as measure
from ..backends.robust import hypotheses_of
from ..benchmarks import load
from ..chip.hypotheses import Hypotheses
from ..drawing.captions import LONGEST_NAME
from ..errors import one_line
from ..search.each_chip import search_each
from . import options
from .app import app
from .output import PlainTable, show, show_json, table
from .progress import patience, progress


@app.command(epilog="Example: loihi-gym robustness mlp-xs packed/hilbert --search 100 -o plot.png")
@click.argument("name", metavar="BENCHMARK")
@click.argument("mappings", metavar="MAPPING...", nargs=-1)
@options.chips
@options.number("--search", 0, 0, "Mappings to search by on each chip, and on all.", name="budget")
@click.option("--solver", default="map", show_default=True, help="With --search: what searches.")
@options.seed
@options.backend
@options.output("FILE", "Also draw a picture.", required=False)
@options.folder("--keep", "With --search: keep the mappings found there.")
@options.json
def robustness(
    name: str,
    mappings: tuple[str, ...],
    chips: str | None,
    budget: int,
    solver: str,
    seed: int,
    backend: str,
    output: str | None,
    keep: str | None,
    as_json: bool,
) -> None:
    """Measure MAPPINGs and the reference on every chip of a set of hypotheses.

    A MAPPING is a file or the name of a standard heuristic. What is shown is its regret: how much
    slower it is than the best mapping known on each chip, which is one of those here or a standard
    heuristic. With --search, mappings are also searched for on each chip, and robust ones on all.
    """
    problem = load(name)
    hypotheses = hypotheses_of(problem, chips)
    chosen = {"reference": problem.reference_mapping}
    chosen |= {text: options.read_mapping(problem, text) for text in mappings}
    if budget:
        with progress("searches") as update:
            chosen |= search_each(problem, hypotheses, backend, solver, budget, seed, update)
        if keep is not None:
            Path(keep).mkdir(parents=True, exist_ok=True)
            for text, mapping in chosen.items():
                mapping.save(Path(keep) / f"{Path(text).name.replace(' ', '-')}.json")
    with patience(f"measuring {len(chosen)} mappings on {len(hypotheses.members)} chips"):
        found = measure(problem, hypotheses, chosen, backend)
        if output is not None:
            plot(output, one_line(problem.name, LONGEST_NAME), found)
    if as_json:
        rows = {
            text: dict(zip(found.hypotheses, row.tolist(), strict=True))
            for text, row in zip(found.mappings, found.latencies_ps, strict=True)
        }
        best = dict(zip(found.hypotheses, found.best_ps.tolist(), strict=True))
        cores = {text: mapping.n_logical_cores for text, mapping in chosen.items()}
        written = {"picture": output, "kept": keep if budget else None}
        show_json({"latencies_ps": rows, "best_ps": best, "cores": cores, **written})
        return
    title = f"{problem.name} on {backend}, simulated: regret in % of the best mapping known"
    show(_regret_table(found, title), "", _hypothesis_table(hypotheses))
    if output is not None:
        show(f"wrote {output}")


def _regret_table(found: Regrets, title: str) -> PlainTable:
    numbers = [str(number) for number in range(1, len(found.hypotheses) + 1)]
    rows = table("mapping", "mean", "worst", *numbers, title=title)
    for text, row in zip(found.mappings, 100 * found.values, strict=True):
        cells = ["-" if np.isnan(value) else f"{value:.0f}" for value in row]
        rows.add_row(Path(text).name, f"{np.nanmean(row):.1f}", f"{np.nanmax(row):.1f}", *cells)
    return rows


def _hypothesis_table(hypotheses: Hypotheses) -> PlainTable:
    rows = table("", "hypothesis", "why", left=(1, 2))
    for number, one in enumerate(hypotheses.members, 1):
        rows.add_row(str(number), one.name, one.why)
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
                "seconds_each": {key: each for key, (_, each) in found.items()},
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
