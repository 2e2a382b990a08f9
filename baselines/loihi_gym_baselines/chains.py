"""`Chains`: what the searches on `LoihiRefine-v0` have in common.

A turn takes a mapping that was measured before (`Flood` says which) and changes it by a chain of
moves that `LoihiRefine-v0` offers, chosen without measuring, or now and then changes the cores per
layer. What comes of it is measured, at one evaluation, and is a mapping to go on from, too.
"""

from collections.abc import Sequence

import numpy as np

from loihi_gym.arrays import Float64Array
from loihi_gym.backends import Measurement
from loihi_gym.envs.refine import LoihiRefine
from loihi_gym.mapping import Mapping
from loihi_gym.search.session import Session

from .flood import Flood, first_mappings
from .genome import Genome
from .surrogate import Surrogate, fit

CANDIDATES = 16
"""Moves of which one is chosen."""
CHAIN = 7
"""Moves between two measurements, at most."""
LENGTHS = (range(1, 2), range(2, 4), range(4, CHAIN + 1))
"""How many moves a chain has that does not decide this itself: first which range, then which."""
RECUT = 1 / 3
"""Part of the children that have other cores per layer."""
CUTS = 8
"""Partitionings of which the model chooses one."""
SAMPLE = 1000
"""Newest mappings the model is fitted to."""
ATTEMPTS = 5
"""Children drawn until one is measured again: on a toy all have been."""


class Remembering:
    """A session that is not asked twice: what it has measured begins a chain at no evaluation.

    Args:
        session: What measures.
    """

    def __init__(self, session: Session) -> None:
        self.name, self.problem, self.reference = session.name, session.problem, session.reference
        self._session = session
        self.known: dict[Mapping, Measurement] = {}

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping, unless that is known."""
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure those that are not known, each once."""
        new = [one for one in dict.fromkeys(mappings) if one not in self.known]
        self.known |= zip(new, self._session.evaluate_batch(new) if new else [], strict=True)
        return [self.known[one] for one in mappings]


class Chains:
    """What has been measured, and how it is changed.

    Args:
        session: The search; a random mapping or the standard heuristics are measured at once.
        start: What it begins from, see `flood.first_mappings`.
        guided: Whether a model of what was measured chooses among partitionings, as `map`'s does.
        recut: Part of the children that have other cores per layer.

    Attributes:
        backend: What environments measure with.
        flood: What has been measured.
    """

    def __init__(
        self, session: Session, start: str, guided: bool = True, recut: float = RECUT
    ) -> None:
        self.session, self.backend, self.flood = session, Remembering(session), Flood()
        self._guided, self._recut = guided, recut
        self._genome = Genome(session.problem, session.rng)
        self._surrogate = Surrogate(self._genome)
        self._described: list[Float64Array] = []
        self._there: set[Mapping] = set()
        firsts = first_mappings(session.problem, start, session.rng)
        for lineage, mapping in enumerate(firsts):
            self.flood_with(mapping, self.backend.evaluate(mapping), lineage)

    def environment(self) -> LoihiRefine:
        """An environment in which chains of this search run; its episodes do not end."""
        problem = self.session.problem
        env = LoihiRefine(
            benchmark=problem,
            backend=self.backend,
            hold=False,
            candidates=CANDIDATES,
            chain=CHAIN,
            max_steps=1 << 30,
            max_layers=max(problem.n_layers, 32),
        )
        env.reset(seed=int(self.session.rng.integers(1 << 31)))
        return env

    def flood_with(self, mapping: Mapping, measured: Measurement, lineage: int) -> None:
        """Take in a mapping that was measured, unless it is there."""
        if mapping in self._there:
            return
        self._there.add(mapping)
        self.flood.add(mapping, measured.latency_ps, lineage)
        if self._guided:
            with self.session.ask_surrogate(0):
                self._described.append(self._surrogate.describe(self._genome.encode(mapping)))

    def wants_recut(self) -> bool:
        """Whether the next child has other cores per layer, by chance."""
        return bool(self.session.rng.random() < self._recut)

    def length(self) -> int:
        """How many moves the next chain has, by chance."""
        chosen = LENGTHS[int(self.session.rng.integers(len(LENGTHS)))]
        return int(self.session.rng.integers(chosen.start, chosen.stop))

    def recut(self, parent: Mapping) -> Mapping:
        """A mapping with other cores per layer, the best of some by the model if there is one."""
        genes = self._genome.encode(parent)
        if not self._guided:
            return self._genome.decode(self._genome.recuts(genes))
        children = [self._genome.recuts(genes) for _ in range(CUTS)]
        with self.session.ask_surrogate(CUTS):
            latencies = np.log(np.array(self.flood.latencies_ps[-SAMPLE:], np.float64))
            model = fit(np.array(self._described[-SAMPLE:]), latencies)
            described = np.array([self._surrogate.describe(child) for child in children])
            return self._genome.decode(children[int(np.argmin(model.predict(described)))])
