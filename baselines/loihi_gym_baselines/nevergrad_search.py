"""`nevergrad`: an optimiser that nobody here wrote, as a check of those that we did.

Package `nevergrad` (Meta AI) chooses its algorithm by dimension and budget: `NgIohTuned` is its
wizard for whoever knows nothing of the problem. It moves the point of `cma_search` in a box, with
settings all its own. It knows its budget, so a smaller one is another search.
"""

import warnings

import numpy as np

from loihi_gym.search.registry import needs
from loihi_gym.search.session import Session

from .cma_search import decode, encode
from .genome import Genome

LARGEST_SHARE = 1.5
"""Of a layer's cores in the box, as part of all: above 1, so that one layer can take nearly all."""
INSIDE = 1e-3
"""How far the first point is kept from the box's walls, where the package's transforms end."""


@needs("nevergrad", "nevergrad")
def solve(session: Session) -> None:
    """Search around the reference mapping until the budget is spent."""
    import nevergrad

    genome = Genome(session.problem, session.rng)
    shares = np.full(genome.n_layers + 1, np.log(0.5 / (genome.n_cores + genome.n_layers + 1)))
    low = np.append(shares, np.zeros(genome.n_cores))
    high = np.append(np.full_like(shares, np.log(LARGEST_SHARE)), np.ones(genome.n_cores))
    start = (encode(genome, genome.encode(session.problem.reference_mapping)) - low) / (high - low)
    start = np.clip(start, INSIDE, 1.0 - INSIDE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of algorithms that it tries on its own
        box = nevergrad.p.Array(init=start, lower=0.0, upper=1.0)
        box.random_state = np.random.RandomState(session.seed % 2**32)
        optimizer = nevergrad.optimizers.NgIohTuned(box, budget=session.budget)
        optimizer.suggest(start)
        while True:
            asked = optimizer.ask()
            point = low + asked.value * (high - low)
            measured = session.evaluate(genome.decode(decode(genome, point)))
            optimizer.tell(asked, measured.latency_ps / session.reference.latency_ps)
