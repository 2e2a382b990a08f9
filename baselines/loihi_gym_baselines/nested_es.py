"""`nested-es`: the nested (1+lambda) evolution strategy of Pierro et al. (arXiv 2602.04717).

The outer strategy evolves the partitioning: how many cores beyond the fewest each layer gets, and
how many stay unused. The inner one evolves the placement, a permutation of the physical cores, for
each partitioning in turn. The reordering operator, or every other time the order of the cores,
carries the best placement over to a new partitioning. The two strategies, their mutations and the
reordering are the paper's. Ours are the numbers below, the race of starts, the second way to carry
placements over, mutations of what each core holds, and that equals do not replace their parent.
"""

from functools import partial
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from loihi_gym.benchmarks.references import promising
from loihi_gym.errors import unknown
from loihi_gym.mapping import heuristic, random_mapping
from loihi_gym.mapping.heuristics import TOOLCHAIN_DEFAULT
from loihi_gym.search.registry import anytime_if
from loihi_gym.search.session import Session

from .genome import Genes, Genome
from .race import FROM, race

STARTS = ("default", "random", "toolchain")
HEAT = 0.2
"""Part of the budget that a heat of the race gets."""
OUTER = 16
"""Partitionings per generation of the outer strategy."""
PLACED = 2
"""How many new partitionings, the fastest at first measurement, have their placements searched."""
INNER = 5
"""Placements per generation of the inner strategy."""
BEHIND = 1.1
"""A new partitioning that is slower than the best by this factor is not placed."""
PATIENCE = 4
"""How long a placement search may stall. The best partitioning's stops after PATIENCE inner
generations without progress, plus PATIENCE / 2 for each stalled outer generation; a child's after
one per stalled outer generation."""
KINDS = (0.8, 0.1, 0.1)
"""Parts of the mutations of a placement that are swaps, inversions and scrambles."""
SWAPS = 1.3
"""Swaps of a mutation that swaps, on average."""
GATHERED = 0.9
"""Part of these swaps that take a piece to a free core close to one of its layer's."""
SEGMENT = 4
"""Most cores that an inversion or a scramble takes."""


class _Parent(NamedTuple):
    genes: Genes
    latency_ps: int


LATENCY = attrgetter("latency_ps")


@anytime_if(start="random")
def solve(session: Session, start: str = "default") -> None:
    """Evolve partitionings, and placements for each of them, until the budget is spent.

    Args:
        session: The search.
        start: ``default`` begins with the standard heuristics and a few more, which race;
            ``toolchain`` with what Intel's toolchain would do; ``random`` with one random mapping.

    Raises:
        UnknownNameError: if there is no such start.
        IllegalMappingError: if the toolchain's default does not fit.
    """
    if start not in STARTS:
        raise unknown("start", start, list(STARTS))
    genome = Genome(session.problem, session.rng)
    if start != "default":
        first = (
            random_mapping(session.problem, session.rng)
            if start == "random"
            else heuristic(session.problem, TOOLCHAIN_DEFAULT)
        )
        state = _measured(session, genome, [genome.encode(first)])[0]
    else:
        firsts = [genome.encode(mapping) for mapping in promising(session.problem, FROM)]
        state = race(
            session,
            _measured(session, genome, firsts),
            LATENCY,
            lambda one, _, end: _evolve(session, genome, one, end),
            HEAT,
        )
    _evolve(session, genome, state, session.budget + 1)


def _evolve(session: Session, genome: Genome, parent: _Parent, end: int) -> _Parent:
    """The outer strategy, until that many evaluations are spent."""
    idle = 0
    while session.evaluations < end:
        parent = _place(session, genome, parent, PATIENCE + PATIENCE * idle // 2, end)
        recut = [genome.changed(parent.genes, genome.recuts) for _ in range(OUTER)]
        children = _measured(session, genome, recut)[:PLACED]
        close = [child for child in children if child.latency_ps < BEHIND * parent.latency_ps]
        placed = [_place(session, genome, child, idle, end) for child in close]
        best = min(placed or children, key=LATENCY)
        idle = 0 if best.latency_ps < parent.latency_ps else idle + 1
        parent = min(parent, best, key=LATENCY)  # of equals the parent: drift costs progress
    return parent


def _place(session: Session, genome: Genome, parent: _Parent, patience: int, end: int) -> _Parent:
    """The inner strategy: a better placement of the same partitioning, and its latency."""
    idle = 0
    while idle < patience and session.evaluations < end:
        children = [genome.changed(parent.genes, partial(_mutated, genome)) for _ in range(INNER)]
        best = _measured(session, genome, children)[0]
        idle = 0 if best.latency_ps < parent.latency_ps else idle + 1
        parent = min(parent, best, key=LATENCY)  # of equals the parent: drift costs progress
    return parent


def _measured(session: Session, genome: Genome, genes: list[Genes]) -> list[_Parent]:
    """Mappings with their latencies, the fastest first."""
    measured = session.evaluate_batch([genome.decode(one) for one in genes])
    found = [_Parent(one, result.latency_ps) for one, result in zip(genes, measured, strict=True)]
    return sorted(found, key=LATENCY)


def _mutated(genome: Genome, genes: Genes) -> Genes:
    """A copy after a swap, an inversion or a scramble.

    Inversions and scrambles take a few cores side by side, so the permutation is read as what each
    core holds. Read as which core each piece takes, they would mostly exchange pieces of one layer,
    which changes next to nothing.
    """
    rng = genome.rng
    kind = rng.choice(len(KINDS), p=KINDS)
    if kind == 0:
        return genome.swapped(genes, int(rng.geometric(1.0 / SWAPS)), GATHERED)
    counts, order = genome.split(genes)
    holds = np.argsort(order)
    start = int(rng.integers(genome.n_cores))
    part = holds[start : start + int(rng.integers(2, SEGMENT + 1))]
    part[:] = part[::-1] if kind == 1 else rng.permutation(part)
    return genome.join(counts, np.argsort(holds))
