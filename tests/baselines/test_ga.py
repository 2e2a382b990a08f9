from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loihi_gym_baselines import ga
from loihi_gym_baselines.genome import Genome
from loihi_gym_baselines.race import FROM

from loihi_gym import load
from loihi_gym.backends import make_backend
from loihi_gym.backends.measurement import EnergyBreakdown
from loihi_gym.benchmarks.references import promising
from loihi_gym.chip.near import near
from loihi_gym.mapping import Problem, random_mapping
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import Session
from tests.toys import examples, problem_of, toy_chip, toy_network, toy_problem

PROBLEMS = [
    toy_problem((12, 16, 10)),
    toy_problem((3, 2, 9, 4), density=0.7),
    problem_of(
        toy_network((20, 24, 10), density=0.3),
        toy_chip(routers=(5, 4), constants={"capacity.synmem_words": 40}),
    ),
]
cases = st.tuples(st.sampled_from(PROBLEMS), st.integers(0, 2**32))


def draw(case: tuple[Problem, int]) -> tuple[Genome, np.random.Generator]:
    problem, seed = case
    rng = np.random.default_rng(seed)
    return Genome(problem, rng), rng


def assert_legal(genome: Genome, genes) -> None:
    assert genome.problem.check(genome.decode(genes)) == []
    assert sorted(genome.split(genes)[1]) == list(range(genome.n_cores))


@examples(60)
@given(cases)
def test_genes_stand_for_one_mapping(case):
    genome, rng = draw(case)
    mapping = random_mapping(genome.problem, rng)
    genes = genome.encode(mapping)
    assert_legal(genome, genes)
    assert genome.decode(genes) == mapping
    counts, order = genome.split(genes)
    assert (counts == mapping.cores_per_layer).all()
    assert (genome.join(counts, order) == genes).all()


@examples(150)
@given(cases, st.floats(0, 1))
def test_a_mutant_is_legal_and_leaves_its_parent_alone(case, recut):
    genome, rng = draw(case)
    parent = genome.encode(random_mapping(genome.problem, rng))
    before = parent.copy()
    child = genome.mutate(parent, swaps=3.0, recut=recut, gathered=0.5)
    assert_legal(genome, child)
    assert (parent == before).all()


@examples(150)
@given(cases)
def test_a_child_is_legal_and_takes_counts_from_its_parents(case):
    genome, rng = draw(case)
    a, b = (genome.encode(random_mapping(genome.problem, rng)) for _ in range(2))
    child = genome.crossover(a, b)
    assert_legal(genome, child)
    counts, of_a, of_b = (genome.split(one)[0] for one in (child, a, b))
    chosen = (counts == of_a) | (counts == of_b)
    # Only where both parents' counts together need more cores than there are is one taken away.
    over = np.maximum(of_a, of_b).sum() > genome.n_cores
    assert over or chosen.all()


def test_mutation_reaches_counts_and_places():
    genome, rng = draw((PROBLEMS[0], 0))
    parent = genome.encode(random_mapping(genome.problem, rng))
    mutants = [genome.mutate(parent, 3.0, 0.5, 0.5) for _ in range(200)]
    recut = [(genome.split(one)[0] != genome.split(parent)[0]).any() for one in mutants]
    assert 0.2 < np.mean(recut) < 0.6
    assert len({child.tobytes() for child in mutants}) > 150


def test_the_ga_begins_with_the_starts():
    problem = load("mlp-xs")
    backend = make_backend("bound", problem)
    firsts = promising(problem, FROM)
    fastest = min(backend.evaluate(mapping).latency_ps for mapping in firsts)
    with Session(backend, budget=len(firsts)) as session:
        run_solver("ga", session, {})
    assert session.best is not None
    assert session.best.latency_ps == fastest


def test_the_ga_beats_random_search_at_equal_budget():
    best = {}
    for solver in ("ga", "random"):
        with Session(make_backend("mesh", load("mlp-xs")), budget=500) as session:
            run_solver(solver, session, {})
        assert session.evaluations == 500
        best[solver] = session.best.latency_ps
    assert best["ga"] < best["random"]


