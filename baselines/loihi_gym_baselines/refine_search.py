"""`refine`: chains of moves that a pretrained scorer chooses, which learns on the way.

Each move is that of 16 of which the scorer (`scorer`) expects most. It comes with weights that were
trained on other networks (`refine_pretraining`), and is fitted to what this search measures after
every few evaluations, old ones replayed. `Chains` says what is changed, and when cores per layer
are. With ``--uniform`` moves are drawn instead, and nothing is learnt: what the rest is worth.
"""

from typing import NamedTuple

import numpy as np

from loihi_gym.arrays import Float32Array
from loihi_gym.envs.refine import LEAST_REWARD, MOST_REWARD, PERCENT
from loihi_gym.mapping import Mapping
from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session

from .chains import ATTEMPTS, Chains
from .scorer import Adam, Scorer, inputs, load_scorer, training_of

BATCH = 4
"""Mappings measured between two fits."""
DRAWN = 1 / 6
"""Part of the chains whose moves are drawn, so that the scorer hears of others than its own."""
RATE, DECAY = 1e-3, 1e-3
"""Of the fits to what is measured."""
REPLAYED, FITS = 64, 8
"""Rows in a step of a fit, and steps after each batch."""
LEAST_ROWS = 32
"""Rows from which on there are fits."""


class Child(NamedTuple):
    """A mapping to be measured.

    Attributes:
        mapping: The mapping.
        parent: Index of the one that was changed.
        row: What the scorer sees of the last move, (INPUTS,); None without a move.
    """

    mapping: Mapping
    parent: int
    row: Float32Array | None


@anytime
def solve(
    session: Session,
    uniform: bool = False,
    from_scratch: bool = False,
    weights: str = "",
    start: str = "default",
) -> None:
    """Chains of moves chosen by a pretrained scorer that learns on the way.

    Args:
        session: The search.
        uniform: Whether moves are drawn instead, and nothing is learnt.
        from_scratch: Whether the scorer begins untrained.
        weights: File of its weights, as `loihi-gym pretrain refine` writes it; those that come with
            the package if it is empty.
        start: ``default``, ``random``, or the name of a standard heuristic.
    """
    scorer = None if uniform else first_scorer(session, from_scratch, weights)
    RefineSearch(session, scorer, start).run()


def first_scorer(session: Session, from_scratch: bool, weights: str) -> Scorer:
    """What a search knows at first; the cost of its training is put down."""
    if from_scratch:
        return Scorer.untrained(session.rng)
    session.costs.pretraining = training_of(weights)
    return load_scorer(weights)


class RefineSearch:
    """A search whose moves a scorer chooses.

    Args:
        session: The search.
        scorer: What it knows at first; None to draw moves.
        start: What it begins from.
        drawn: Part of the chains whose moves are drawn.
        learns: Whether the scorer is fitted to what is measured.
        recut: As in `Chains`.

    Attributes:
        rows: What the scorer has seen of each measured chain's last move, (INPUTS,) each.
        rewards: What came of them.
    """

    def __init__(
        self,
        session: Session,
        scorer: Scorer | None,
        start: str = "default",
        drawn: float = DRAWN,
        learns: bool = True,
        recut: float | None = None,
    ) -> None:
        self.session, self._drawn, self._learns = session, drawn, learns
        further = {} if recut is None else {"recut": recut}
        self.chains = Chains(session, start, guided=scorer is not None, **further)
        self._env = self.chains.environment()
        self._adam = None if scorer is None else Adam(scorer, RATE, DECAY)
        self.rows: list[Float32Array] = []
        self.rewards: list[float] = []

    def run(self) -> None:
        """Search until the budget is spent."""
        flood = self.chains.flood
        for lineage in flood.turns(BATCH):
            children: list[Child] = []
            for _ in range(BATCH):
                children.append(self._new_child(lineage, [one.mapping for one in children]))
            measured = self.session.evaluate_batch([one.mapping for one in children])
            for child, found in zip(children, measured, strict=True):
                before = flood.latencies_ps[child.parent]
                self.chains.backend.known[child.mapping] = found
                self.chains.flood_with(child.mapping, found, flood.lineages[child.parent])
                if child.row is not None:
                    self.rows.append(child.row)
                    self.rewards.append(reward(before, found.latency_ps))
            self._learn()

    def _new_child(self, lineage: int | None, others: list[Mapping]) -> Child:
        """A child that is not known, if there is one."""
        for _ in range(ATTEMPTS):
            child = self._child(lineage)
            if child.mapping not in self.chains.backend.known and child.mapping not in others:
                break
        return child

    def _child(self, lineage: int | None) -> Child:
        """A changed copy of the mapping whose turn it is."""
        parent = self.chains.flood.lowest(lineage)
        mapping = self.chains.flood.mappings[parent]
        if self.chains.wants_recut():
            return Child(self.chains.recut(mapping), parent, None)
        return Child(*self._chain(mapping, parent))

    def _chain(self, mapping: Mapping, parent: int) -> tuple[Mapping, int, Float32Array | None]:
        """A mapping after a chain of moves, and what describes the last one."""
        env, row = self._env, None
        drawn = self._adam is None or self.session.rng.random() < self._drawn
        observation, _ = env.reset(options={"mapping": mapping})
        for _ in range(self.chains.length()):
            possible = np.flatnonzero(env.action_masks()[:-1])
            if len(possible) == 0:
                break
            seen = inputs(observation)
            if drawn:
                action = int(self.session.rng.choice(possible))
            else:
                action = int(possible[np.argmax(self._expected(seen[possible]))])
            row = seen[action]
            observation = env.step(np.int64(action))[0]
        return env.mapping, parent, row

    def _expected(self, rows: Float32Array) -> Float32Array:
        assert self._adam is not None
        with self.session.ask_surrogate(len(rows)):
            return self._adam.scorer(rows)

    def _learn(self) -> None:
        """Fit the scorer to moves that were measured, the newest no more than the oldest."""
        if self._adam is None or not self._learns or len(self.rows) < LEAST_ROWS:
            return
        with self.session.ask_surrogate(0):
            rows, rewards = np.array(self.rows), np.array(self.rewards, np.float32)
            for _ in range(FITS):
                some = self.session.rng.integers(len(rows), size=REPLAYED)
                self._adam.step(rows[some], rewards[some])


def reward(before_ps: int, found_ps: int) -> float:
    """The reward of `LoihiRefine-v0` for a commit."""
    return float(np.clip(np.log(before_ps / found_ps) / PERCENT, LEAST_REWARD, MOST_REWARD))
