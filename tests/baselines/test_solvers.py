"""What holds for every solver of this package."""

import json
from dataclasses import replace
from statistics import median

import pytest

from loihi_gym import load, make_backend
from loihi_gym.chip import load_chip
from loihi_gym.comparison.plan import contender
from loihi_gym.errors import UnknownNameError
from loihi_gym.mapping import heuristic
from loihi_gym.mapping.heuristics import FIRST_RELEASE, heuristic_names
from loihi_gym.search.recorder import Recorder
from loihi_gym.search.registry import is_bundled, run_solver, solver_names
from loihi_gym.search.run import Config, resume, search
from loihi_gym.search.session import Session
from tests.baselines.toy import optimum, toy_of_four_cores
from tests.toys import problem_of, toy_chip, toy_network

STOCHASTIC = [
    *("random", "hillclimb", "anneal", "nested-es", "nested-es:start=random"),
    *("ga", "ga:unseeded", "cma", "map"),
    *("refine", "refine:uniform", "refine:from-scratch"),
]
WALKING = ["random-walk"]
"""Solvers that cannot change core counts."""
ONE_SHOT = ["zero-shot"]
"""Solvers that measure one mapping."""
LEARNING = ["ppo", "maskable-ppo", "dqn", "refine-ppo"]
OPTIONAL = ["nevergrad"]
"""Solvers of packages that may be absent: test_nevergrad_search.py."""
FIXED = ["lava-default", "packed", "balanced", "greedy"]


def run(label: str, backend, budget: int, seed: int = 0, out=None) -> Session:
    one = contender(label)
    with Session(backend, budget, seed, Recorder(out)) as session:
        run_solver(one.solver, session, one.options)
    return session


def test_all_solvers_are_tested():
    labels = [*STOCHASTIC, *WALKING, *ONE_SHOT, *LEARNING, *FIXED, *OPTIONAL]
    tested = {label.split(":")[0] for label in labels}
    ours = {name for name in solver_names() if is_bundled(name)}
    assert ours == tested


@pytest.mark.parametrize("label", STOCHASTIC)
def test_a_stochastic_solver_finds_the_optimum_of_a_toy(label):
    session = run(label, make_backend("mesh", toy_of_four_cores()), budget=600)
    assert session.best is not None
    assert session.best.latency_ps == optimum()


@pytest.mark.parametrize("label", [*STOCHASTIC, *WALKING, *FIXED])
def test_a_solver_spends_no_more_than_its_budget_and_repeats_itself(label, tmp_path):
    traces = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        out = tmp_path / name
        out.mkdir()
        session = run(label, make_backend("mesh", load("mlp-xs")), 60, seed, out)
        assert 1 <= session.evaluations <= 60
        if label not in FIXED:
            assert session.evaluations == 60
        traces.append((out / "trace.jsonl").read_bytes())
    assert traces[0] == traces[1]
    assert (traces[0] != traces[2]) == (label not in FIXED)


@pytest.mark.parametrize(
    "label",
    [
        *("random", "hillclimb", "nested-es:start=random", "ga:unseeded", "cma", "greedy", "map"),
        *("random-walk", "refine", "refine:uniform"),
    ],
)
def test_an_anytime_solver_begins_alike_whatever_its_budget(label, tmp_path):
    traces = []
    for budget in (60, 90):
        out = tmp_path / str(budget)
        out.mkdir()
        run(label, make_backend("bound", load("mlp-xs")), budget, out=out)
        traces.append((out / "trace.jsonl").read_text().splitlines())
    assert traces[0][:60] == traces[1][:60]


@pytest.mark.parametrize("label", [*STOCHASTIC, *WALKING, "greedy"])
@pytest.mark.parametrize("kept", [1, 33])
def test_a_killed_run_goes_on_as_if_it_had_not_been(label, kept, tmp_path):
    one = contender(label)
    config = Config(one.solver, "mlp-xs", budget=80, seed=1, options=one.options)
    expected = search(config, tmp_path / "whole")
    trace = (tmp_path / "whole" / "trace.jsonl").read_text()
    killed = tmp_path / "killed"
    killed.mkdir()
    (killed / "config.json").write_text((tmp_path / "whole" / "config.json").read_text())
    lines = trace.splitlines(keepends=True)
    (killed / "trace.jsonl").write_text("".join(lines[:kept]) + lines[kept][:20])
    outcome = resume(killed)
    assert outcome.summary() == expected.summary()
    assert outcome.costs.measured < expected.costs.measured
    assert (killed / "trace.jsonl").read_text() == trace


