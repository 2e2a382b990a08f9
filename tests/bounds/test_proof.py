"""The lower bound against measured mappings, and against exhaustive search where possible."""

from collections.abc import Iterator
from itertools import islice, pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.backends import Bound, Measurement, make_backend
from loihi_gym.backends.bound import MaxAffine
from loihi_gym.benchmarks import load
from loihi_gym.bounds import lower_bound
from loihi_gym.bounds.boxes import TOLERANCE
from loihi_gym.bounds.count_tables import sending
from loihi_gym.bounds.hops import cores_within, least_hops
from loihi_gym.bounds.proof_kernel import fill_step
from loihi_gym.bounds.release_kernel import finish_ps
from loihi_gym.chip import topology_of
from loihi_gym.errors import IllegalMappingError
from loihi_gym.mapping import Mapping, Problem, fitting, random_mapping
from tests.toys import (
    STRUCTURES,
    built,
    examples,
    silent_problem,
    toy_chip,
    toy_problem,
)


@st.composite
def problems(draw, chip=None) -> Problem:
    costs = ("synop_ps", "neuron_inactive_ps", "spike_ps", "link_ps", "barrier_ps")
    constants = {f"costs.{name}": draw(st.sampled_from([0, 700, 40_000])) for name in costs}
    constants["costs.link_ps"] = max(constants["costs.link_ps"], 2)
    constants["costs.barrier_ps"] += 1
    chip = chip or toy_chip(
        chips=draw(st.sampled_from([(1, 1), (2, 1)])),
        routers=draw(st.sampled_from([(1, 1), (4, 1), (3, 2)])),
        cores_per_router=draw(st.integers(2, 3)),
        coreless=(),
        constants=constants,
    )
    n_layers = draw(st.integers(2, min(4, chip.n_cores)))
    widths = tuple(draw(st.lists(st.integers(1, 14), min_size=n_layers, max_size=n_layers)))
    density, steps, seed = draw(st.sampled_from([0.2, 0.6, 1.0])), draw(st.integers(1, 3)), 0
    return toy_problem(widths, density, chip, steps, seed + draw(st.integers(0, 1000)))


def legal_counts(problem: Problem) -> list[tuple[int, ...]]:
    cores = problem.topology.n_cores
    spans = [range(1, min(width, cores) + 1) for width in problem.network.widths]
    return [
        counts
        for counts in product(*spans)
        if sum(counts) <= cores and not problem.check(Mapping(counts, range(sum(counts))))
    ]


def least_floor(problem: Problem) -> int:
    """Least latency of all core counts if links between routers were free."""
    barriers = problem.activity.steps * problem.chip.costs.barrier_ps
    floors = (
        problem.traffic(np.array(counts, np.int32)).floor_ps for counts in legal_counts(problem)
    )
    return min(int(floor.sum()) for floor in floors) + barriers


def optimum(problem: Problem, name: str) -> Measurement:
    """The fastest of all mappings on a backend."""
    backend, cores = make_backend(name, problem), range(problem.topology.n_cores)
    mappings = (
        Mapping(counts, places)
        for counts in legal_counts(problem)
        for places in permutations(cores, sum(counts))
    )
    found = (min(backend.evaluate_batch(part), key=_latency_ps) for part in batched(mappings))
    return min(found, key=_latency_ps)


def batched(mappings: Iterator[Mapping]) -> Iterator[list[Mapping]]:
    while part := list(islice(mappings, 1000)):
        yield part


def _latency_ps(measured: Measurement) -> int:
    return measured.latency_ps


@examples(60)
@given(problems(), st.integers(0, 2**32))
def test_no_mapping_is_faster_on_bound(problem, seed):
    rng, least = np.random.default_rng(seed), lower_bound(problem)
    mappings = [random_mapping(problem, rng) for _ in range(20)]
    mappings += fitting(problem).values()
    assert least.on_bound_ps <= least.latency_ps
    assert least.on_bound_ps <= Bound(problem).latencies(mappings).min()


@st.composite
def built_chips(draw):
    """Chips of every structure, with fabrics, short queues, several chips, odd costs."""
    names = ("synop_ps", "spike_ps", "axon_ps", "neuron_inactive_ps", "neuron_active_ps")
    costs = {f"costs.{name}": draw(st.sampled_from([1, 700, 40_000])) for name in names}
    costs["costs.link_ps"] = draw(st.sampled_from([1, 3, 1160, 30_000]))
    costs["network.fabrics"] = draw(st.sampled_from([1, 2, 3]))
    costs["network.receiver_queue"] = draw(st.sampled_from([1, 8, 1024]))
    costs["network.router_buffer"] = draw(st.sampled_from([1, 8]))
    chip = toy_chip(
        chips=draw(st.sampled_from([(1, 1), (2, 1), (2, 2), (1, 3)])),
        routers=draw(st.sampled_from([(1, 2), (3, 1), (3, 2)])),
        cores_per_router=draw(st.integers(2, 3)),
        constants=costs,
    )
    return built(chip, **draw(STRUCTURES))


