"""`greedy`: a sweep of the number of cores, then one core more or less for one layer at a time.

The layers around the measured bottleneck come first, which decides where the budget ends within a
round; of a whole round the best is taken. Chance plays no part. The search ends where none helps.
"""

from itertools import product

import numpy as np

from loihi_gym.backends import Measurement
from loihi_gym.mapping import Mapping, full_order, with_counts
from loihi_gym.mapping.heuristics import balanced, in_order
from loihi_gym.mapping.orders import ORDERS
from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session

from .genome import Genome

PERCENTS = (100, 90, 80, 70, 60, 50)
"""Numbers of cores swept, of the chip's."""


@anytime
def solve(session: Session) -> None:
    """Sweep, then improve the best until nothing helps or the budget is spent."""
    genome = Genome(session.problem, session.rng)
    session.evaluate_batch(_sweep(genome))
    improved = True
    while improved:
        assert session.best is not None
        assert session.best_mapping is not None
        before = session.best.latency_ps
        session.evaluate_batch(_recuts(genome, session.best_mapping, session.best))
        improved = session.best.latency_ps < before


def _sweep(genome: Genome) -> list[Mapping]:
    """The reference, and balanced partitionings of fewer and fewer cores, in every order."""
    problem = genome.problem
    cuts = [balanced(problem, percent) for percent in PERCENTS]
    return [problem.reference_mapping] + [
        in_order(problem, counts, order(problem.topology))
        for counts, order in product(cuts, ORDERS.values())
    ]


def _recuts(genome: Genome, mapping: Mapping, measured: Measurement) -> list[Mapping]:
    """The mapping with a core more or less for each layer, those around the bottleneck first."""
    counts, worst = mapping.cores_per_layer, _bottleneck_layer(genome, mapping, measured)
    layers = sorted(range(genome.n_layers), key=lambda layer: abs(layer - worst))
    found = []
    for layer, change in product(layers, (1, -1)):
        new = counts.copy()
        new[layer] += change
        if new.sum() > genome.n_cores:  # taken from the layer that has most time
            spare = np.where(np.arange(genome.n_layers) == layer, np.iinfo(np.int64).max, 0)
            new[np.argmin(np.array(genome.work(counts)) + spare)] -= 1
        if not genome.fits(new):
            continue
        along = full_order(mapping, genome.n_cores)[: new.sum()]
        found += [with_counts(mapping, new, genome.n_cores), Mapping(new, along)]
    return found


def _bottleneck_layer(genome: Genome, mapping: Mapping, measured: Measurement) -> int:
    """Layer of the core the slowest step waited for; of the longest work if it was a link."""
    slowest = measured.bottleneck
    place = np.flatnonzero(mapping.placement == (slowest.index if slowest is not None else -1))
    if slowest is None or slowest.term == "link" or len(place) == 0:
        return int(np.argmax(genome.work(mapping.cores_per_layer)))
    ends = np.cumsum(mapping.cores_per_layer)
    return int(np.searchsorted(ends, place[0], side="right"))