def test_fit_is_what_takes_little_latency_times_energy_whatever_a_chip_measures(monkeypatch):
    problem = load("mlp-xs")
    backend = make_backend("mesh", problem)
    genome = Genome(problem, np.random.default_rng(0))
    genes = np.stack([genome.encode(start) for start in promising(problem, FROM)])
    mappings = [genome.decode(one) for one in genes]
    measured = backend.evaluate_batch(mappings)
    expected = [-one.latency_ps * one.energy_fj for one in measured]
    with Session(backend, budget=99) as session:
        assert ga._Evolution(session, 9).fitness(genes) == expected
    blind = [replace(one, energy=EnergyBreakdown(0, 0, 0, 0)) for one in measured]
    known = dict(zip(mappings, blind, strict=True))
    with Session(backend, budget=99) as session:
        monkeypatch.setattr(backend, "evaluate_batch", lambda asked: [known[one] for one in asked])
        assert ga._Evolution(session, 9).fitness(genes) == expected


@examples(100)
@given(cases)
def test_a_swap_changes_what_is_where_and_never_within_a_layer(case):
    genome, rng = draw(case)
    parent = genome.encode(random_mapping(genome.problem, rng))
    child = genome.swapped(parent, 1)
    assert_legal(genome, child)
    counts, before = genome.split(parent)
    ends = np.cumsum(counts)
    moved = np.flatnonzero(genome.split(child)[1] != before)
    assert len(moved) == 2
    layers = np.searchsorted(ends, moved, side="right")
    assert len(set(layers.tolist())) == len(moved)


def test_a_gathered_piece_goes_to_a_free_core_close_to_one_of_its_layer():
    problem = load("mlp-xs")
    genome, close = Genome(problem, np.random.default_rng(0)), near(problem.topology)
    parent = genome.encode(problem.reference_mapping)
    counts, before = genome.split(parent)
    held, used = genome.held(parent), int(counts.sum())
    for _ in range(100):
        child = genome.swapped(parent, 1, gathered=1.0)
        assert_legal(genome, child)
        after = genome.split(child)[1]
        piece, free = np.flatnonzero(after != before)
        assert piece < used <= free
        core = after[piece]
        assert genome.held(child)[core] in held[close.to(core)]


@pytest.mark.parametrize(("gathered", "least", "most"), [(0.0, 0.3, 0.5), (0.9, 0.9, 1.0)])
def test_mutations_of_places_gather_as_often_as_asked(gathered, least, most):
    problem = load("mlp-xs")
    genome, close = Genome(problem, np.random.default_rng(0)), near(problem.topology)
    parent = genome.encode(problem.reference_mapping)
    counts, before = genome.split(parent)
    used = int(counts.sum())
    found = 0
    for _ in range(200):
        child = genome.mutate(parent, 1.0, 0.0, gathered)
        after = genome.split(child)[1]
        piece, other = np.flatnonzero(after != before)
        core = after[piece]
        near_own = genome.held(child)[core] in genome.held(parent)[close.to(core)]
        found += bool(other >= used and near_own)
    assert least * 200 < found < most * 200


@examples(100)
@given(cases)
def test_other_core_counts_are_legal_whichever_way_places_follow(case):
    genome, rng = draw(case)
    parent = genome.encode(random_mapping(genome.problem, rng))
    children = [genome.recut(parent) for _ in range(8)]
    for child in children:
        assert_legal(genome, child)
    before = genome.split(parent)[1]
    same_order = [(genome.split(child)[1] == before).all() for child in children]
    assert any(same_order)


def test_a_change_that_exchanges_pieces_of_one_layer_is_drawn_again():
    genome, rng = draw((PROBLEMS[0], 0))
    parent = genome.encode(random_mapping(genome.problem, rng))
    within = parent.copy()
    counts, order = genome.split(within)
    start = int(counts[: np.argmax(counts)].sum())
    order[[start, start + 1]] = order[[start + 1, start]]
    assert (genome.held(within) == genome.held(parent)).all()
    swapped = genome.swapped(parent, 1)
    draws = iter([parent, within, swapped])
    assert genome.changed(parent, lambda _: next(draws)) is swapped
    assert genome.changed(parent, lambda _: within) is within  # there may be nothing else


def test_evolution_ends_where_there_is_nothing_new():
    problem = problem_of(toy_network((4, 4, 2), density=0.7), toy_chip(routers=(2, 1)))
    assert problem.topology.n_cores == 4
    with Session(make_backend("bound", problem), budget=100_000) as session:
        run_solver("ga", session, {})
    assert 50 < session.evaluations < 500  # without an end it would take minutes
