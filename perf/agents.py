"""What learning is worth: agents, their controls and other solvers on a family's validation part.

    python perf/agents.py --problems 6 --seeds 2 --budgets 300

Of each solver what it takes off the reference within each budget: the interquartile mean over
problems and seeds, with 95 % bootstrap intervals that resample both, the mean, and on how many
problems its median seed is below the reference. `zero-shot` measures one mapping.
"""

import argparse
import time

import numpy as np
from test_part import interval

from loihi_gym.arrays import Float64Array
from loihi_gym.benchmarks.families import family
from loihi_gym.comparison.plan import contender
from loihi_gym.search.config import Config
from loihi_gym.search.run import search

SOLVERS = (
    *("zero-shot", "random-walk", "refine:uniform", "refine:from-scratch", "refine"),
    *("refine-ppo:from-scratch", "refine-ppo", "ga", "nested-es", "map"),
)


def reductions(label: str, first: int, problems: int, seeds: int, budget: int) -> Float64Array:
    """What a solver takes off the references, (problems, seeds)."""
    part, one = family("sparse-mlp").validation, contender(label)
    found = np.zeros((problems, seeds))
    for number in range(problems):
        for seed in range(seeds):
            config = Config(one.solver, part[first + number], budget, seed, options=one.options)
            found[number, seed] = search(config).reduction
    return found


def main() -> None:
    """Read the command line and print a line for each solver and budget."""
    parser = argparse.ArgumentParser(description="What learning is worth.")
    parser.add_argument("--first", type=int, default=0, help="number of the first problem")
    parser.add_argument("--problems", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--budgets", default="300", help="comma between")
    parser.add_argument("--solvers", default=",".join(SOLVERS), help="comma between")
    given = parser.parse_args()
    last = given.first + given.problems - 1
    print(f"sparse-mlp, validation {given.first} to {last}, {given.seeds} seeds; % off, simulated")
    print(f"{'':24}{'budget':>7}{'IQM':>7}  (interval)     {'mean':>6}  below  CPU s")
    for label in given.solvers.split(","):
        for budget in map(int, given.budgets.split(",")):
            started = time.process_time()
            scores = reductions(label, given.first, given.problems, given.seeds, budget)
            seconds = time.process_time() - started
            value, low, high = (100 * one for one in interval(scores))
            below = int((np.median(scores, axis=1) > 0).sum())
            print(
                f"{label:24}{budget:7,}{value:7.1f}  ({low:.1f} to {high:.1f})"
                f"{100 * scores.mean():8.1f}  {below}/{given.problems}  {seconds:.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
