"""How much there is to search: every standard heuristic, random search and the GA on a benchmark.

    python perf/benchmarks.py [BENCHMARK...] [--seeds 5] [--json]

Prints a table per benchmark: latency, cores and bottleneck of the standard heuristics that fit, of
the best of 1,000 random mappings and of the GA's runs (2,000 evaluations each), and the proven
lower bound.
"""

import argparse
import json
import statistics
from typing import Any

from loihi_gym import Mapping, Measurement, load, make_backend
from loihi_gym.bounds import lower_bound
from loihi_gym.mapping import fitting
from loihi_gym.search.config import Config
from loihi_gym.search.run import Outcome, search

GA_BUDGET, RANDOM_BUDGET = 2000, 1000


def row(name: str, mapping: Mapping, result: Measurement, reference_ps: int) -> dict[str, Any]:
    """One line of the table."""
    return {
        "mapping": name,
        "latency_us": result.latency_ps * 1e-6,
        "reduction": 1 - result.latency_ps / reference_ps,
        "energy_uj": (result.energy_fj or 0) * 1e-9,
        "cores": mapping.n_logical_cores,
        "bottleneck": str(result.bottleneck),
    }


def measure(name: str, seeds: int) -> list[dict[str, Any]]:
    """All rows of a benchmark, slowest heuristic first."""
    problem = load(name)
    mappings = fitting(problem)
    measured = make_backend("mesh", problem).evaluate_batch(list(mappings.values()))
    latency = dict(zip(mappings, measured, strict=True))
    reference_ps = latency[problem.reference].latency_ps
    rows = [row(known, mappings[known], latency[known], reference_ps) for known in mappings]
    rows.sort(key=lambda entry: -entry["latency_us"])

    def run(solver: str, budget: int, seed: int) -> Outcome:
        return search(Config(solver, name, budget, seed))

    best = run("random", RANDOM_BUDGET, 0)
    rows.append(row(f"random, best of {RANDOM_BUDGET:,}", best.mapping, best.best, reference_ps))
    runs = [run("ga", GA_BUDGET, seed) for seed in range(seeds)]
    for seed, outcome in enumerate(runs):
        rows.append(row(f"ga, seed {seed}", outcome.mapping, outcome.best, reference_ps))
    middle = statistics.median(outcome.reduction for outcome in runs)
    least_ps = lower_bound(problem).latency_ps
    rows.append({"mapping": f"ga, median of {seeds}", "reduction": middle})
    rows.append(
        {
            "mapping": "proven lower bound",
            "latency_us": least_ps * 1e-6,
            "reduction": 1 - least_ps / reference_ps,
        }
    )
    return rows


def show(name: str, rows: list[dict[str, Any]]) -> None:
    """Print a benchmark's table as Markdown."""
    print(f"\n### {name}\n")
    print("| mapping | latency (us) | against the reference | energy (uJ) | cores | bottleneck |")
    print("|---|---|---|---|---|---|")
    for entry in rows:
        latency = f"{entry['latency_us']:.2f}" if "latency_us" in entry else ""
        energy = f"{entry['energy_uj']:.2f}" if "energy_uj" in entry else ""
        print(
            f"| {entry['mapping']} | {latency} | {-entry['reduction']:+.1%} | {energy} "
            f"| {entry.get('cores', '')} | {entry.get('bottleneck', '')} |",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", default=["mlp-xs", "mlp-deep", "mlp-wide"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    tables = {}
    for name in arguments.names:
        tables[name] = measure(name, arguments.seeds)
        if not arguments.json:
            show(name, tables[name])
    if arguments.json:
        print(json.dumps(tables))


if __name__ == "__main__":
    main()
