"""`map`: the mapping, please. The best search known to us; default of `loihi-gym map`.

It starts from several core orders, each with all and with fewer cores, and learns from every
measurement a model of latency (`surrogate`). Each further candidate comes from one of the fastest
mappings so far, or two: now and then with other core counts, the model's choice of several; then
swapped along the model's descent, a longer or shorter way. The model judges dozens of mappings for
each one measured; a fifth of the candidates is changed without it. What is measured corrects the
model and the elite, so where the two disagree, the measurement has the last word.
"""

from itertools import count, permutations

import numpy as np

from loihi_gym.mapping import Mapping
from loihi_gym.mapping.heuristics import balanced

from .genome import Genes, Genome
from .session import Session
from .surrogate import Model, Surrogate, fit
from .surrogate_kernel import N_FEATURES, anneal

PERCENTS = (100, 80)
"""Numbers of cores of the first mappings, of the chip's."""
SAMPLE = 400
"""Fastest mappings the model is fitted to."""
ATTEMPTS = 50
"""Candidates drawn for a batch before one is measured again."""
BATCH = 4
"""Candidates measured between two fits."""
PRESSURE = 1.5
"""Exponent by which faster mappings of the elite are chosen more often; 1 is no preference."""
ELITE = 20
"""Fastest mappings that candidates come from, at most."""
GROWTH = 40
"""Evaluations after which there is one more of them; two at the beginning."""
CROSSOVER = 0.1
"""Part of the candidates that have two parents."""
BLIND = 0.2
"""Part of the candidates that the model has no say in."""
SWAPS = 1.3
"""Swaps of those, on average."""
CUTS = 3
"""Partitionings of which the model chooses one."""
LONGEST = 7
"""The longest descent tries 2 to this power of swaps."""
COLD = 1e-9
"""Temperature of a descent, in the model's logarithm: only what it likes is done."""
RECUT = (0.5, 0.15)
"""Part of the candidates with other core counts, at the beginning and at the end."""


def solve(session: Session) -> None:
    """Search until the budget is spent."""
    search = _Search(session)
    search.measure(search.first())
    while True:
        search.measure(search.candidates())


class _Search:
    """What has been measured, and the model of it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.genome = Genome(session.problem)
        self.surrogate = Surrogate(session.problem)
        self.genes: list[Genes] = []
        self.latencies: list[float] = []
        self.descriptions: list[np.ndarray] = []
        self.seen: set[Mapping] = set()

    def first(self) -> list[Genes]:
        """The reference mapping, and the orders of cores with all and with fewer cores."""
        genome, mesh = self.genome, self.session.problem.topology
        reference = genome.encode(self.session.problem.reference_mapping)
        keys = {"x": mesh.core_x, "y": mesh.core_y, "port": mesh.core_port}
        orders = [np.lexsort([keys[k] for k in names]) for names in permutations(keys)]
        cuts = [balanced(self.session.problem, percent) for percent in PERCENTS]
        starts = [np.concatenate([c, o]).astype(np.int32) for o in orders for c in cuts]
        return [reference, *starts]

    def candidates(self) -> list[Genes]:
        """Mappings that the model expects to be fast, from different parents."""
        fastest = np.argsort(self.latencies, kind="stable")
        sample = fastest[:SAMPLE].tolist()
        described = np.array([self.descriptions[k] for k in sample])
        model = fit(described, np.array([self.latencies[k] for k in sample]))
        spent = self.session.evaluations / self.session.budget
        recut = RECUT[0] + (RECUT[1] - RECUT[0]) * spent
        elite = fastest[: min(ELITE, 2 + len(self.latencies) // GROWTH)]
        found: list[Genes] = []
        for attempt in count():
            if len(found) == BATCH:
                break
            child = self._child(elite.tolist(), recut, model)
            key = self.genome.decode(child)
            if key not in self.seen or attempt >= ATTEMPTS:  # on a toy all have been seen
                self.seen.add(key)
                found.append(child)
        return found

    def measure(self, candidates: list[Genes]) -> None:
        """Spend evaluations, and learn from them."""
        measured = self.session.evaluate_batch([self.genome.decode(one) for one in candidates])
        for genes, result in zip(candidates, measured, strict=False):
            self.genes.append(genes)
            self.latencies.append(result.latency_ps * 1e-6)
            self.descriptions.append(self.surrogate.describe(genes))

    def _child(self, elite: list[int], recut: float, model: Model) -> Genes:
        """A candidate from one or two of the elite."""
        rng, genome = self.session.rng, self.genome
        parent = self.genes[elite[int(len(elite) * rng.random() ** PRESSURE)]]
        if rng.random() < CROSSOVER:
            other = self.genes[elite[int(rng.integers(len(elite)))]]
            parent = genome.crossover(parent, other, rng)
        if rng.random() < BLIND:
            return genome.mutate(parent, SWAPS, recut, rng)
        if rng.random() < recut:
            parent = self._recut(parent, model)
        return self._descend(parent, model)

    def _recut(self, parent: Genes, model: Model) -> Genes:
        """The best, by the model, of several mappings with other core counts."""
        children = []
        for _ in range(CUTS):
            child = parent
            for _ in range(self.session.rng.geometric(0.5)):
                child = self.genome.recut(child, self.session.rng)
            children.append(child)
        with self.session.ask_surrogate(CUTS):
            described = np.array([self.surrogate.describe(child) for child in children])
            return children[int(np.argmin(model.predict(described)))]

    def _descend(self, parent: Genes, model: Model) -> Genes:
        """The parent after the swaps, of those tried, that the model likes."""
        rng, layers = self.session.rng, self.genome.n_layers
        tries = int(2.0 ** rng.uniform(0.0, LONGEST))
        with self.session.ask_surrogate(tries):
            cut = self.surrogate.placed(parent)
            everything = np.arange(len(cut.placed.placement))
            weights = model.weights[:N_FEATURES]
            anneal(cut.flow, cut.placed, weights, everything, COLD, COLD, rng.random((tries, 3)))
        return _with_placement(parent, cut.placed.placement, layers)


def _with_placement(genes: Genes, placement: np.ndarray, layers: int) -> Genes:
    """The genes with used cores replaced; the others follow in their old order."""
    order = genes[layers:]
    others = order[~np.isin(order, placement)]
    return np.concatenate([genes[:layers], placement, others]).astype(np.int32)
