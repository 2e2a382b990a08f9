"""`ga`: a genetic algorithm on PyGAD, the reference baseline.

After Pierro et al. (arXiv 2602.04717), who evolved core counts and placement with the chip in the
loop. Here PyGAD keeps the population and selects; the operators are those of `Genome`, since its
own know neither permutations nor core counts. The population begins as several islands, one of each
start, and only the fittest of them is left at the end (`race`): in one population selection would
give up all starts but one long before it shows what they are worth.

Fit is what takes little latency times energy: most swaps on several chips leave the latency as it
is, but not the energy, so selection has a direction where latency gives none.
"""

import warnings
from collections.abc import Sequence
from functools import partial

import numpy as np

from loihi_gym.arrays import Int32Array
from loihi_gym.backends import Measurement
from loihi_gym.benchmarks.references import promising
from loihi_gym.mapping import Mapping, random_mapping
from loihi_gym.search.registry import anytime_if
from loihi_gym.search.session import BudgetSpent, Session

from .genome import Genome
from .race import FROM, race

HEAT = 0.1
"""Part of the budget that a heat of the race gets."""
POPULATION = 40
"""Most mappings that all islands together keep."""
GENERATIONS = 25
"""Least generations that a budget allows; where it is small, the population is smaller."""
IDLE = 10
"""Generations in a row without a mapping never measured before after which evolution ends."""
SURVIVORS = 0.2
"""Part of an island that survives a generation."""
TOURNAMENT = 4
CROSSOVER = 0.1
"""Probability that a child has two parents."""
SWAPS = 1.3
"""Swaps of a mutation, on average."""
RECUT = 0.3
"""Probability that a mutation changes core counts."""
GATHERED = 0.9
"""Part of the swaps that take a piece to a free core close to one of its layer's."""

Population = Int32Array
"""Genes of an island's mappings, (mappings, genes)."""


@anytime_if(unseeded=True)
def solve(session: Session, unseeded: bool = False) -> None:
    """Evolve mappings until the budget is spent.

    Args:
        session: The search.
        unseeded: Start from random mappings, in one population, instead of the race's starts.
    """
    search = _Evolution(session, POPULATION if unseeded else session.budget // GENERATIONS)
    problem, genome = session.problem, search.genome
    if unseeded:
        drawn = [random_mapping(problem, session.rng) for _ in range(POPULATION)]
        first = np.stack([genome.encode(start) for start in drawn])
    else:
        islands = [genome.encode(start)[None] for start in promising(problem, FROM)]
        search.fitness(np.concatenate(islands))  # as one batch
        first = race(session, islands, search.cost, search.evolve, HEAT)
    search.evolve(first, 1, session.budget)


class _Evolution:
    """The operators, and what has been measured."""

    def __init__(self, session: Session, population: int) -> None:
        self.session = session
        self.population = min(max(population, TOURNAMENT), POPULATION)
        self.genome = Genome(session.problem, session.rng)
        self.known: dict[Mapping, int] = {}
        """Latency times energy of each mapping measured so far, ps fJ."""
        self.counts: list[int] = []
        """Number of known mappings after each generation of the present evolution."""

    def cost(self, island: Population) -> float:
        """The cost of an island's fittest mapping, ps fJ."""
        return -max(self.fitness(island))

    def evolve(self, island: Population, islands: int, end: int) -> Population:
        """The island, one of so many, after generations until `end` evaluations are spent."""
        import pygad

        size = max(self.population // islands, len(island))
        parents = island[self.session.rng.integers(len(island), size=size - len(island))]
        first = np.concatenate([island, self._mutants(parents)]) if len(parents) else island
        with warnings.catch_warnings():
            # PyGAD cannot know that our operators ignore its own mutation settings.
            warnings.simplefilter("ignore")
            search = pygad.GA(
                num_generations=self.session.budget,  # `end` comes first
                initial_population=first,
                gene_type=int,
                fitness_func=lambda _, genes, __: self.fitness(genes),
                fitness_batch_size=size,
                num_parents_mating=size,
                parent_selection_type="tournament",
                K_tournament=TOURNAMENT,
                keep_elitism=round(SURVIVORS * size),
                crossover_type=lambda parents, shape, _: self._children(parents, shape[0]),
                mutation_type=lambda children, _: self._mutants(children),
                on_generation=lambda _: None if self._goes_on(end) else "stop",
                random_seed=int(self.session.rng.integers(2**31)),
                suppress_warnings=True,
            )
        self.counts = []
        search.run()
        return np.asarray(search.population, np.int32)

    def _goes_on(self, end: int) -> bool:
        """Whether evaluations are left before `end`, and new mappings to spend them on."""
        self.counts.append(len(self.known))
        idle = len(self.counts) > IDLE and self.counts[-1 - IDLE] == self.counts[-1]
        return not idle and self.session.remaining > 0 and self.session.evaluations < end

    def fitness(self, population: Population) -> list[float]:
        """Minus latency times energy; what the budget no longer pays for is worth nothing."""
        mappings = [self.genome.decode(one) for one in np.atleast_2d(population).astype(np.int32)]
        fresh = [one for one in dict.fromkeys(mappings) if one not in self.known]
        try:
            measured: Sequence[Measurement] = self.session.evaluate_batch(fresh) if fresh else []
        except BudgetSpent as spent:  # PyGAD would print a traceback of what is raised within it
            measured = spent.measured
        self.known |= dict(zip(fresh, map(self._product, fresh, measured), strict=False))
        return [-float(self.known.get(one, np.inf)) for one in mappings]

    def _product(self, mapping: Mapping, measured: Measurement) -> int:
        """Latency times energy, which tells apart most mappings that are equally fast."""
        counted = self.session.recount(mapping, measured.step_times_ps)
        return measured.latency_ps * (counted.energy_fj or 1)  # not every backend has energy

    def _children(self, parents: Population, count: int) -> Population:
        """`count` children of random parents, which PyGAD has selected."""
        rng, children = self.session.rng, []
        for _ in range(count):
            a, b = parents[rng.integers(len(parents), size=2)].astype(np.int32)
            children.append(self.genome.crossover(a, b) if rng.random() < CROSSOVER else a)
        return np.stack(children)

    def _mutants(self, children: Population) -> Population:
        genome = self.genome
        mutate = partial(genome.mutate, swaps=SWAPS, recut=RECUT, gathered=GATHERED)
        return np.stack([genome.changed(child, mutate) for child in children])
