"""Pretraining: it repeats itself, goes on after a kill, and refuses what is not its own."""

import json

import numpy as np
import pytest
from loihi_gym_baselines.refine_pretraining import (
    PLAN,
    MeasuredMoves,
    _fitted,
    _problem,
    _result,
    pretrain,
)
from loihi_gym_baselines.scorer import CARD, INPUTS, WEIGHTS, load_scorer

from loihi_gym.errors import RunError

TINY = {"seed": 3, "rounds": 2, "networks": 2, "evaluations": 28}


class KilledError(Exception):
    """What stands for a kill."""


def quietly(note: str, done: int, total: int) -> None:
    pass


def made_by(card: dict) -> dict:
    """A card but for the time it took."""
    return {name: value for name, value in card.items() if name != "cpu_seconds"}


def test_a_killed_training_goes_on_and_ends_with_the_same_weights(tmp_path):
    whole = pretrain(tmp_path / "whole", **TINY, update=quietly)

    def kill(note: str, done: int, total: int) -> None:
        if done == 3:
            raise KilledError

    killed = tmp_path / "killed"
    with pytest.raises(KilledError):
        pretrain(killed, **TINY, update=kill)
    assert not (killed / WEIGHTS).exists()
    before = {path: path.stat().st_mtime_ns for path in killed.glob("moves-*")}
    card = pretrain(killed, **TINY, update=quietly)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (killed / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()
    assert made_by(card) == made_by(whole) == made_by(json.loads((killed / CARD).read_text()))
    assert card["measured"] == 4 * 28
    assert 0 < card["moves"] < card["measured"]
    load_scorer(str(killed / WEIGHTS))


def test_a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty and holds no training"):
        pretrain(tmp_path, **TINY, update=quietly)
    (tmp_path / PLAN).write_text(json.dumps(TINY | {"seed": 4}))
    with pytest.raises(RunError, match="holds another training"):
        pretrain(tmp_path, **TINY, update=quietly)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt", PLAN]


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / PLAN).write_text(json.dumps(TINY))
    (tmp_path / "moves-0000.npz").write_bytes(b"PK\x03\x04 half of it")
    with pytest.raises(RunError, match=r"moves-0000\.npz cannot be read: remove it"):
        pretrain(tmp_path, **TINY, update=quietly)


def test_a_fit_finds_what_rewards_follow_from():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(9000, INPUTS)).astype(np.float32)
    rewards = (rows[:, 5] > 0.5).astype(np.float32)
    scorer = _fitted(MeasuredMoves(rows[:8000], rewards[:8000], 0, 0.0), rng)
    result = _result(scorer(rows[8000:]).astype(float), rewards[8000:].astype(float))
    assert result["auc"] > 0.9
    assert result["correlation"] > 0.7


def test_the_result_counts_pairs_in_the_right_order():
    expected, rewards = np.array([0.3, 0.1, 0.2, 0.0]), np.array([1.0, -1.0, 0.5, -2.0])
    assert _result(expected, rewards)["auc"] == 1.0
    assert _result(-expected, rewards)["auc"] == 0.0
    assert _result(np.zeros(4), rewards)["correlation"] == 0.0


def test_networks_are_of_the_train_parts_by_turns():
    assert _problem(2).name == "family://sparse-mlp/train/2"
    assert _problem(5).name == "family://sparse-mlp-chips/train/5"
