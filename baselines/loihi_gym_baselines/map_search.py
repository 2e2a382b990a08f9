"""`map`: search guided by a model of latency, the strongest solver here; `loihi-gym map` runs it.

It starts from the reference and other promising heuristics (`promising`), with few cores and with
many. Each further candidate is one mapping measured before and changed in one of `KINDS`: other
core counts, swapped cores, or both, the choice of a model of latency (`surrogate`) among a few that
were drawn, anywhere or where links are busy; or a change without the model: where the two disagree
the measurement has the last word. A bandit takes the kinds that have paid on this problem more
often. The model learns from every measurement.

Which start is worth most shows only some way down. So their lineages race at first (`RACE`): the
fastest ones are given equal numbers of candidates, then fewer go on with more. After that the
search floods the landscape like water: it always changes the mapping that lies lowest, but each
child has raised its parent by `FATIGUE`. So a fast mapping is searched around for as long as others
are not about as fast, no valley is left for good, and nothing depends on the budget. On one chip it
ends early once it has stalled at what is proven to be the best.
"""

from itertools import count
from typing import NamedTuple

import numpy as np

from loihi_gym.arrays import Float64Array
from loihi_gym.backends.congestion_kernel import LEAST_US, N_FEATURES
from loihi_gym.benchmarks.references import promising
from loihi_gym.bounds import lower_bound
from loihi_gym.mapping import Mapping
from loihi_gym.search.registry import anytime
from loihi_gym.search.run import SIMULATED
from loihi_gym.search.session import Session

from .flood import Flood
from .genome import Genes, Genome
from .race import FROM
from .surrogate import Model, PlacedCut, Surrogate, fit
from .surrogate_kernel import descend, heat

RACE = ((6, 12), (2, 80))
"""The heats of the race: how many lineages, and how many candidates each of them gets."""
SAMPLE = 1000
"""Newest mappings the model is fitted to."""
BATCH = 4
"""Candidates measured between two fits."""
ATTEMPTS = 50
"""Candidates drawn for a batch before one is measured again."""
FATIGUE = 0.004
"""Added to a mapping's height, the logarithm of its latency, for each child that it has had."""


class Kind(NamedTuple):
    """A kind of change.

    Attributes:
        recut: Whether core counts change.
        swaps: How many swaps the model chooses, drawn from these.
        blind: Swaps drawn without the model.
        gathered: Part of these that take a piece close to another of its layer.
        directed: Whether pieces whose messages pass busy links are swapped more often.
    """

    recut: bool = False
    swaps: range = range(1)
    blind: int = 0
    gathered: float = 0.0
    directed: bool = False


KINDS = (
    Kind(blind=1),
    Kind(blind=1, gathered=1.0),
    Kind(swaps=range(1, 2)),
    Kind(swaps=range(2, 4)),
    Kind(swaps=range(4, 8)),
    Kind(swaps=range(1, 2), directed=True),
    Kind(swaps=range(2, 4), directed=True),
    Kind(recut=True),
    Kind(recut=True, swaps=range(1, 2)),
)
"""Changes of which a bandit chooses: those that often make a mapping faster more often."""
EVEN = 0.3
"""Part of the choices that are equally likely, whatever has paid."""
MEMORY = 0.98
"""What is left of a trial's weight after the next trial of its kind."""
STALLED = 300
"""Evaluations without progress after which the search asks whether there is any left."""
CROSSOVER = 0.05
"""Part of the candidates that have two parents."""
CUTS = 4
"""Partitionings of which the model chooses one."""
TRIES = 16
"""Swaps of which the model chooses one."""


@anytime
def solve(session: Session) -> None:
    """Search until the budget is spent."""
    search = _SurrogateSearch(session)
    search.start()
    for lineage in search.flood.turns(BATCH):
        search.step(lineage)
        if search.proven():
            break


