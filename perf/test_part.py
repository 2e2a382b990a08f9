"""Is a family's test part fair? Its references, and what another draw of it would change.

    python perf/test_part.py references            # the suite sparse-mlp-test-v2
    python perf/test_part.py draws --commits A,B   # scores when drawn from other hashes

`references`: of each problem the reference on `mesh`, what Intel's toolchain would do, the best of
a sweep written here (40 evaluations: `balanced` over ten numbers of cores from the fewest to all,
in four orders), the proven bound, and the best that `map` finds with 3,000 evaluations.

`draws`: the interquartile mean over the first problems of the part, drawn from each hash, of what
solvers take off the reference, with 95 % bootstrap intervals that resample problems and seeds.
"""

import argparse

import numpy as np

from loihi_gym import load, make_backend
from loihi_gym.arrays import Float64Array
from loihi_gym.benchmarks.families import family
from loihi_gym.benchmarks.suite import load_suite
from loihi_gym.comparison.statistics import iqm
from loihi_gym.errors import IllegalMappingError
from loihi_gym.mapping import Problem
from loihi_gym.mapping.heuristics import balanced, in_order, partition, toolchain_default
from loihi_gym.mapping.orders import ORDERS
from loihi_gym.search.config import Config
from loihi_gym.search.run import search

SIZES, SWEPT_ORDERS = 10, ("row-major", "column-major", "serpentine", "strided")
RESAMPLES = 4000


def sweep_ps(problem: Problem) -> int:
    """Latency of the best of the sweep."""
    fewest, all_cores = int(partition(problem, "packed").sum()), problem.topology.n_cores
    mappings = set()
    for size in np.geomspace(fewest, all_cores, SIZES):
        percent = min(100, int(np.ceil(100 * size / all_cores)))
        try:
            counts = balanced(problem, percent)
        except IllegalMappingError:
            continue
        mappings |= {
            in_order(problem, counts, ORDERS[name](problem.topology)) for name in SWEPT_ORDERS
        }
    measured = make_backend("mesh", problem).evaluate_batch(list(mappings))
    return min(one.latency_ps for one in measured)


def references(suite_name: str, budget: int, first: int) -> None:
    """Print one line for each problem of a suite, from the first on."""
    suite = load_suite(suite_name)
    print("problem, chip, layers, synapses; latencies in us")
    print("                 reference  toolchain  sweep of 40  proven bound  map")
    worst = 0.0
    for name in suite.names[first:]:
        problem, frozen = load(name), suite.frozen(name)
        default = toolchain_default(problem)
        mesh = make_backend("mesh", problem)
        found = search(Config("map", name, budget)).best.latency_ps
        swept, reference_ps = sweep_ps(problem), frozen.reference_latency_ps
        worst = max(worst, reference_ps / swept - 1)
        cells = [
            f"{reference_ps / 1e6:9.3f}",
            f"{mesh.evaluate(default).latency_ps / 1e6:9.3f}" if default else "  -      ",
            f"{swept / 1e6:9.3f}",
            f"{frozen.lower_bound_ps / 1e6:9.3f}",
            f"{found / 1e6:9.3f}",
        ]
        shape = f"{problem.chip.name}, {problem.n_layers}, {problem.network.synapses:,}"
        print(f"{name:16}{'  '.join(cells)}  {frozen.reference}  ({shape})", flush=True)
    print(f"the reference is behind the sweep by {worst:.1%} at worst")


def interval(scores: Float64Array) -> tuple[float, float, float]:
    """IQM of scores, (problems, seeds), with an interval over problems and seeds."""
    rng, (n, seeds), draws = np.random.default_rng(0), scores.shape, []
    for _ in range(RESAMPLES):
        rows, columns = rng.integers(n, size=(n, 1)), rng.integers(seeds, size=(n, seeds))
        draws.append(iqm(list(scores[rows, columns])))
    low, high = np.quantile(draws, [0.025, 0.975])
    return iqm(list(scores)), float(low), float(high)


def draws(commits: list[str], solvers: list[str], problems: int, budget: int, seeds: int) -> None:
    """Print each solver's score on the part drawn from each hash."""
    part = family("sparse-mlp").test
    for solver in solvers:
        for commit in commits:
            scores = np.zeros((problems, seeds))
            for number in range(problems):
                address = part.drawn_from(commit)[number] if commit else part[number]
                for seed in range(seeds):
                    scores[number, seed] = search(Config(solver, address, budget, seed)).reduction
            value, low, high = interval(scores)
            label = commit[:8] or "frozen"
            print(
                f"{solver:10} {label:8} IQM {value:.1%} ({low:.1%} to {high:.1%})",
                flush=True,
            )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Is a family's test part fair?")
    parser.add_argument("what", choices=["references", "draws"])
    parser.add_argument("--suite", default="sparse-mlp-test-v2")
    parser.add_argument("--first", type=int, default=0, help="number of the first problem")
    parser.add_argument("--budget", type=int, help="evaluations  [3,000 of map; 300 of draws]")
    parser.add_argument("--commits", default=",", help="hashes, comma between; empty: the frozen")
    parser.add_argument("--solvers", default="hillclimb,ga")
    parser.add_argument("--problems", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.what == "references":
        references(arguments.suite, arguments.budget or 3000, arguments.first)
    else:
        draws(
            arguments.commits.split(","),
            arguments.solvers.split(","),
            arguments.problems,
            arguments.budget or 300,
            arguments.seeds,
        )


if __name__ == "__main__":
    main()
