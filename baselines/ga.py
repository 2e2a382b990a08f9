"""`ga`: a genetic algorithm on PyGAD, the reference baseline.

After Pierro et al. (arXiv 2602.04717), who evolved core counts and placement with the chip in the
loop. Here PyGAD keeps the population and selects; the operators are those of `Genome`, since its
own know neither permutations nor core counts.
"""

import warnings

import numpy as np
import numpy.typing as npt

from loihi_gym.mapping import heuristic, heuristics, random_mapping

from .genome import Genes, Genome
from .registry import anytime
from .session import BudgetSpent, Session

POPULATION = 40
ELITE = 8
TOURNAMENT = 4
CROSSOVER = 0.1
"""Probability that a child has two parents."""
SWAPS = 1.3
"""Swaps of a mutation, on average."""
RECUT = 0.3
"""Probability that a mutation changes core counts."""


@anytime
def solve(session: Session, unseeded: bool = False) -> None:
    """Evolve mappings until the budget is spent.

    Args:
        session: The search.
        unseeded: Start from random mappings instead of the standard heuristics.
    """
    import pygad

    genome = Genome(session.problem)
    with warnings.catch_warnings():
        # PyGAD cannot know that our operators ignore its own mutation settings.
        warnings.simplefilter("ignore")
        search = pygad.GA(
            num_generations=session.budget,  # the budget ends it
            initial_population=_first(genome, session, unseeded),
            gene_type=int,
            fitness_func=lambda _, genes, __: _fitness(genome, session, genes),
            fitness_batch_size=POPULATION,
            num_parents_mating=POPULATION,
            parent_selection_type="tournament",
            K_tournament=TOURNAMENT,
            keep_elitism=ELITE,
            crossover_type=lambda parents, shape, _: _children(genome, session, parents, shape[0]),
            mutation_type=lambda children, _: _mutants(genome, session, children),
            on_generation=lambda _: None if session.remaining else "stop",
            random_seed=session.seed,
            suppress_warnings=True,
        )
    search.run()


def _first(genome: Genome, session: Session, unseeded: bool) -> npt.NDArray[np.int32]:
    """The first population: heuristics and mutants of them, or random mappings."""
    rng, problem = session.rng, session.problem
    if unseeded:
        return np.stack([genome.encode(random_mapping(problem, rng)) for _ in range(POPULATION)])
    seeds = [genome.encode(heuristic(problem, name)) for name in heuristics()]
    parents = rng.integers(len(seeds), size=max(POPULATION - len(seeds), 0))
    mutants = [genome.mutate(seeds[k], SWAPS, RECUT, rng) for k in parents]
    return np.stack(seeds + mutants)


def _fitness(genome: Genome, session: Session, population: Genes) -> list[float]:
    """Minus the latency; what the budget no longer allows to measure is worth nothing."""
    genes = np.atleast_2d(np.asarray(population, np.int32))
    try:
        measured = session.evaluate_batch([genome.decode(one) for one in genes])
    except BudgetSpent:
        measured = []
    worth = [-float(m.latency_ps) for m in measured]
    return worth + [-np.inf] * (len(genes) - len(worth))


def _children(genome: Genome, session: Session, parents: Genes, count: int) -> Genes:
    """`count` children of random parents, which PyGAD has selected."""
    rng, children = session.rng, []
    for _ in range(count):
        a, b = parents[rng.integers(len(parents), size=2)].astype(np.int32)
        children.append(genome.crossover(a, b, rng) if rng.random() < CROSSOVER else a)
    return np.stack(children)


def _mutants(genome: Genome, session: Session, children: Genes) -> Genes:
    return np.stack([genome.mutate(child, SWAPS, RECUT, session.rng) for child in children])
