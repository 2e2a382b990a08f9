"""`zero-shot`: one mapping, made by what was learnt on other networks: `loihi-gym map --budget 1`.

From the reference mapping on, the pretrained scorer of `refine` chooses chains of moves, none of
which is measured: each chain is followed to where the scorer expects most, and taken to be as fast
as the reference when the next one begins. Of all ends of chains that is measured of which most is
expected by two views together: what its chains promised one after another, and what the scorer
expects of all that has changed since the reference. If that is nothing, it is the reference itself.
"""

from collections.abc import Sequence

import numpy as np

from loihi_gym.backends import Measurement
from loihi_gym.backends.congestion_kernel import N_FEATURES
from loihi_gym.envs.refine import LoihiRefine
from loihi_gym.envs.refine_kernel import CHANGE, MOST
from loihi_gym.envs.refine_moves import CONTEXT_FEATURES, MOVE_FEATURES
from loihi_gym.mapping import Mapping
from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session

from .chains import CHAIN
from .refine_search import first_scorer
from .scorer import Observation, Scorer, inputs

CANDIDATES = 32
"""Moves of which one is chosen."""
CHAINS = 10
"""Chains, one after another."""
TRIES = 4
"""Times that the reference is begun from."""
CHANGED = CONTEXT_FEATURES.index(MOVE_FEATURES[N_FEATURES])
"""Where the context says what has changed."""


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
    session.evaluate(Construction(session, first_scorer(session, False, weights)).best())


class Construction:
    """Mappings that a scorer leads to from the reference, without measuring any.

    Args:
        session: The search.
        scorer: What was learnt.
    """

    def __init__(self, session: Session, scorer: Scorer) -> None:
        problem = session.problem
        self._session, self._scorer, self._reference = session, scorer, problem.reference_mapping
        self._env = LoihiRefine(
            benchmark=problem,
            backend=Supposing(session),
            hold=False,
            candidates=CANDIDATES,
            chain=CHAIN,
            max_steps=CHAIN + 1,
            max_layers=max(problem.n_layers, 32),
        )
        self._first, _ = self._env.reset(seed=int(session.rng.integers(1 << 31)))
        self._base = self._env.state.offer.here

    def best(self) -> Mapping:
        """The mapping of which most is expected."""
        most, best = 0.0, self._reference
        for _ in range(TRIES):
            mapping, promised = self._reference, 0.0
            for _ in range(CHAINS):
                expected, mapping = self._end_of_chain(mapping)
                promised += expected
                total = promised + self._expected_since_the_reference(mapping)
                if total > most:
                    most, best = total, mapping
        return best

    def _end_of_chain(self, start: Mapping) -> tuple[float, Mapping]:
        """The mapping of which most is expected along a chain, after that."""
        observation, _ = self._env.reset(options={"mapping": start})
        most, end = -np.inf, start
        for _ in range(CHAIN):
            possible = np.flatnonzero(self._env.action_masks()[:-1])
            if len(possible) == 0:
                break
            with self._session.ask_surrogate(len(possible)):
                expected = self._scorer(inputs(observation)[possible])
            observation = self._env.step(np.int64(possible[expected.argmax()]))[0]
            if expected.max() > most:
                most, end = float(expected.max()), self._env.mapping
        return (most if np.isfinite(most) else 0.0), end

    def _expected_since_the_reference(self, mapping: Mapping) -> float:
        """What the scorer expects of a mapping as if it were one move away from the reference."""
        self._env.reset(options={"mapping": mapping})
        seen: Observation = self._first | {"context": self._first["context"].copy()}
        changed = CHANGE * (self._env.state.offer.here - self._base)
        seen["context"][CHANGED : CHANGED + N_FEATURES] = np.clip(changed, -MOST, MOST)
        with self._session.ask_surrogate(1):
            return float(self._scorer(self._scorer.unmoved(seen))[0])
