"""The learning solvers. They need the extra ``rl``; `make test` installs it."""

import json
from dataclasses import asdict
from itertools import permutations

import numpy as np
import pytest

pytest.importorskip("stable_baselines3", reason="needs the extra 'rl'")
import torch
from loihi_gym_baselines import load_policy, pretraining
from loihi_gym_baselines.mesh_cnn import MeshCNN
from loihi_gym_baselines.refine_policy import MOVES, SHARPNESS
from loihi_gym_baselines.scorer import inputs

from loihi_gym import Mapping, load, make_backend
from loihi_gym.envs.observation import Layout
from loihi_gym.envs.refine import LoihiRefine
from loihi_gym.search.recorder import Recorder
from loihi_gym.search.registry import run_solver
from loihi_gym.search.run import Config, resume, search
from loihi_gym.search.session import Session
from tests.baselines.toy import optimum, toy_of_four_cores

PLACING = ["ppo", "maskable-ppo", "dqn"]
"""Those that act in `LoihiPlace-v0`."""
NAMES = [*PLACING, "refine-ppo"]
pytestmark = pytest.mark.filterwarnings("default::UserWarning")  # of SB3, about GPUs and rollouts


@pytest.mark.parametrize("name", NAMES)
def test_a_learning_solver_spends_its_budget_and_repeats_itself(name, tmp_path):
    config = Config(name, "mlp-xs", budget=300, seed=1, backend="bound")
    outcome = search(config, tmp_path / "a")
    assert outcome.evaluations == 300
    assert outcome.reduction >= 0.0  # the reference is the first it measures
    search(config, tmp_path / "b")
    traces = [(tmp_path / name / "trace.jsonl").read_bytes() for name in "ab"]
    assert traces[0] == traces[1]


@pytest.mark.parametrize("name", PLACING)
def test_a_learner_finds_the_best_placement_of_a_toy(name):
    """Of the reference's core counts, which the environment cannot change."""
    backend = make_backend("mesh", toy_of_four_cores())
    counts = backend.problem.reference_mapping.cores_per_layer
    placements = permutations(range(backend.problem.topology.n_cores), int(counts.sum()))
    expected = min(backend.evaluate(Mapping(counts, one)).latency_ps for one in placements)
    assert expected < backend.evaluate(backend.problem.reference_mapping).latency_ps
    with Session(backend, budget=300, seed=0) as session:
        run_solver(name, session, {})
    assert session.best.latency_ps == expected


@pytest.mark.parametrize("name", ["maskable-ppo", "dqn", "refine-ppo"])
def test_a_killed_learner_goes_on_as_if_it_had_not_been(name, tmp_path):
    expected = search(Config(name, "mlp-xs", budget=300), tmp_path / "whole")
    killed = tmp_path / "killed"
    killed.mkdir()
    (killed / "config.json").write_text((tmp_path / "whole" / "config.json").read_text())
    trace = (tmp_path / "whole" / "trace.jsonl").read_text()
    (killed / "trace.jsonl").write_text("".join(trace.splitlines(keepends=True)[:150]))
    outcome = resume(killed)
    assert outcome.summary() == expected.summary()
    assert outcome.costs.measured < expected.costs.measured
    assert (killed / "trace.jsonl").read_text() == trace


@pytest.mark.parametrize("name", ["ppo", "maskable-ppo", "refine-ppo"])
def test_learning_begins_alike_whatever_its_budget(name, tmp_path):
    """PPO's settings do not depend on how long it will learn; DQN's exploration does."""
    traces = []
    for budget in (600, 1100):  # a policy is first updated after 512 steps
        out = tmp_path / str(budget)
        out.mkdir()
        with Session(make_backend("bound", load("mlp-xs")), budget, 0, Recorder(out)) as session:
            run_solver(name, session, {})
        traces.append((out / "trace.jsonl").read_text().splitlines())
    assert traces[0] == traces[1][:600]


def test_refining_finds_the_optimum_of_a_toy_and_ends_where_all_is_known():
    with Session(make_backend("mesh", toy_of_four_cores()), budget=100, seed=0) as session:
        run_solver("refine-ppo", session, {})
    assert session.best.latency_ps == optimum()
    assert session.evaluations < 100


