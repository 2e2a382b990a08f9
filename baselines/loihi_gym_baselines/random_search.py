"""`random`: random legal core counts at random places. The floor that every solver must beat."""

from loihi_gym.mapping import random_mapping
from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session

BATCH = 64


@anytime
def solve(session: Session) -> None:
    """Draw mappings until the budget is spent."""
    while True:
        session.evaluate_batch([random_mapping(session.problem, session.rng) for _ in range(BATCH)])