class _SurrogateSearch:
    """What has been measured, and the model of it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.genome = Genome(session.problem, session.rng)
        self.surrogate = Surrogate(self.genome)
        self.flood = Flood(RACE, FATIGUE)
        self.genes: list[Genes] = []  # of the flood's mappings
        self.fastest_at = 0  # among these
        self.described = np.zeros((0, self.surrogate.size))
        self.seen: set[Mapping] = set()
        self.tried = np.full(len(KINDS), 4.0)
        self.paid = np.full(len(KINDS), 1.0)

    def start(self) -> None:
        """Measure the reference and the most promising heuristics."""
        firsts = promising(self.session.problem, FROM)
        self.seen.update(firsts)
        found = [self.genome.encode(mapping) for mapping in firsts]
        self._measure(found, list(range(len(found))))

    def step(self, lineage: int | None = None) -> None:
        """Measure a few changed mappings, of one lineage or of all."""
        with self.session.ask_surrogate(0):
            newest = np.array(self.flood.latencies_ps[-SAMPLE:], np.float64)
            model = fit(self.described, np.log(newest))
        found: list[Genes] = []
        parents: list[int] = []
        kinds: list[int] = []
        for attempt in count():
            if len(found) == BATCH:
                break
            at, kind = self.flood.lowest(lineage), self._kind()
            child = self._child(self.genes[at], KINDS[kind], model, lineage)
            key = self.genome.decode(child)
            if key not in self.seen or attempt >= ATTEMPTS:  # on a toy all have been seen
                self.seen.add(key)
                found.append(child)
                parents.append(at)
                kinds.append(kind)
        self._measure(found, [self.flood.lineages[at] for at in parents])
        latencies = self.flood.latencies_ps
        for kind, at, latency_ps in zip(kinds, parents, latencies[-BATCH:], strict=True):
            self._learn(kind, latency_ps < latencies[at])

    def _kind(self) -> int:
        """The number of a kind of change."""
        rates = self.paid / self.tried
        chances = EVEN / len(KINDS) + (1.0 - EVEN) * rates / rates.sum()
        return int(self.session.rng.choice(len(KINDS), p=chances / chances.sum()))

    def _learn(self, kind: int, paid: bool) -> None:
        """Whether a change of a kind made a mapping faster."""
        self.tried[kind] = MEMORY * self.tried[kind] + 1.0
        self.paid[kind] = MEMORY * self.paid[kind] + paid

    def proven(self) -> bool:
        """Whether the fastest mapping is as fast as it is proven that any can be.

        The proof takes seconds, minutes on many chips. So it is looked up on one chip alone, once
        the search has stalled.
        """
        session = self.session
        if session.name not in SIMULATED or session.problem.chip.n_chips > 1:
            return False
        if session.best is None or len(self.genes) - self.fastest_at <= STALLED:
            return False
        return session.best.latency_ps <= lower_bound(session.problem).of(session.name)

    def _measure(self, candidates: list[Genes], lineages: list[int]) -> None:
        """Spend evaluations, and learn from them."""
        mappings = [self.genome.decode(one) for one in candidates]
        measured = self.session.evaluate_batch(mappings)
        for mapping, result, lineage in zip(mappings, measured, lineages, strict=True):
            self.flood.add(mapping, result.latency_ps, lineage)
            if result.latency_ps < self.flood.latencies_ps[self.fastest_at]:
                self.fastest_at = len(self.flood.mappings) - 1
        self.genes += candidates
        with self.session.ask_surrogate(0):
            described = [self.surrogate.describe(one) for one in candidates]
        self.described = np.concatenate([self.described, described])[-SAMPLE:]

    def _child(self, parent: Genes, kind: Kind, model: Model, lineage: int | None) -> Genes:
        """A changed copy of a mapping, now and then crossed with another that lies low."""
        rng, genome = self.session.rng, self.genome
        if rng.random() < CROSSOVER:
            parent = genome.crossover(parent, self.genes[self.flood.lowest(lineage)])
        if kind.recut:
            parent = self._recut(parent, model)
        if kind.blind:
            return genome.swapped(parent, kind.blind, kind.gathered)
        swaps = int(rng.integers(kind.swaps.start, kind.swaps.stop))
        return self._descend(parent, model, swaps, kind.directed)

    def _recut(self, parent: Genes, model: Model) -> Genes:
        """The best, by the model, of several mappings with other core counts."""
        children = [self.genome.recuts(parent) for _ in range(CUTS)]
        with self.session.ask_surrogate(CUTS):
            described = np.array([self.surrogate.describe(child) for child in children])
            return children[int(np.argmin(model.predict(described)))]

    def _descend(self, parent: Genes, model: Model, swaps: int, directed: bool) -> Genes:
        """The parent after as many swaps, each the model's choice of several."""
        draws = self.session.rng.random((swaps, TRIES, 2))
        with self.session.ask_surrogate(swaps * TRIES):
            cut = self.surrogate.placed(parent)
            chances = np.cumsum(self._weights(cut, directed))
            chances /= chances[-1]
            descend(cut.flow, cut.placed, model.weights[:N_FEATURES], draws, chances)
        return self.genome.placed(parent, cut.placed.placement)

    def _weights(self, cut: PlacedCut, directed: bool) -> Float64Array:
        """How often each logical core is to be swapped, relative to the others, (N,)."""
        weights = np.ones(len(cut.flow.layer))
        if directed:
            heat(cut.flow, cut.placed, weights)
            weights += max(weights.mean(), LEAST_US) / 4  # now and then one that is not hot
        return weights