@examples(40)
@given(built_chips().flatmap(problems), st.integers(0, 2**32))
def test_no_mapping_is_faster_however_the_chip_is_built(problem, seed):
    rng, least = np.random.default_rng(seed), lower_bound(problem)
    mappings = [random_mapping(problem, rng) for _ in range(12)]
    mappings += fitting(problem).values()
    mesh = make_backend("mesh", problem).evaluate_batch(mappings)
    bound = MaxAffine(problem).evaluate_batch(mappings)
    assert least.latency_ps <= min(map(_latency_ps, mesh))
    assert least.on_bound_ps <= min(map(_latency_ps, bound))
    assert all(b.latency_ps <= m.latency_ps for b, m in zip(bound, mesh, strict=True))


@examples(25)
@given(built_chips().flatmap(problems), st.integers(0, 2**32))
def test_every_step_takes_until_its_messages_can_have_been_received(problem, seed):
    mapping = random_mapping(problem, np.random.default_rng(seed))
    steps = make_backend("mesh", problem).evaluate(mapping).step_times_ps
    barrier = problem.chip.costs.barrier_ps
    for (layer, counts), step in product(
        enumerate(pairwise(mapping.cores_per_layer.tolist())), range(problem.activity.steps)
    ):
        least = finished(problem, layer, counts, step)
        assert least == finished_reference(problem, layer, counts, step)
        assert least + barrier <= steps[step]


def finished(problem: Problem, layer: int, counts: tuple[int, int], step: int) -> int:
    """When a layer can have received, by the kernel."""
    targets, widths = problem.loads.targets(layer, step), problem.network.widths
    return finish_ps(
        targets.senders,
        targets.first,
        targets.neurons,
        widths[layer : layer + 2],
        counts,
        problem.loads.cost(layer + 1),
        sending(problem.chip, problem.loads.words[layer]),
    )


