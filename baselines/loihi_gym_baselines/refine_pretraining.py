"""Training the scorer that `refine` and `refine-ppo` begin with: ``loihi-gym pretrain refine``.

Searches on the train parts of `sparse-mlp` and `sparse-mlp-chips` (plausible chips), measured on
`mesh`, log what each chain of moves brought. They come in rounds: the first draws all moves, each
further one has most chosen by a scorer fitted to the rounds before, so that it is corrected where
it would go. The last fit is the result. How good such a scorer is on networks it has not seen is
told by what the one before expects of the last round's moves.

Each network's moves are a file of the directory, written whole, and all else follows from these and
the seed: killed and called again, the training goes on and ends with the same weights.
"""

import hashlib
import time
import zipfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from loihi_gym import __version__, family, load, make_backend
from loihi_gym.arrays import Float32Array, Float64Array
from loihi_gym.errors import RunError
from loihi_gym.files import write_bytes
from loihi_gym.mapping import Problem
from loihi_gym.progress_bar import Update
from loihi_gym.search.session import BudgetSpent, Session
from loihi_gym.search.storage import read_json, write_json, writing

from .refine_search import RefineSearch
from .scorer import CARD, INPUTS, WEIGHTS, Adam, Scorer, packed

FAMILIES = ("sparse-mlp", "sparse-mlp-chips")
"""Families whose train parts networks are of, by turns."""
DRAWN = 0.4
"""Part of the chains after the first round whose moves are drawn."""
RECUT = 0.1
"""Part of the children that have other cores per layer: they teach nothing of moves."""
EPOCHS, BATCH, RATE, DECAY = 20, 256, 2e-3, 0.2
"""Of each fit; the rate falls to 0 along a cosine."""
LEAST_SPREAD = 0.02
"""What a feature that hardly changes is divided by."""
PLAN = "plan.json"


@dataclass(frozen=True)
class TrainingPlan:
    """What a training does.

    Attributes:
        seed: Seed of the searches and fits.
        rounds: Rounds.
        networks: Networks of each.
        evaluations: Evaluations on each network.
    """

    seed: int
    rounds: int
    networks: int
    evaluations: int


class MeasuredMoves:
    """What was measured on one network or several.

    Attributes:
        rows: What the scorer sees of each move, (B, INPUTS).
        rewards: What came of it, (B,).
        evaluations: Evaluations spent.
        cpu_seconds: What measuring them took.
    """

    def __init__(
        self, rows: Float32Array, rewards: Float32Array, evaluations: int, cpu_seconds: float
    ) -> None:
        self.rows, self.rewards = rows, rewards
        self.evaluations, self.cpu_seconds = evaluations, cpu_seconds

    @classmethod
    def together(cls, parts: list["MeasuredMoves"]) -> "MeasuredMoves":
        """Several as one."""
        return cls(
            np.concatenate([one.rows for one in parts]),
            np.concatenate([one.rewards for one in parts]),
            sum(one.evaluations for one in parts),
            sum(one.cpu_seconds for one in parts),
        )


