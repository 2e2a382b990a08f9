"""A problem with few enough mappings to try them all."""

from functools import cache
from itertools import permutations, product

from loihi_gym.backends import make_backend
from loihi_gym.mapping import Mapping, Problem
from tests.toys import problem_of, toy_chip, toy_network


def toy_of_four_cores() -> Problem:
    """Three layers on 2 x 2 routers with a core each."""
    chip = toy_chip(routers=(2, 2), cores_per_router=1)
    return problem_of(toy_network((8, 10, 6), density=0.6), chip)


@cache
def optimum() -> int:
    """Lowest latency of all its legal mappings on `mesh`."""
    problem = toy_of_four_cores()
    cores = range(problem.topology.n_cores)
    mappings = [
        Mapping(counts, placement)
        for counts in product(range(1, 5), repeat=problem.n_layers)
        if sum(counts) <= problem.topology.n_cores
        for placement in permutations(cores, sum(counts))
    ]
    legal = [mapping for mapping in mappings if not problem.check(mapping)]
    assert len(legal) == 24 + 3 * 24
    backend = make_backend("mesh", problem)
    return min(result.latency_ps for result in backend.evaluate_batch(legal))