def finished_reference(problem: Problem, layer: int, counts: tuple[int, int], step: int) -> int:
    """The slow, obvious twin: neuron by neuron, message by message."""
    chip, targets = problem.chip, problem.loads.targets(layer, step)
    rows = problem.loads.rows_ps(layer, step, counts[1]).tolist()
    copied, costs = chip.structure.multicast == "tree", chip.costs
    hold_ps = costs.link_ps * problem.loads.words[layer]
    message_ps = costs.spike_ps + (0 if copied else costs.axon_ps)
    flight_ps, width = 4 * max(costs.link_ps // 2, 1), problem.network.widths[layer]
    arrivals, ends = [], [0]
    for piece in range(counts[0]):
        neurons = range(piece * width // counts[0], (piece + 1) * width // counts[0])
        senders = targets.senders.tolist()
        works = [
            costs.neuron_active_ps if neuron in senders else costs.neuron_inactive_ps
            for neuron in neurons
        ]
        update_first = chip.structure.phases == "update-first"
        handed, ready = None, sum(works) if update_first else 0
        for neuron, work in zip(neurons, works, strict=True):
            ready += 0 if update_first else work
            if neuron not in senders:
                continue
            row = [(to, ps) for to, ps in enumerate(rows[senders.index(neuron)]) if ps > 0]
            if not row:
                continue
            first = ready + message_ps + (len(row) * costs.axon_ps if copied else 0)
            if handed is not None:
                first = max(first, handed + hold_ps)
            arrivals += [(first + flight_ps, to, ps) for to, ps in row]
            more = 0 if copied else len(row) - 1
            handed = ready = first + more * max(message_ps, hold_ps)
            last = handed + flight_ps + min(ps for _, ps in row)
        ends += [last] if handed is not None else []
    for receiver in range(counts[1]):
        free = 0
        for there, to, ps in sorted(arrivals):
            free = max(free, there) + ps if to == receiver else free
        ends.append(free)
    return max(ends)


@examples(40)
@given(problems())
def test_it_knows_the_best_core_counts(problem):
    """Without links, it is the exact optimum over all core counts, but for its tolerance."""
    least, floor = lower_bound(problem), least_floor(problem)
    assert least.on_bound_ps >= floor - floor // TOLERANCE - problem.activity.steps


TINY = {
    "row": toy_chip(routers=(4, 1), cores_per_router=1),
    "square": toy_chip(routers=(2, 2), cores_per_router=1),
    "slow links": toy_chip(routers=(5, 1), cores_per_router=1, constants={"costs.link_ps": 40_000}),
    "two chips": toy_chip(chips=(2, 1), routers=(2, 1), cores_per_router=1),
}


@pytest.mark.parametrize("chip", TINY.values(), ids=TINY.keys())
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("backend", ["bound", "mesh"])
def test_it_is_below_and_near_the_optimum_of_tiny_problems(chip, seed, backend):
    problem = toy_problem((6, 8, 5), density=0.7, chip=chip, seed=seed)
    least, best = lower_bound(problem), optimum(problem, backend)
    assert least.of(backend) <= best.latency_ps
    assert least.gap(best.latency_ps, backend) < 0.35
    if chip is TINY["square"]:
        assert least.gap(best.latency_ps, backend) < 0.02
    if backend == "mesh":
        steps = zip(least.steps, best.step_times_ps, strict=True)
        assert all(max(part) <= ps for part, ps in steps)


def test_slow_links_bound_it_by_hops():
    """One core per router: every message travels at least one hop."""
    chip = toy_chip(routers=(3, 1), cores_per_router=1, constants={"costs.link_ps": 4_000_000})
    problem = toy_problem((6, 1, 5), density=1.0, chip=chip, steps=1)
    least = lower_bound(problem)
    active = [int((sent != 0).sum()) for sent in problem.activity.messages[:2]]
    (step,) = least.steps
    words = problem.activity.message_bits // 32
    assert step.links_ps == -(-sum(active) * 4_000_000 * words // 4) + chip.costs.barrier_ps
    assert step.links_ps <= least.latency_ps


def test_a_silent_network_is_exact():
    problem = silent_problem((12, 16, 10))
    costs = problem.chip.costs
    least = lower_bound(problem)
    # 16 cores: cut into 5, 7 and 4, no piece has more than three neurons.
    assert least.latency_ps == 2 * (3 * costs.neuron_inactive_ps + costs.barrier_ps)
    assert least.term == "cores"
    assert least.gap(2 * least.latency_ps) == 0.5


def test_it_is_computed_once():
    problem = toy_problem()
    assert lower_bound(problem) is lower_bound(problem)


def test_a_network_that_does_not_fit_has_none():
    problem = toy_problem(chip=toy_chip(constants={"capacity.neurons": 2}))
    with pytest.raises(IllegalMappingError, match="does not fit"):
        lower_bound(problem)


@pytest.mark.parametrize(
    ("name", "on_bound", "on_mesh"),
    [
        ("mlp-xs", 2_123_270, 2_149_270),
        ("mlp-deep", 4_000_223, 4_025_293),
        ("mlp-wide", 3_193_085, 3_212_134),
    ],
)
def test_golden_bounds_of_the_benchmarks(name, on_bound, on_mesh):
    """The same on every machine."""
    least = lower_bound(load(name))
    assert (least.on_bound_ps, least.latency_ps) == (on_bound, on_mesh)


@examples(40)
@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 8))
def test_tables_equal_a_brute_force(seed, width, k):
    problem = toy_problem((9, width, 4), density=0.5, seed=seed, steps=1)
    k = min(k, width)
    targets = problem.loads.targets(0, 0)
    senders = len(targets.senders)
    receive = np.zeros(k + 1, np.int64)
    reached, hops = np.zeros((k + 1, senders + 1), np.int32), np.zeros(k + 1, np.int64)
    least, port_ps = np.array([0, *(r + max(0, r - 2) for r in range(1, k + 1))]), 1500
    fill_step(
        targets.first,
        targets.neurons,
        width,
        problem.loads.cost(1),
        port_ps,
        least,
        1,
        receive,
        reached,
        hops,
    )
    traffic = problem.traffic(np.array([1, k, 1], np.int32))
    of_layer = traffic.layer == 1
    ports = traffic.messages_in[0, of_layer] * port_ps
    assert receive[k] == np.maximum(traffic.receive_ps[0, of_layer], ports).max()
    pieces = (problem.loads.receivers(1, k).synapses[0] > 0).sum(axis=1)
    assert reached[k].tolist() == [0, *np.cumsum(pieces).tolist()]
    assert hops[k] == sum(max(0, int(r) - w) for r in pieces for w in (0, 2))


@pytest.mark.parametrize("multicast", ["none", "tree"])
def test_least_hops_are_those_of_the_closest_receivers(multicast):
    """On 3 x 3 routers with two cores each, by trying every set of routers."""
    chip = built(toy_chip(routers=(3, 3), cores_per_router=2), multicast=multicast)
    least = least_hops(toy_problem(chip=chip))
    places = [(x, y) for y in range(3) for x in range(3)]
    for r in range(1, 18):
        found = []
        for x0, y0 in places:
            ways = sorted(abs(x - x0) + abs(y - y0) for x, y in places for _ in range(2))
            if multicast == "none":
                found.append(sum(ways[1 : r + 1]))  # the sender's own place is no receiver's
            else:
                found.append(-(-max(r - 1, 0) // 2))  # any tree has one router more than hops
        assert least[r] <= min(found)
        if multicast == "tree":
            assert least[r] == min(found)


@pytest.mark.parametrize("routers", [(1, 1), (5, 1), (3, 4), (8, 5)])
def test_cores_within_reach_are_never_fewer_than_there_are(routers):
    mesh = topology_of(toy_chip(routers=routers, cores_per_router=3))
    within = cores_within(mesh)
    x, y = mesh.core_x.astype(int), mesh.core_y.astype(int)
    hops = np.abs(x[:, None] - x) + np.abs(y[:, None] - y)
    for distance, most in enumerate(within):
        assert most >= (hops <= distance).sum(axis=1).max() - 1
    assert within[0] == 2