def pretrain(
    out: Path, seed: int, rounds: int, networks: int, evaluations: int, update: Update
) -> dict[str, Any]:
    """Train a scorer in a directory, or go on there; writes its weights, and returns their card.

    Args:
        out: New, or that of a training with the same numbers.
        seed: Seed of the searches and fits.
        rounds: Rounds.
        networks: Networks of each round.
        evaluations: Evaluations on each network.
        update: Told how far it is.

    Raises:
        RunError: if the directory holds something else, or cannot be written.
    """
    plan = TrainingPlan(seed, rounds, networks, evaluations)
    _begin(out, plan)
    before = Scorer.untrained(np.random.default_rng(seed))
    seen: list[MeasuredMoves] = []
    fit_seconds, expected = 0.0, np.zeros(0)
    for number in range(rounds):
        found = []
        for index in range(networks):
            found.append(_moves(out, plan, number * networks + index, before if number else None))
            done = number * networks + index + 1
            update(f"round {number + 1} of {rounds}", done, rounds * networks)
        last = MeasuredMoves.together(found)
        expected = before(last.rows).astype(np.float64)
        seen += found
        started = time.process_time()
        before = _fitted(MeasuredMoves.together(seen), np.random.default_rng([seed, number]))
        fit_seconds += time.process_time() - started
    data, moves = packed(before), MeasuredMoves.together(seen)
    card = {
        "name": "refine",
        "what": "expected reward of a move of LoihiRefine-v0 if it were measured then",
        "trained_on": [family(name).train.address for name in FAMILIES],
        "backend": "mesh (simulated)",
        "command": f"loihi-gym pretrain refine --seed {seed} --rounds {rounds} "
        f"--networks {networks} --evaluations {evaluations}",
        **asdict(plan),
        "moves": len(moves.rows),
        "measured": moves.evaluations,
        "cpu_seconds": round(moves.cpu_seconds + fit_seconds, 1),
        "result": _result(expected, last.rewards.astype(np.float64)) | {"moves": len(expected)},
        "version": __version__,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    with writing(out):
        write_bytes(out / WEIGHTS, data)
    write_json(out / CARD, card)
    return card


def _begin(out: Path, plan: TrainingPlan) -> None:
    """Make the directory, or find that it is one of this training.

    Raises:
        RunError: if it is not.
    """
    path = out / PLAN
    if path.exists():
        if read_json(path) != asdict(plan):
            raise RunError(f"{out} holds another training ({PLAN}): give another directory")
        return
    if out.exists() and any(out.iterdir()):
        raise RunError(f"{out} is not empty and holds no training: give another directory")
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    write_json(path, asdict(plan))


def _moves(out: Path, plan: TrainingPlan, number: int, scorer: Scorer | None) -> MeasuredMoves:
    """The moves measured on a network: those in the directory, or measured now.

    Raises:
        RunError: if a file cannot be read or written.
    """
    path = out / f"moves-{number:04}.npz"
    if path.exists():
        try:
            with np.load(BytesIO(path.read_bytes())) as kept:
                return MeasuredMoves(
                    kept["rows"],
                    kept["rewards"],
                    int(kept["evaluations"]),
                    float(kept["cpu_seconds"]),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(f"{path} cannot be read: remove it, and it is made again") from error
    started = time.process_time()
    backend = make_backend("mesh", _problem(number))
    with Session(
        backend, plan.evaluations, (plan.seed * 1_000_003 + number) % (1 << 32)
    ) as session:
        search = RefineSearch(session, scorer, drawn=DRAWN, learns=False, recut=RECUT)
        try:
            search.run()
        except BudgetSpent:
            spent = session.evaluations
    rows = np.array(search.rows, np.float32).reshape(-1, INPUTS)
    seconds = time.process_time() - started
    moves = MeasuredMoves(rows, np.array(search.rewards, np.float32), spent, seconds)
    buffer = BytesIO()
    np.savez(buffer, **vars(moves))
    with writing(path):
        write_bytes(path, buffer.getvalue())
    return moves


def _problem(number: int) -> Problem:
    """The network of that number: of either family by turns."""
    return load(family(FAMILIES[number % len(FAMILIES)]).train[number])


def _fitted(moves: MeasuredMoves, rng: np.random.Generator) -> Scorer:
    """A scorer fitted to moves."""
    rows, rewards = moves.rows, moves.rewards
    scorer = Scorer.untrained(rng)
    scorer.tensors["mean"] = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = rows.std(axis=0, dtype=np.float64).astype(np.float32)
    scorer.tensors["spread"] = np.maximum(spread, np.float32(LEAST_SPREAD))
    adam = Adam(scorer, RATE, DECAY)
    batches = max(len(rows) // BATCH, 1)
    for epoch in range(EPOCHS):
        for batch, some in enumerate(np.array_split(rng.permutation(len(rows)), batches)):
            done = (epoch + batch / batches) / EPOCHS
            adam.step(rows[some], rewards[some], 0.5 * (1.0 + np.cos(np.pi * done)))
    return adam.scorer


def _result(expected: Float64Array, rewards: Float64Array) -> dict[str, float]:
    """How well rewards are expected.

    The correlation, and the area under the ROC curve: how often of two moves, one of which made a
    mapping faster, more is expected of that one.
    """
    better = rewards > 0.0
    ranks = np.argsort(np.argsort(expected, kind="stable"), kind="stable")
    pairs = max(int(better.sum()) * int((~better).sum()), 1)
    wins = ranks[better].sum() - better.sum() * (better.sum() - 1) / 2
    constant = expected.std() == 0.0 or rewards.std() == 0.0
    correlation = 0.0 if constant else float(np.corrcoef(expected, rewards)[0, 1])
    return {"correlation": round(correlation, 3), "auc": round(float(wins / pairs), 3)}
