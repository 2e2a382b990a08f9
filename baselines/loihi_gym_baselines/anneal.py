"""`anneal`: simulated annealing whose temperature is taken from what its own moves change.

After Kirkpatrick et al. (Science 220, 1983), with the usual rule for the start: a first sample of
moves sets the temperature at which a small one of their worsenings is accepted with a chance of one
in ten. It falls geometrically with the part of the budget that is spent.
"""

import math

import numpy as np

from loihi_gym.search.session import Session

from .genome import Genes, Genome

SAMPLE = 20
"""Moves that set the temperature."""
SMALL = 0.05
"""The worsening that sets the temperature, as a quantile of the sample's: most swaps on several
chips change little or nothing, and the others much, so a median would be far too hot there."""
ACCEPTED = 0.1
"""Chance of that worsening at the start."""
COOLING = 0.02
"""Temperature at the end, as a part of that at the start."""


def solve(session: Session) -> None:
    """Anneal from the reference mapping until the budget is spent."""
    genome = Genome(session.problem, session.rng)
    genes = genome.encode(session.problem.reference_mapping)
    latency_ps = session.evaluate(session.problem.reference_mapping).latency_ps
    hot = _hot(session, genome, genes, latency_ps)
    while True:
        changed = genome.neighbour(genes)
        found_ps = session.evaluate(genome.decode(changed)).latency_ps
        temperature = hot * COOLING ** (session.evaluations / session.budget)
        worse = found_ps - latency_ps
        if worse <= 0 or session.rng.random() < math.exp(-worse / temperature):
            genes, latency_ps = changed, found_ps


def _hot(session: Session, genome: Genome, genes: Genes, latency_ps: int) -> float:
    """The temperature to start with, in ps."""
    moved = [genome.decode(genome.neighbour(genes)) for _ in range(SAMPLE)]
    change = np.array([m.latency_ps - latency_ps for m in session.evaluate_batch(moved)])
    worse = change[change > 0]
    return float(np.quantile(worse, SMALL)) / -math.log(ACCEPTED) if len(worse) else 1.0
