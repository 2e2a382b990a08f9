"""The scorer of moves: its arithmetic, its fits, its files, and the policy in it."""

import json
from pathlib import Path

import loihi_gym_baselines
import numpy as np
import pytest
from loihi_gym_baselines.scorer import (
    CARD,
    FARTHEST,
    INPUTS,
    SIZES,
    WEIGHTS,
    Adam,
    Scorer,
    inputs,
    load_scorer,
    packed,
    training_of,
    unpacked,
)

import loihi_gym
from loihi_gym.envs.refine import LoihiRefine
from loihi_gym.errors import RunError, UnknownNameError

PACKAGE = Path(str(loihi_gym_baselines.__file__)).parent


def drawn(seed: int = 0) -> Scorer:
    rng = np.random.default_rng(seed)
    scorer = Scorer.untrained(rng)
    scorer.tensors["weight-2"][:] = rng.normal(size=(SIZES[2], 1))
    scorer.tensors["mean"][:] = rng.normal(size=INPUTS)
    scorer.tensors["spread"][:] = rng.uniform(0.5, 2.0, INPUTS)
    return scorer


def test_the_network_is_what_a_slow_twin_computes():
    scorer, rows = drawn(), np.random.default_rng(1).normal(0.0, 5.0, (7, INPUTS))
    rows = rows.astype(np.float32)
    for row, found in zip(rows, scorer(rows), strict=True):
        values = [
            max(min((float(x) - float(m)) / float(s), FARTHEST), -FARTHEST)
            for x, m, s in zip(row, scorer.tensors["mean"], scorer.tensors["spread"], strict=True)
        ]
        for i in range(3):
            weight, bias = scorer.tensors[f"weight-{i}"], scorer.tensors[f"bias-{i}"]
            values = [
                sum(v * float(weight[a, b]) for a, v in enumerate(values)) + float(bias[b])
                for b in range(len(bias))
            ]
            values = [max(v, 0.0) for v in values] if i < 2 else values
        assert found == pytest.approx(values[0], rel=1e-3, abs=1e-3)


def test_slopes_are_those_of_differences():
    scorer, rng = drawn(), np.random.default_rng(2)
    wide = Scorer({name: part.astype(np.float64) for name, part in scorer.tensors.items()})
    rows, rewards = rng.normal(size=(5, INPUTS)), rng.normal(size=5)

    def loss() -> float:
        return float(0.5 * ((wide(rows) - rewards) ** 2).mean())

    slopes = Adam(wide, 1e-3)._slopes(rows, rewards)
    for name, slope in slopes.items():
        at = tuple(int(rng.integers(n)) for n in slope.shape)
        part, step = wide.tensors[name], 1e-6
        part[at] += step
        above = loss()
        part[at] -= 2 * step
        below = loss()
        part[at] += step
        assert slope[at] == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-7)


def test_a_fit_learns_what_there_is_to_learn_and_leaves_what_it_began_with():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(512, INPUTS)).astype(np.float32)
    rewards = np.maximum(rows[:, 0], rows[:, 1])
    first = Scorer.untrained(rng)
    assert (first(rows) == 0.0).all()
    adam = Adam(first, 1e-2)
    for _ in range(150):
        some = rng.integers(len(rows), size=64)
        adam.step(rows[some], rewards[some])
    assert np.corrcoef(adam.scorer(rows), rewards)[0, 1] > 0.95
    assert (first(rows) == 0.0).all()


def test_weights_are_the_same_after_they_were_a_file(tmp_path):
    scorer = drawn()
    (tmp_path / "a.safetensors").write_bytes(packed(scorer))
    again = load_scorer(str(tmp_path / "a.safetensors"))
    assert packed(again) == packed(scorer)
    assert all((again.tensors[name] == part).all() for name, part in scorer.tensors.items())


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"\xff" * 20])
def test_a_file_that_holds_no_scorer_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(RunError, match="cannot be read: not a safetensors file") as error:
        load_scorer(str(path))
    assert "\n" not in str(error.value)
    with pytest.raises(RunError, match="No such file"):
        load_scorer(str(tmp_path / "b.safetensors"))


def test_weights_of_another_shape_are_refused(tmp_path):
    scorer = drawn()
    scorer.tensors["weight-1"] = scorer.tensors["weight-1"][:-1].copy()
    with pytest.raises(ValueError, match=r"no tensor 'weight-1' of shape \(64, 64\)"):
        unpacked(packed(scorer))


def test_the_weights_that_come_along_are_small_and_their_card_is_of_them():
    import hashlib

    data, card = (PACKAGE / WEIGHTS).read_bytes(), json.loads((PACKAGE / CARD).read_text())
    assert len(data) < 1_000_000
    assert card["sha256"] == hashlib.sha256(data).hexdigest()
    assert card["cpu_seconds"] < 30 * 60
    assert card["measured"] == card["rounds"] * card["networks"] * card["evaluations"]
    assert card["result"]["auc"] > 0.7
    assert all("/train" in address for address in card["trained_on"])
    cost = training_of()
    assert (cost.calls, cost.cpu_seconds) == (card["measured"], card["cpu_seconds"])


def test_a_loaded_policy_refines_a_network_it_never_saw():
    policy = loihi_gym_baselines.load_policy("refine")
    assert policy(np.zeros((1, INPUTS), np.float32)).shape == (1,)
    address = loihi_gym.family("sparse-mlp").validation[18]
    env = LoihiRefine(benchmark=address, max_steps=200)
    observation, info = env.reset(seed=0)
    over, commits = False, 0
    while not over:
        action, _ = policy.predict(observation)
        assert info["action_mask"][action]
        commits += action == 16
        observation, _, over, _, info = env.step(action)
    assert 0 < commits <= info["evaluations"] + 1
    assert info["best_reduction"] > 0.1


def test_the_policy_commits_where_nothing_is_left_to_move():
    env = LoihiRefine(benchmark="mlp-xs", backend="bound", chain=1)
    env.reset(seed=0)
    observation = env.step(np.int64(0))[0]
    scorer = Scorer.untrained(np.random.default_rng(0))
    assert scorer.predict(observation) == (16, None)
    nothing = {name: np.zeros_like(part) for name, part in observation.items()}
    assert scorer.predict(nothing) == (16, None)


def test_what_is_seen_leaves_out_where_the_episode_stands():
    env = LoihiRefine(benchmark="mlp-xs", backend="bound", max_steps=10)
    observation, _ = env.reset(seed=0)
    moved = {name: part.copy() for name, part in observation.items()}
    moved["context"][1:4] = 0.7  # best, progress, chain
    assert inputs(observation).shape == (16, INPUTS)
    assert (inputs(observation) == inputs(moved)).all()


def test_an_unknown_policy_is_refused():
    with pytest.raises(UnknownNameError, match="refine-ppo"):
        loihi_gym_baselines.load_policy("refine-pp")
