import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym import load_chip, make_backend
from loihi_gym.chip import topology_of
from loihi_gym.leaderboard.symmetry import canonical_digest, symmetries
from loihi_gym.mapping import Mapping
from tests.toys import examples, spread_mapping, toy_chip, toy_problem

IMAGES = {
    "loihi2": 2,  # two opposite corners have no cores: only both reflections at once
    "kapoho-point": 2,
    "loihi2-128": 4,
    "loihi2-24": 4,
    "hala-point": 1,
}


def moved(problem, mapping, image, rng):
    """A mapping carried along a symmetry, with the cores of each router exchanged at random."""
    mesh = problem.topology
    cores = {}
    for core in range(mesh.n_cores):
        cores.setdefault(int(mesh.core_router[core]), []).append(core)
    ports = {router: rng.permutation(list_) for router, list_ in cores.items()}
    placement = [
        ports[int(image[mesh.core_router[core]])][int(mesh.core_port[core])]
        for core in mapping.placement
    ]
    return Mapping(mapping.cores_per_layer, placement)


@pytest.mark.parametrize(("chip", "count"), IMAGES.items())
def test_symmetries_carry_routers_to_routers_and_links_to_links(chip, count):
    mesh = topology_of(load_chip(chip))
    images = symmetries(mesh)
    assert len(images) == count
    assert (images[0] == np.arange(mesh.n_routers)).all()
    x, y = np.arange(mesh.n_routers) % mesh.width, np.arange(mesh.n_routers) // mesh.width
    for image in images:
        assert sorted(image.tolist()) == list(range(mesh.n_routers))
        for step in (1, mesh.width):  # neighbours stay neighbours, along the same axis
            here = np.flatnonzero(x < mesh.width - 1 if step == 1 else y < mesh.height - 1)
            assert (abs(image[here + step] - image[here]) == step).all()


@examples(30)
@given(st.integers(0, 10**6))
def test_symmetric_mappings_are_one(seed):
    problem = toy_problem(chip=toy_chip(routers=(4, 3)))
    mapping, rng = spread_mapping(problem, seed), np.random.default_rng(seed)
    digest = canonical_digest(problem.topology, mapping)
    for image in symmetries(problem.topology):
        other = moved(problem, mapping, image, rng)
        assert problem.check(other) == []
        assert canonical_digest(problem.topology, other) == digest


@examples(30)
@given(st.integers(0, 10**6))
def test_others_are_not(seed):
    problem = toy_problem(chip=toy_chip(routers=(4, 3)))
    mesh, mapping = problem.topology, spread_mapping(problem, seed)
    digest = canonical_digest(mesh, mapping)
    routers = {tuple(image[mesh.core_router[mapping.placement]]) for image in symmetries(mesh)}
    free = sorted(set(range(mesh.n_cores)) - set(mapping.placement.tolist()))
    for core in free:
        placement = mapping.placement.copy()
        placement[0] = core
        same = tuple(mesh.core_router[placement]) in routers
        assert (
            canonical_digest(mesh, Mapping(mapping.cores_per_layer, placement)) == digest
        ) == same
    counts = mapping.cores_per_layer.copy()
    if counts[0] > 1:
        counts[0] -= 1
        counts[1] += 1
        assert canonical_digest(mesh, Mapping(counts, mapping.placement)) != digest


def test_messages_and_hops_are_those_of_the_symmetric_mapping():
    """What is the same of symmetric mappings to the last digit: energy, and the work of cores."""
    problem = toy_problem((20, 24, 10), chip=toy_chip(routers=(4, 3)))
    backend, rng = make_backend("mesh", problem), np.random.default_rng(0)
    mapping = spread_mapping(problem, 3)
    first = backend.evaluate(mapping)
    for image in symmetries(problem.topology):
        other = backend.evaluate(moved(problem, mapping, image, rng))
        assert other.energy.synops_fj == first.energy.synops_fj
        assert other.energy.messages_fj == first.energy.messages_fj
        assert sorted(other.link_messages.sum(0)) == sorted(first.link_messages.sum(0))
