"""`nested-es`: the nested (1+lambda) evolution strategy of Pierro et al. (arXiv 2602.04717).

The outer strategy evolves the partitioning: how many cores beyond the fewest each layer gets, and
how many stay unused. The inner one evolves the placement, a permutation of the physical cores, for
each partitioning in turn. The reordering operator, or every other time the order of the cores,
carries the best placement over to a new partitioning. `docs/baselines.md` says what is the paper's
and what is ours.
"""

import numpy as np

from loihi_gym.mapping import random_mapping

from .genome import Genes, Genome
from .registry import anytime
from .session import Session

OUTER = 4
"""Partitionings per generation of the outer strategy."""
INNER = 5
"""Placements per generation of the inner strategy."""
AGAIN = 0.5
"""Chance that a mutation of the partitioning is followed by another."""
TRIAL = 1
"""Inner generations without progress after which a new partitioning is judged."""
PATIENCE = 4
"""Inner generations without progress after which the best partitioning has children."""
SWAPS = 2.0
"""Swaps of a mutation that swaps, on average."""
SEGMENT = 8
"""Most cores that an inversion or a scramble takes."""


@anytime
def solve(session: Session, start: str = "default") -> None:
    """Evolve partitionings, and placements for each of them, until the budget is spent.

    Args:
        session: The search.
        start: ``default`` begins with the reference mapping, ``random`` with a random one.
    """
    genome, rng = Genome(session.problem), session.rng
    first = random_mapping(session.problem, rng)
    if start != "random":
        first = session.problem.reference_mapping
    parent, latency_ps = genome.encode(first), session.evaluate(first).latency_ps
    while True:
        parent, latency_ps = _place(session, genome, parent, latency_ps, PATIENCE)
        children = []
        for _ in range(OUTER):
            child = parent
            for _ in range(rng.geometric(1.0 - AGAIN)):
                child = genome.recut(child, rng)
            child_ps = session.evaluate(genome.decode(child)).latency_ps
            children.append(_place(session, genome, child, child_ps, TRIAL))
        best, best_ps = min(children, key=lambda one: one[1])
        if best_ps <= latency_ps:
            parent, latency_ps = best, best_ps


def _place(
    session: Session, genome: Genome, parent: Genes, latency_ps: int, patience: int
) -> tuple[Genes, int]:
    """The inner strategy: a better placement of the same partitioning, and its latency."""
    idle = 0
    while idle < patience:
        children = [_mutated(genome, parent, session.rng) for _ in range(INNER)]
        measured = session.evaluate_batch([genome.decode(child) for child in children])
        found = [result.latency_ps for result in measured]
        best = int(np.argmin(found))
        idle = 0 if found[best] < latency_ps else idle + 1
        if found[best] <= latency_ps:
            parent, latency_ps = children[best], found[best]
    return parent, latency_ps


def _mutated(genome: Genome, genes: Genes, rng: np.random.Generator) -> Genes:
    """A copy after a swap, an inversion or a scramble, equally likely.

    The permutation is read as what each core holds, in the order of cores, so that an inversion or
    a scramble takes a few cores side by side. Read the other way it would mostly take pieces of one
    layer, whose order changes next to nothing.
    """
    kind = rng.integers(3)
    if kind == 0:
        return genome.swapped(genes, int(rng.geometric(1.0 / SWAPS)), rng)
    holds = np.argsort(genes[genome.n_layers :])
    start = int(rng.integers(genome.n_cores))
    part = holds[start : start + int(rng.integers(2, SEGMENT + 1))]
    part[:] = part[::-1] if kind == 1 else rng.permutation(part)
    return np.concatenate([genes[: genome.n_layers], np.argsort(holds)]).astype(np.int32)
