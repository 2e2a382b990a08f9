from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.genome import Genome
from baselines.registry import run_solver
from baselines.session import Session
from loihi_gym import load
from loihi_gym.backends import make_backend
from loihi_gym.mapping import Mapping, Problem, heuristic, heuristics, random_mapping
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
    return Genome(problem), np.random.default_rng(seed)


def assert_legal(genome: Genome, genes) -> None:
    assert genome.problem.check(genome.decode(genes)) == []
    assert sorted(genes[genome.n_layers :]) == list(range(genome.n_cores))


@examples(60)
@given(cases)
def test_genes_stand_for_one_mapping(case):
    genome, rng = draw(case)
    mapping = random_mapping(genome.problem, rng)
    genes = genome.encode(mapping)
    assert_legal(genome, genes)
    assert genome.decode(genes) == mapping


@examples(150)
@given(cases, st.floats(0, 1))
def test_a_mutant_is_legal_and_leaves_its_parent_alone(case, recut):
    genome, rng = draw(case)
    parent = genome.encode(random_mapping(genome.problem, rng))
    before = parent.copy()
    child = genome.mutate(parent, swaps=3.0, recut=recut, rng=rng)
    assert_legal(genome, child)
    assert (parent == before).all()


@examples(150)
@given(cases)
def test_a_child_is_legal_and_takes_counts_from_its_parents(case):
    genome, rng = draw(case)
    a, b = (genome.encode(random_mapping(genome.problem, rng)) for _ in range(2))
    child = genome.crossover(a, b, rng)
    assert_legal(genome, child)
    layers = slice(None, genome.n_layers)
    chosen = (child[layers] == a[layers]) | (child[layers] == b[layers])
    # Only where both parents' counts together need more cores than there are is one taken away.
    over = np.maximum(a[layers], b[layers]).sum() > genome.n_cores
    assert over or chosen.all()


def test_mutation_reaches_counts_and_places():
    genome, rng = draw((PROBLEMS[0], 0))
    parent = genome.encode(random_mapping(genome.problem, rng))
    mutants = [genome.mutate(parent, 3.0, 0.5, rng) for _ in range(200)]
    recut = [(child[:3] != parent[:3]).any() for child in mutants]
    assert 0.2 < np.mean(recut) < 0.6
    assert len({child.tobytes() for child in mutants}) > 150


def toy_of_four_cores() -> Problem:
    """Three layers on 2 x 2 routers with a core each: few enough mappings to try them all."""
    chip = toy_chip(routers=(2, 2), cores_per_router=1)
    return problem_of(toy_network((8, 10, 6), density=0.6), chip)


def optimum(problem: Problem) -> int:
    """Lowest latency of all legal mappings, by trying them all."""
    backend = make_backend("mesh", problem)
    cores = range(problem.topology.n_cores)
    mappings = [
        Mapping(counts, placement)
        for counts in product(range(1, 5), repeat=problem.n_layers)
        if sum(counts) <= problem.topology.n_cores
        for placement in permutations(cores, sum(counts))
    ]
    legal = [mapping for mapping in mappings if not problem.check(mapping)]
    assert len(legal) == 24 + 3 * 24
    return min(result.latency_ps for result in backend.evaluate_batch(legal))


@pytest.mark.parametrize("unseeded", [False, True])
def test_the_ga_finds_the_optimum_of_a_toy(unseeded):
    problem = toy_of_four_cores()
    best = optimum(problem)
    assert best < make_backend("mesh", problem).evaluate(problem.reference_mapping).latency_ps
    with Session(make_backend("mesh", problem), budget=300) as session:
        run_solver("ga", session, {"unseeded": unseeded})
    assert session.best is not None
    assert session.best.latency_ps == best


def test_the_ga_begins_with_the_standard_heuristics():
    problem = load("mlp-xs")
    backend = make_backend("bound", problem)
    fastest = min(backend.evaluate(heuristic(problem, name)).latency_ps for name in heuristics())
    with Session(backend, budget=len(heuristics())) as session:
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
