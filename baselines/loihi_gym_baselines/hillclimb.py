"""`hillclimb`: swaps, core moves and changes of core counts; what is no slower is kept."""

from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session

from .genome import Genome


@anytime
def solve(session: Session) -> None:
    """Climb from the reference mapping until the budget is spent."""
    genome = Genome(session.problem, session.rng)
    genes = genome.encode(session.problem.reference_mapping)
    latency_ps = session.evaluate(session.problem.reference_mapping).latency_ps
    while True:
        changed = genome.neighbour(genes)
        found_ps = session.evaluate(genome.decode(changed)).latency_ps
        if found_ps <= latency_ps:
            genes, latency_ps = changed, found_ps
