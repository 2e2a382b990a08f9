from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loihi_gym_baselines.genome import Genome
from loihi_gym_baselines.surrogate import Surrogate, fit
from loihi_gym_baselines.surrogate_kernel import descend, heat

from loihi_gym.backends import Bound
from loihi_gym.backends.assembly import link_service_ps
from loihi_gym.backends.congestion_kernel import (
    CORE,
    FEATURES,
    LEAST_US,
    N_FEATURES,
    NEAR,
    place,
    swap,
)
from loihi_gym.chip import EAST, NORTH, SOUTH, WEST
from loihi_gym.chip.near import near
from loihi_gym.mapping import random_mapping
from tests.toys import examples, toy_chip, toy_problem

PROBLEMS = [
    toy_problem((12, 16, 10)),
    toy_problem((3, 2, 9, 4), density=0.7, chip=toy_chip(routers=(5, 3))),
    toy_problem((12, 16, 10), chip=toy_chip(chips=(2, 1), routers=(2, 2))),
]
BACK = {EAST: WEST, WEST: EAST, NORTH: SOUTH, SOUTH: NORTH}
cases = st.tuples(st.sampled_from(PROBLEMS), st.integers(0, 2**32))


def loads_by_hand(problem, mapping):
    """(R, 5, 5) by input and output, and (layers, R, 4) by layer: every message along its route."""
    mesh, traffic = problem.topology, problem.traffic(mapping.cores_per_layer)
    service = link_service_ps(problem.chip) * 1e-6
    load = np.zeros((mesh.n_routers, 5, 5))
    layers = np.zeros((problem.n_layers, mesh.n_routers, 4))
    for source, target in zip(*traffic.flows, strict=True):
        pair = traffic.pair_first[source] + target - traffic.next_core[source]
        words = traffic.pair_messages[pair].sum() * traffic.words_out[source]
        here, there = mapping.placement[source], mapping.placement[target]
        route = mesh.route(here, there)
        outputs = [(*divmod(link, 4), service[link]) for link in route[1:-1]]
        outputs.append((mesh.core_router[there], CORE, service[-1]))
        inputs = [CORE, *(BACK[way] for _, way, _ in outputs[:-1])]
        for (router, way, time), came in zip(outputs, inputs, strict=True):
            load[router, came, way] += words * time
            if way != CORE:
                layers[traffic.layer[source], router, way] += words * time
    return load, layers


def features_by_hand(load, layers):
    links = load.sum(axis=1)[:, :CORE]

    def crossed(times):  # what of a sum's square comes from different parts
        return sum(a * b for i, a in enumerate(times) for j, b in enumerate(times) if i != j)

    merging = [crossed(load[r, :, way]) for r in range(len(load)) for way in range(CORE)]
    blocking = [crossed(load[r, came]) for r in range(len(load)) for came in range(5)]
    return {
        "busiest": links.max(),
        "busy": (links**8).sum() ** (1 / 8),
        "uneven": np.sqrt((links**2).mean()),
        "distance": links.mean(),
        "merging": np.sqrt(np.mean(merging)),
        "blocking": np.sqrt(np.mean(blocking)),
        "burst": layers.max(),
        "bursts": np.sqrt((layers**2).sum() / links.size),
    }


def described_in_us(problem, mapping):
    """The description without its logarithm."""
    genome = Genome(problem, np.random.default_rng(0))
    described = Surrogate(genome).describe(genome.encode(mapping))
    return np.exp(described) - LEAST_US


def heat_by_hand(problem, mapping):
    """(N,): of each message's links the time to the power of seven, at both of its ends."""
    mesh, traffic = problem.topology, problem.traffic(mapping.cores_per_layer)
    service = link_service_ps(problem.chip) * 1e-6
    links = loads_by_hand(problem, mapping)[0].sum(axis=1)[:, :CORE].ravel()
    hot = (links / max(links.max(), LEAST_US)) ** 7
    found = np.zeros(mapping.n_logical_cores)
    for source, target in zip(*traffic.flows, strict=True):
        pair = traffic.pair_first[source] + target - traffic.next_core[source]
        words = traffic.pair_messages[pair].sum() * traffic.words_out[source]
        route = mesh.route(mapping.placement[source], mapping.placement[target])[1:-1]
        added = words * sum(hot[link] * service[link] for link in route)
        found[source] += added
        found[target] += added
    return found


