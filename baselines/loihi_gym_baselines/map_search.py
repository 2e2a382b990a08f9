"""`map`: search guided by a model of latency, the strongest solver here; `loihi-gym map` runs it.

It starts from the reference and several core orders, each with all and with fewer cores. Each
further candidate is one mapping measured before and changed in one of `KINDS`: other core counts,
swapped cores, or both, the choice of a model of latency (`surrogate`) among a few that were drawn.
The model learns from every measurement, and a sixth of the candidates is changed without it: where
the two disagree the measurement has the last word.

Which start is worth most shows only some way down. So their lineages race at first (`RACE`): the
fastest ones are given equal numbers of candidates, then fewer go on with more. After that the
search floods the landscape like water: it always changes the mapping that lies lowest, but each
child has raised its parent by `FATIGUE`. So a fast mapping is searched around for as long as others
are not about as fast, no valley is left for good, and nothing depends on the budget.
"""

from itertools import count, permutations

import numpy as np

from loihi_gym.backends.congestion_kernel import N_FEATURES
from loihi_gym.mapping import Mapping
from loihi_gym.mapping.heuristics import balanced
from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session

from .genome import Genes, Genome
from .surrogate import Model, Surrogate, fit
from .surrogate_kernel import descend

PERCENTS = (100, 80)
"""Numbers of cores of the first mappings, of the chip's."""
RACE = ((8, 12), (4, 24), (3, 200), (2, 300))
"""The heats of the race: how many lineages, and how many candidates each of them gets."""
BEHIND = 2.0
"""A lineage that is slower than the fastest by this factor is out of the race."""
SAMPLE = 1000
"""Newest mappings the model is fitted to."""
BATCH = 4
"""Candidates measured between two fits."""
ATTEMPTS = 50
"""Candidates drawn for a batch before one is measured again."""
FATIGUE = 0.006
"""Added to a mapping's height, the logarithm of its latency, for each child that it has had."""
KINDS = (
    (False, None),
    (False, range(1, 2)),
    (False, range(2, 4)),
    (False, range(4, 8)),
    (True, range(1)),
    (True, range(1, 2)),
)
"""Changes, equally likely: whether core counts change, and how many swaps the model chooses; None
for one swap without it."""
CROSSOVER = 0.05
"""Part of the candidates that have two parents."""
CUTS = 8
"""Partitionings of which the model chooses one."""
TRIES = 16
"""Swaps of which the model chooses one."""


@anytime
def solve(session: Session) -> None:
    """Search until the budget is spent."""
    search = _SurrogateSearch(session)
    search.start()
    for entrants, candidates in RACE:
        for lineage in search.fastest(entrants):
            for _ in range(candidates // BATCH):
                search.step(lineage)
    while True:
        search.step()


class _SurrogateSearch:
    """What has been measured, and the model of it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.genome = Genome(session.problem, session.rng)
        self.surrogate = Surrogate(self.genome)
        self.genes: list[Genes] = []
        self.lineages: list[int] = []
        self.targets = np.zeros(0)
        self.heights = np.zeros(0)
        self.described = np.zeros((0, self.surrogate.size))
        self.seen: set[Mapping] = set()

    def start(self) -> None:
        """Measure the reference, and the orders of cores with all and with fewer cores."""
        genome, mesh = self.genome, self.session.problem.topology
        keys = {"x": mesh.core_x, "y": mesh.core_y, "port": mesh.core_port}
        orders = [np.lexsort([keys[k] for k in names]) for names in permutations(keys)]
        cuts = [balanced(self.session.problem, percent) for percent in PERCENTS]
        found = [genome.encode(self.session.problem.reference_mapping)]
        found += [genome.join(cut, order) for order in orders for cut in cuts]
        first = {genome.decode(one): one for one in reversed(found)}  # the reference may be of them
        self.seen.update(first)
        self._measure(list(first.values())[::-1], list(range(len(first))))

    def fastest(self, count: int) -> list[int]:
        """The lineages with the fastest mappings, except those far behind."""
        best = np.full(max(self.lineages) + 1, np.inf)
        np.minimum.at(best, self.lineages, self.targets)
        order = np.argsort(best, kind="stable")[:count]
        return [int(one) for one in order if best[one] < best.min() + np.log(BEHIND)]

    def step(self, lineage: int | None = None) -> None:
        """Measure a few changed mappings, of one lineage or of all."""
        with self.session.ask_surrogate(0):
            model = fit(self.described, self.targets[-SAMPLE:])
        found: list[Genes] = []
        lineages: list[int] = []
        for attempt in count():
            if len(found) == BATCH:
                break
            at = self._lowest(lineage)
            child = self._child(self.genes[at], model, lineage)
            key = self.genome.decode(child)
            if key not in self.seen or attempt >= ATTEMPTS:  # on a toy all have been seen
                self.seen.add(key)
                found.append(child)
                lineages.append(self.lineages[at])
        self._measure(found, lineages)

    def _measure(self, candidates: list[Genes], lineages: list[int]) -> None:
        """Spend evaluations, and learn from them."""
        measured = self.session.evaluate_batch([self.genome.decode(one) for one in candidates])
        targets = np.log([float(result.latency_ps) for result in measured])
        self.genes += candidates
        self.lineages += lineages
        self.targets = np.append(self.targets, targets)
        self.heights = np.append(self.heights, targets)
        with self.session.ask_surrogate(0):
            described = [self.surrogate.describe(one) for one in candidates]
        self.described = np.concatenate([self.described, described])[-SAMPLE:]

    def _lowest(self, lineage: int | None) -> int:
        """Index of the mapping that lies lowest, of a lineage or of all; it is raised a little.

        The newest of equals: so the search drifts where changes make no difference.
        """
        heights = self.heights
        if lineage is not None:
            heights = np.where(np.array(self.lineages) == lineage, heights, np.inf)
        at = len(heights) - 1 - int(np.argmin(heights[::-1]))
        self.heights[at] += FATIGUE
        return at

    def _child(self, parent: Genes, model: Model, lineage: int | None) -> Genes:
        """A changed copy of a mapping, now and then crossed with another that lies low."""
        rng, genome = self.session.rng, self.genome
        if rng.random() < CROSSOVER:
            parent = genome.crossover(parent, self.genes[self._lowest(lineage)])
        recut, swaps = KINDS[int(rng.integers(len(KINDS)))]
        if recut:
            parent = self._recut(parent, model)
        if swaps is None:
            return genome.swapped(parent, 1)
        return self._descend(parent, model, int(rng.integers(swaps.start, swaps.stop)))

    def _recut(self, parent: Genes, model: Model) -> Genes:
        """The best, by the model, of several mappings with other core counts."""
        children = [self.genome.recuts(parent) for _ in range(CUTS)]
        with self.session.ask_surrogate(CUTS):
            described = np.array([self.surrogate.describe(child) for child in children])
            return children[int(np.argmin(model.predict(described)))]

    def _descend(self, parent: Genes, model: Model, swaps: int) -> Genes:
        """The parent after as many swaps, each the model's choice of several."""
        draws = self.session.rng.random((swaps, TRIES, 2))
        with self.session.ask_surrogate(swaps * TRIES):
            cut = self.surrogate.placed(parent)
            descend(cut.flow, cut.placed, model.weights[:N_FEATURES], draws)
        return self.genome.placed(parent, cut.placed.placement)
