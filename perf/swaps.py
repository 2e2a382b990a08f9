"""Which swaps make a mapping faster: those with a close core, or with any?

    python perf/swaps.py

Prints, for the reference mapping of each large benchmark, how many of 200 random swaps of either
kind are faster on `mesh`, and how much the best takes off. Behind `loihi_gym.chip.near`.
"""

import numpy as np
from loihi_gym_baselines.genome import Genes, Genome

from loihi_gym import load, make_backend
from loihi_gym.chip.near import near

PROBLEMS = ("mlp-deep", "mlp-wide", "mlp-deep-8chip")
SWAPS = 200


def swapped(genome: Genome, genes: Genes, close: bool, rng: np.random.Generator) -> Genes:
    """A copy with a used core and a close one, or any, exchanged, unless both are of one layer."""
    genes = genes.copy()
    counts, order = genome.split(genes)
    ends = np.cumsum(counts)
    a = rng.integers(ends[-1])
    cores = near(genome.problem.topology).to(order[a]) if close else order
    b = np.flatnonzero(order == rng.choice(cores))[0]
    if np.searchsorted(ends, a, side="right") != np.searchsorted(ends, b, side="right"):
        order[a], order[b] = order[b], order[a]
    return genes


def main() -> None:
    """Measure and print."""
    for name in PROBLEMS:
        problem = load(name)
        backend = make_backend("mesh", problem)
        genome = Genome(problem, np.random.default_rng(0))
        reference = backend.evaluate(problem.reference_mapping).latency_ps
        genes = genome.encode(problem.reference_mapping)
        for close in (False, True):
            rng = np.random.default_rng(0)
            tried = [genome.decode(swapped(genome, genes, close, rng)) for _ in range(SWAPS)]
            latencies = np.array([m.latency_ps for m in backend.evaluate_batch(tried)])
            print(
                f"{name:15} {'close' if close else 'any':5} core: "
                f"{(latencies < reference).mean():6.1%} faster, "
                f"best {1 - latencies.min() / reference:6.2%} off"
            )


if __name__ == "__main__":
    main()