def descended_by_hand(problem, mapping, weights, draws, chances):
    """The placement after the swaps that `descend` should choose, each judged from scratch."""
    genome = Genome(problem, np.random.default_rng(0))
    surrogate = Surrogate(genome)
    counts, order = genome.split(genome.encode(mapping))
    layer_of = np.repeat(np.arange(problem.n_layers), counts)
    for tries in draws:
        judged = []
        for first, second in tries:
            a = int(np.flatnonzero(chances > first)[0])
            core = order[a]
            if second < NEAR:
                close = near(problem.topology).to(core)
                other = close[int(second / NEAR * len(close))]
            else:
                other = int((second - NEAR) / (1 - NEAR) * problem.topology.n_cores)
            b = int(np.flatnonzero(order == other)[0])
            if b == a or (b < len(layer_of) and layer_of[a] == layer_of[b]):
                continue
            swapped = order.copy()
            swapped[[a, b]] = order[[b, a]]
            described = surrogate.describe(genome.join(counts, swapped))
            judged.append((described[:N_FEATURES] @ weights, swapped))
        if judged:
            order = min(judged, key=lambda one: one[0])[1]
    return order[: len(layer_of)]


@examples(60)
@given(cases)
def test_features_are_what_their_names_say(case):
    problem, seed = case
    mapping = random_mapping(problem, np.random.default_rng(seed))
    described = described_in_us(problem, mapping)
    by_hand = features_by_hand(*loads_by_hand(problem, mapping))
    assert described[:N_FEATURES] == pytest.approx([by_hand[name] for name in FEATURES])


@examples(60)
@given(cases)
def test_swaps_leave_what_placing_from_scratch_would(case):
    problem, seed = case
    rng = np.random.default_rng(seed)
    mapping = random_mapping(problem, rng)
    genome = Genome(problem, np.random.default_rng(0))
    surrogate = Surrogate(genome)
    cut = surrogate.placed(genome.encode(mapping))
    for _ in range(5):
        a, b = rng.choice(mapping.placement), rng.integers(problem.topology.n_cores)
        if a != b:
            swap(cut.flow, cut.placed, a, b)
    load, layers = cut.placed.load_us.copy(), cut.placed.layer_us.copy()
    place(cut.flow, cut.placed, cut.placed.placement.copy())
    assert load == pytest.approx(cut.placed.load_us)
    assert layers == pytest.approx(cut.placed.layer_us)


@examples(40)
@given(cases)
def test_heat_is_of_pieces_whose_messages_pass_busy_links(case):
    problem, seed = case
    mapping = random_mapping(problem, np.random.default_rng(seed))
    genome = Genome(problem, np.random.default_rng(0))
    cut = Surrogate(genome).placed(genome.encode(mapping))
    found = np.empty(mapping.n_logical_cores)
    heat(cut.flow, cut.placed, found)
    assert found == pytest.approx(heat_by_hand(problem, mapping))


@examples(40)
@given(cases)
def test_a_descent_takes_the_swaps_that_the_model_likes_best(case):
    problem, seed = case
    rng = np.random.default_rng(seed)
    mapping = random_mapping(problem, rng)
    weights, draws = rng.random(N_FEATURES), rng.random((4, 6, 2))
    genome = Genome(problem, np.random.default_rng(0))
    cut = Surrogate(genome).placed(genome.encode(mapping))
    chances = np.cumsum(rng.dirichlet(np.ones(mapping.n_logical_cores)))
    chances /= chances[-1]
    descend(cut.flow, cut.placed, weights, draws, chances)
    by_hand = descended_by_hand(problem, mapping, weights, draws, chances)
    assert cut.placed.placement.tolist() == by_hand.tolist()
    assert (cut.placed.occupant[by_hand] == np.arange(len(by_hand))).all()


def test_the_bound_is_among_the_descriptions():
    """The busiest sender and receiver, summed over steps, in us."""
    problem = toy_problem((24, 40, 32, 10), density=0.4)
    mapping = problem.reference_mapping
    described = described_in_us(problem, mapping)
    traffic = problem.traffic(mapping.cores_per_layer)
    assert described[N_FEATURES] == pytest.approx(traffic.send_ps.max(axis=1).sum() * 1e-6)
    assert described[N_FEATURES + 1] == pytest.approx(traffic.receive_ps.max(axis=1).sum() * 1e-6)
    assert Bound(problem).evaluate(mapping).latency_ps * 1e-6 >= described[N_FEATURES + 2]


def test_a_model_learns_what_is_linear():
    rng = np.random.default_rng(0)
    descriptions = rng.random((300, 6))
    truth = np.array([0.5, 0.0, 0.2, 0.0, 0.0, 0.1])
    model = fit(descriptions, descriptions @ truth + 1.0)
    assert model.weights == pytest.approx(truth, abs=0.02)
    fresh = rng.random((50, 6))
    assert model.predict(fresh) == pytest.approx(fresh @ truth + 1.0, abs=0.02)
    order = np.argsort(model.predict(fresh))
    assert all(a <= b + 0.02 for a, b in pairwise((fresh @ truth)[order]))