def test_search_beats_chance_and_the_model_beats_search():
    reduction = {
        label: [
            run(label, make_backend("mesh", load("mlp-xs")), 300, seed).reduction
            for seed in range(3)
        ]
        for label in ("random", "hillclimb", "ga", "map")
    }
    assert max(reduction["random"]) < min(min(reduction[s]) for s in ("hillclimb", "ga", "map"))
    assert sum(reduction["map"]) >= sum(reduction["ga"])


def test_a_larger_mesh_is_never_worse():
    """The same network on a mesh that holds the smaller one.

    1,000 evaluations: at 400 a hill climber is still on its way on the larger one.
    """
    network = toy_network((24, 40, 32, 10), density=0.4)
    small, large = (
        problem_of(network, toy_chip(routers=routers, cores_per_router=2))
        for routers in ((3, 2), (4, 3))
    )
    for label in ("hillclimb", "anneal", "nested-es", "ga", "map"):
        best = {
            problem: median(
                run(label, make_backend("mesh", problem), 1000, seed).best.latency_ps
                for seed in range(3)
            )
            for problem in (small, large)
        }
        assert best[large] <= best[small]


def test_the_heuristics_as_solvers_try_their_orders():
    problem = load("mlp-xs")
    backend = make_backend("mesh", problem)
    tried = 0
    for name in ("lava-default", "packed", "balanced"):
        session = run(name, backend, budget=50)
        own = [each for each in heuristic_names(FIRST_RELEASE) if each.startswith(name)]
        measured = [backend.evaluate(heuristic(problem, each)).latency_ps for each in own]
        assert session.evaluations == len(own)
        assert session.best.latency_ps == min(measured)
        tried += session.evaluations
    assert tried == len(heuristic_names(FIRST_RELEASE))
    one = run("packed:order=hilbert", backend, budget=50)
    assert one.evaluations == 1
    assert one.best_mapping == heuristic(problem, "packed/hilbert")
    with pytest.raises(UnknownNameError, match="packed/hilbrt"):
        run("packed:order=hilbrt", backend, budget=50)


def test_greedy_is_never_worse_than_balanced():
    backend = make_backend("mesh", load("mlp-xs"))
    greedy = run("greedy", backend, budget=500)
    assert greedy.evaluations < 500  # it ends where nothing helps
    assert greedy.best.latency_ps <= run("balanced", backend, budget=500).best.latency_ps


def test_greedy_is_never_worse_than_the_reference():
    """On eight chips the reference is packed: fewer cores than any balanced mapping takes."""
    backend = make_backend("bound", load("mlp-deep-8chip"))
    reference = backend.evaluate(backend.problem.reference_mapping)
    greedy = run("greedy", backend, budget=100)
    assert greedy.evaluations == 100
    assert greedy.best.latency_ps <= reference.latency_ps


def test_surrogates_are_counted_apart(tmp_path):
    outcome = search(Config("map", "mlp-xs", budget=60), tmp_path / "run")
    assert outcome.evaluations == 60
    assert outcome.costs.surrogate_calls > 60
    costs = json.loads((tmp_path / "run" / "costs.jsonl").read_text())
    assert costs["surrogate_calls"] == outcome.costs.surrogate_calls
    assert 0 < costs["surrogate_cpu_seconds"] < costs["cpu_seconds"]
    assert outcome.costs.measured <= 60


def test_solvers_work_on_several_chips():
    """Chips whose counts do not add up: more cores than neurons, coreless routers."""
    chip = replace(load_chip("kapoho-point"), routers=(3, 2), chips=(2, 1), coreless_routers=())
    problem = problem_of(toy_network((24, 40, 10)), chip)
    for label in ("hillclimb", "nested-es", "ga", "cma", "map", "refine", "greedy"):
        session = run(label, make_backend("mesh", problem), 80)
        assert problem.check(session.best_mapping) == []
