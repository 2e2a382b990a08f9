"""`cma`: sep-CMA-ES on random keys, for those who ask what a continuous optimiser makes of it.

A point holds a key per physical core, whose order is the permutation of `Genome`, and the logarithm
of each layer's share of the cores, and of what stays unused. Package `cma` (Hansen et al.); the
separable variant (Ros and Hansen 2008) since a full covariance of 160 dimensions learns too slowly.
"""

import warnings

import numpy as np

from loihi_gym.arrays import Float64Array
from loihi_gym.mapping import Mapping
from loihi_gym.search.registry import anytime, needs
from loihi_gym.search.session import Session

from .genome import Genes, Genome

Point = Float64Array

STEP = 0.1
"""Step size at the start; neighbouring keys are 1 / cores apart."""
SHORT_STEP = 0.002
"""The same on several chips, where only short moves pay (`near`): 0.1 finds nothing there."""

WIDER, WIDEST = 2.0, 1.0
"""Factor of the step size after points that were all mappings measured before; its limit."""
IDLE = 50
"""So many times in a row, and the search ends: a toy has no other mappings."""


@anytime
@needs("compare", "cma")
def solve(session: Session) -> None:
    """Search around the reference mapping until the budget is spent."""
    import cma

    genome = Genome(session.problem, session.rng)
    start = encode(genome, genome.encode(session.problem.reference_mapping))
    session.evaluate(session.problem.reference_mapping)
    step = STEP if session.problem.chip.n_chips == 1 else SHORT_STEP
    generator = np.random.default_rng(session.seed)
    options = {
        "CMA_diagonal": True,
        "seed": np.nan,  # the generator below, not numpy's global one, makes all chance
        "randn": lambda *shape: generator.standard_normal(shape),
        "verbose": -9,
        "verb_log": 0,
        "maxfevals": np.inf,
        "maxiter": np.inf,
        "tolstagnation": np.inf,
        "tolfun": 0,
        "tolfunhist": 0,
        "tolx": 0,
        "tolflatfitness": np.inf,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of settings that we have set on purpose
        strategy = cma.CMAEvolutionStrategy(start, step, options)
    known: dict[Mapping, float] = {}
    idle = 0
    while idle < IDLE:
        points = strategy.ask()
        found = [genome.decode(decode(genome, point)) for point in points]
        fresh = [mapping for mapping in dict.fromkeys(found) if mapping not in known]
        measured = session.evaluate_batch(fresh) if fresh else []
        relative = [one.latency_ps / session.reference.latency_ps for one in measured]
        known |= dict(zip(fresh, relative, strict=True))
        strategy.tell(points, [known[mapping] for mapping in found])
        idle = 0 if fresh else idle + 1
        if not fresh:  # it has settled on mappings that are known
            strategy.sigma = min(WIDER * strategy.sigma, WIDEST)


def encode(genome: Genome, genes: Genes) -> Point:
    """The point of genes, (n_layers + 1 + n_cores,)."""
    counts, order = genome.split(genes)
    keys = np.empty(genome.n_cores)
    keys[order] = (np.arange(genome.n_cores) + 0.5) / genome.n_cores
    shares = np.append(counts, genome.n_cores - counts.sum()) + 0.5
    return np.concatenate([np.log(shares / genome.n_cores), keys])


def decode(genome: Genome, point: Point) -> Genes:
    """The genes that a point stands for, whatever its numbers."""
    shares, keys = np.exp(point[: genome.n_layers + 1]), point[genome.n_layers + 1 :]
    cut = shares / shares.sum() * (genome.n_cores + 0.5 * len(shares)) - 0.5
    # Cores too many are taken from the largest layers.
    counts = genome.repair(np.rint(cut[:-1]).astype(np.int32), genome.fewest, np.argmax)
    return genome.join(counts, np.argsort(keys, kind="stable"))