def test_one_policy_scores_as_the_scorer_does_and_serves_any_number_of_candidates():
    scorer = load_policy("refine")
    env = LoihiRefine(benchmark="mlp-xs", backend="bound", candidates=5)
    observation, _ = env.reset(seed=0)
    policy = load_policy("refine-ppo", candidates=5)
    seen = policy.obs_to_tensor(observation)[0]
    with torch.no_grad():
        logits = policy.mlp_extractor(policy.extract_features(seen))[0][0].numpy()
        observation, *_ = env.step(np.int64(0))
        later = policy.obs_to_tensor(observation)[0]
        moved = policy.mlp_extractor(policy.extract_features(later))[0][0].numpy()
    assert logits[5] < -1e8  # nothing to commit yet
    rows = np.concatenate([inputs(observation), scorer.unmoved(observation)])
    expected = SHARPNESS * scorer(rows)
    expected[5] += np.log(5 / MOVES)
    assert moved == pytest.approx(expected, abs=1e-3)


def test_pretraining_is_done_once_changes_no_draw_and_its_cost_is_reported(tmp_path, monkeypatch):
    monkeypatch.setenv("LOIHI_GYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pretraining, "STEPS", 2048)
    monkeypatch.setattr(pretraining, "NETWORKS", 2)
    config = Config("maskable-ppo", "mlp-xs", 60, backend="bound", options={"pretrained": True})
    spent = []
    for name in "ab":
        outcome = search(config, tmp_path / name)
        assert outcome.evaluations == 60
        assert outcome.costs.surrogate_calls == 0
        spent.append(outcome.costs.pretraining)
        monkeypatch.setattr(pretraining, "_train", None)  # a second training would fail
    assert spent[0] == spent[1]
    traces = [(tmp_path / name / "trace.jsonl").read_bytes() for name in "ab"]
    assert traces[0] == traces[1]
    assert spent[0].calls >= 2048
    assert spent[0].cpu_seconds > 0
    (note,) = (tmp_path / "cache").glob("*.json")
    assert json.loads(note.read_text()) == asdict(spent[0])


def test_pretraining_changes_what_is_tried(tmp_path, monkeypatch):
    monkeypatch.setenv("LOIHI_GYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pretraining, "STEPS", 2048)
    monkeypatch.setattr(pretraining, "NETWORKS", 2)
    for pretrained in (False, True):
        options = {"pretrained": pretrained}
        config = Config("ppo", "mlp-xs", 200, backend="bound", options=options)
        outcome = search(config, tmp_path / str(pretrained))
        costs = json.loads((tmp_path / str(pretrained) / "costs.jsonl").read_text())
        used = outcome.costs.pretraining
        assert costs["pretraining"] == (asdict(used) if pretrained else None)
    a, b = ((tmp_path / name / "trace.jsonl").read_bytes() for name in ("False", "True"))
    assert a != b


def test_the_network_sees_cores_where_they_are():
    """Moving what is on two cores of one router port moves the image's pixels, nothing else."""
    problem = load("mlp-xs")
    layout = Layout(problem.topology, 16)
    space = layout.space("flat")
    network = MeshCNN(space, problem.topology)
    seen = {}
    network._mesh.register_forward_hook(lambda _, inputs, __: seen.update(image=inputs[0]))
    zeros = {key: torch.zeros(1, *box.shape) for key, box in space.spaces.items()}
    core = 13
    zeros["send"][0, core] = 1.0
    features = network(zeros)
    assert features.shape == (1, 128)
    mesh, image = problem.topology, seen["image"][0].detach().numpy()
    assert image.shape[1:] == (mesh.height, mesh.width)
    channel, y, x = np.argwhere(image == 1.0)[0]
    assert (image != 0).sum() == 1
    assert (y, x) == (mesh.core_y[core], mesh.core_x[core])
    assert channel % (int(mesh.core_port.max()) + 1) == mesh.core_port[core]
