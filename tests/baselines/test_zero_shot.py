"""`zero-shot`: one evaluation, and what `loihi-gym map --budget 1` does."""

import json

import numpy as np
import pytest
from loihi_gym_baselines.scorer import Scorer, load_scorer
from loihi_gym_baselines.zero_shot import Construction

from loihi_gym import load, make_backend
from loihi_gym.cli import main
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import Session

MEMBERS = [f"family://sparse-mlp/validation/{number}" for number in (8, 18)]


class CountingBackend:
    """Measures by `mesh`, and counts."""

    def __init__(self, name: str) -> None:
        self._mesh = make_backend("mesh", load(name))
        self.name, self.problem, self.asked = "counting", self._mesh.problem, 0

    def evaluate_batch(self, mappings):
        self.asked += len(mappings)
        return self._mesh.evaluate_batch(mappings)

    def evaluate(self, mapping):
        return self.evaluate_batch([mapping])[0]


def test_one_evaluation_beats_the_reference_of_networks_it_never_saw():
    for name in MEMBERS:
        backend = CountingBackend(name)
        with Session(backend, budget=10, seed=0) as session:
            run_solver("zero-shot", session, {})
        assert session.evaluations == 1
        assert backend.asked == 2  # the reference's is free
        assert session.reduction > 0.05


def test_it_follows_from_the_seed():
    backend = make_backend("mesh", load(MEMBERS[1]))
    made = []
    for seed in (0, 0, 1):
        with Session(backend, budget=1, seed=seed) as session:
            made.append(Construction(session, load_scorer()).best())
    assert made[0] == made[1] != made[2]


def test_a_scorer_that_expects_nothing_leaves_the_reference():
    backend = make_backend("mesh", load(MEMBERS[1]))
    with Session(backend, budget=1, seed=0) as session:
        nothing = Scorer.untrained(np.random.default_rng(0))
        assert Construction(session, nothing).best() == backend.problem.reference_mapping


def test_map_with_a_budget_of_one_is_zero_shot(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["map", MEMBERS[1], "--budget", "1", "--json"])
    assert ended.value.code == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["solver"], found["evaluations"]) == ("zero-shot", 1)
    assert found["reduction"] > 0.05
