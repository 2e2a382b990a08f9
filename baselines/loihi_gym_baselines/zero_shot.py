"""`zero-shot`: one mapping, made by what was learnt on other networks: `loihi-gym map --budget 1`.

From the reference mapping on, the pretrained scorer of `refine` chooses chains of moves, none of
which is measured: each chain is followed to where the scorer expects most, and taken to be as fast
as the reference when the next one begins. What came of it is the one evaluation.
"""

from collections.abc import Sequence

import numpy as np

from loihi_gym.backends import Measurement
from loihi_gym.envs.refine import LoihiRefine
from loihi_gym.mapping import Mapping
from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session

from .chains import CHAIN
from .refine_search import first_scorer
from .scorer import Scorer, inputs

CANDIDATES = 32
"""Moves of which one is chosen."""
CHAINS = 10
"""Chains, one after another."""


class Supposing:
    """A backend that takes every mapping to be as fast as the reference, and measures none.

    Args:
        session: Knows the reference's measurement.
    """

    def __init__(self, session: Session) -> None:
        self.name, self.problem, self.reference = session.name, session.problem, session.reference

    def evaluate(self, mapping: Mapping) -> Measurement:
        """The reference's measurement."""
        return self.reference

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """The reference's measurement for each."""
        return [self.reference for _ in mappings]


@anytime
def solve(session: Session, weights: str = "") -> None:
    """One mapping, made by what was learnt on other networks, and measured once.

    Args:
        session: The search.
        weights: As of `refine`.
    """
    session.evaluate(constructed(session, first_scorer(session, False, weights)))


def constructed(session: Session, scorer: Scorer) -> Mapping:
    """The mapping that a scorer leads to from the reference, without measuring any."""
    problem = session.problem
    env = LoihiRefine(
        benchmark=problem,
        backend=Supposing(session),
        hold=False,
        candidates=CANDIDATES,
        chain=CHAIN,
        max_steps=(CHAIN + 1) * CHAINS,
        max_layers=max(problem.n_layers, 32),
    )
    env.reset(seed=int(session.rng.integers(1 << 31)))
    mapping = problem.reference_mapping
    for _ in range(CHAINS):
        mapping = _end_of_chain(session, env, mapping, scorer)
    return mapping


def _end_of_chain(session: Session, env: LoihiRefine, start: Mapping, scorer: Scorer) -> Mapping:
    """The mapping of which most is expected along a chain."""
    observation, _ = env.reset(options={"mapping": start})
    most, end = -np.inf, start
    for _ in range(CHAIN):
        possible = np.flatnonzero(env.action_masks()[:-1])
        if len(possible) == 0:
            break
        with session.ask_surrogate(len(possible)):
            expected = scorer(inputs(observation)[possible])
        observation = env.step(np.int64(possible[expected.argmax()]))[0]
        if expected.max() > most:
            most, end = float(expected.max()), env.mapping
    return end
