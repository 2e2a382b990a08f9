"""`nested-es`: the nested (1+lambda) evolution strategy of Pierro et al. (arXiv 2602.04717).

The outer strategy evolves the partitioning: how many cores beyond the fewest each layer gets, and
how many stay unused. The inner one evolves the placement, a permutation of the physical cores, for
each partitioning in turn. The reordering operator carries the best placement over to a new
partitioning. `docs/baselines.md` says which parameters are the paper's and which are ours.
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
MOVED = 0.3
"""Part alpha of the layers' extra cores that a mutation of the partitioning moves, at most."""
PATIENCE = 3
"""Inner generations without progress after which a partitioning is left."""


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
    parent = genome.encode(first)
    parent, latency_ps = _place(session, genome, parent, session.evaluate(first).latency_ps)
    while True:
        children = []
        for _ in range(OUTER):
            child = genome.with_counts(parent, _repartition(genome, parent, rng))
            child_ps = session.evaluate(genome.decode(child)).latency_ps
            children.append(_place(session, genome, child, child_ps))
        best, best_ps = min(children, key=lambda one: one[1])
        if best_ps <= latency_ps:
            parent, latency_ps = best, best_ps


def _place(session: Session, genome: Genome, parent: Genes, latency_ps: int) -> tuple[Genes, int]:
    """The inner strategy: a better placement of the same partitioning, and its latency."""
    idle = 0
    while idle < PATIENCE:
        children = [_mutated(genome, parent, session.rng) for _ in range(INNER)]
        measured = session.evaluate_batch([genome.decode(child) for child in children])
        found = [result.latency_ps for result in measured]
        best = int(np.argmin(found))
        idle = 0 if found[best] < latency_ps else idle + 1
        if found[best] <= latency_ps:
            parent, latency_ps = children[best], found[best]
    return parent, latency_ps


def _repartition(genome: Genome, genes: Genes, rng: np.random.Generator) -> Genes:
    """Counts after a random part of the extra cores has moved between layers and the unused."""
    counts = genes[: genome.n_layers]
    extra = np.append(counts - genome.fewest, genome.n_cores - counts.sum())
    moved = int(rng.integers(1, max(2, int(MOVED * extra[:-1].sum()) // 4 + 2)))
    for _ in range(moved):
        giver = rng.choice(np.flatnonzero(extra > 0)) if extra.any() else None
        if giver is None:
            break
        extra[giver] -= 1
        extra[rng.integers(len(extra))] += 1
    return genome.repair(genome.fewest + extra[:-1], fallback=counts, rng=rng)


def _mutated(genome: Genome, genes: Genes, rng: np.random.Generator) -> Genes:
    """A copy after a swap, an inversion or a scramble of the permutation, equally likely."""
    kind = rng.integers(3)
    if kind == 0:
        return genome.swapped(genes, 1, rng)
    genes = genes.copy()
    order = genes[genome.n_layers :]
    start = int(rng.integers(genes[: genome.n_layers].sum()))
    part = order[start : start + int(rng.integers(2, SEGMENT + 1))]
    part[:] = part[::-1] if kind == 1 else rng.permutation(part)
    return genes


SEGMENT = 8
"""Longest part of the permutation that an inversion or a scramble takes."""
