from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.backends import MeshBackend, make_backend
from loihi_gym.backends.bound import MaxAffine
from loihi_gym.backends.mesh.mesh_kernel import Load, Mesh, simulate
from loihi_gym.backends.mesh.mesh_reference import simulate_reference
from loihi_gym.backends.mesh.packing import delays, kernel_load, make_mesh, make_workspace
from loihi_gym.bounds import lower_bound
from loihi_gym.chip import ChipSpec, load_chip, topology_of
from loihi_gym.errors import BackendError, IllegalMappingError
from loihi_gym.mapping import Mapping, Problem, heuristic, random_mapping
from loihi_gym.network import Activity
from tests.toys import (
    STRUCTURES,
    built,
    bundled_problem,
    dense_network,
    examples,
    problem_of,
    silent_problem,
    spread_mapping,
    toy_chip,
    toy_network,
    toy_problem,
)

seeds = st.integers(0, 2**32)
GRIDS = [
    {"routers": (3, 2), "cores_per_router": 2},
    {"routers": (1, 6), "cores_per_router": 1},
    {"routers": (5, 1), "cores_per_router": 2},
    {"routers": (3, 3), "cores_per_router": 1, "coreless": ((1, 1),)},
    {"chips": (2, 1), "routers": (2, 2), "cores_per_router": 1},
    {"chips": (2, 2), "routers": (2, 1), "cores_per_router": 2, "coreless": ((0, 0),)},
]


@st.composite
def chips(draw, fabrics: int | None = None) -> ChipSpec:
    """Small meshes with constants from comfortable to absurd."""
    chip = toy_chip(**draw(st.sampled_from(GRIDS)))
    constants = {
        "network.fabrics": fabrics or draw(st.integers(1, 3)),
        "network.router_buffer": draw(st.sampled_from([1, 2, 8])),
        "network.receiver_queue": draw(st.sampled_from([1, 2, 8])),
        "costs.link_ps": draw(st.sampled_from([290, 1160, 1161, 30_000])),
        "costs.hop_x_ps": draw(st.sampled_from([500, 4100])),
        "costs.hop_y_ps": draw(st.sampled_from([6500, 60_000])),
        "costs.chip_hop_ps": draw(st.sampled_from([2000, 100_000])),
        "costs.chip_link_ps": draw(st.sampled_from([3700, 29_600])),
        "costs.spike_ps": draw(st.sampled_from([0, 3000])),
        "costs.axon_ps": draw(st.sampled_from([0, 1500])),
        "costs.synop_ps": draw(st.sampled_from([370, 20_000])),
    }
    for name, value in constants.items():
        chip = chip.with_constant(name, value)
    return built(chip, **draw(STRUCTURES))


def problem_on(chip: ChipSpec, seed: int, graded: bool) -> Problem:
    """A random network of three layers; graded payloads of the first need messages of 64 bits."""
    rng = np.random.default_rng(seed)
    widths = tuple(int(width) for width in rng.integers(3, 9, 3))
    network = toy_network(widths, density=float(rng.uniform(0.3, 1)), seed=seed)
    spikes = rng.random((3, 2, 8)) < rng.uniform(0.2, 1)
    payloads = (1000 if graded else 1, 1, 1)
    messages = (
        np.where(layer[:, :width], payload, 0).astype(np.int32)
        for layer, width, payload in zip(spikes, widths, payloads, strict=True)
    )
    return Problem("toy", network, Activity(tuple(messages)), chip)


def some_mapping(problem: Problem, seed: int) -> Mapping:
    rng = np.random.default_rng(seed)
    counts = np.minimum(rng.integers(1, 4, problem.n_layers), problem.network.widths)
    while counts.sum() > problem.topology.n_cores:
        counts[counts.argmax()] -= 1
    return Mapping(counts, rng.permutation(problem.topology.n_cores)[: counts.sum()])


# The kernel and the rules


@examples(250)
@given(chips(), seeds, st.booleans())
def test_kernel_follows_the_rules(chip, seed, graded):
    problem = problem_on(chip, seed, graded)
    mapping = some_mapping(problem, seed)
    load = kernel_load(problem.traffic(mapping.cores_per_layer), chip)
    (mesh, tree), times = make_workspace(chip), delays(chip)
    fast = simulate(times, mesh, load, mapping.placement, tree)
    slow = simulate_reference(times, mesh, load, mapping.placement, multicast=tree is not None)
    assert fast.tolist() == slow.tolist()
    assert fast.min() > 0


@pytest.mark.parametrize("multicast", ["none", "tree"])
@pytest.mark.parametrize("fabrics", [1, 2])
def test_kernel_follows_the_rules_under_back_pressure(fabrics, multicast):
    """Every buffer fills: slow receivers, many messages."""
    chip = toy_chip(constants={"costs.synop_ps": 9000, "network.fabrics": fabrics})
    chip = built(chip, multicast=multicast)
    problem = problem_of(dense_network(40, 30, 20), chip, steps=1)
    mapping = Mapping([3, 4, 5], np.random.default_rng(3).permutation(16)[:12])
    load = kernel_load(problem.traffic(mapping.cores_per_layer), chip)
    (mesh, tree), times = make_workspace(chip), delays(chip)
    fast = simulate(times, mesh, load, mapping.placement, tree)
    slow = simulate_reference(times, mesh, load, mapping.placement, multicast=tree is not None)
    assert fast.tolist() == slow.tolist()


@examples(200)
@given(chips(), seeds, st.booleans())
def test_mesh_is_never_below_bound_nor_bound_below_its_proof(chip, seed, graded):
    problem = problem_on(chip, seed, graded)
    mapping = some_mapping(problem, seed)
    bound = MaxAffine(problem).evaluate(mapping)
    mesh = MeshBackend(problem).evaluate(mapping)
    for least, found in zip(bound.step_times_ps, mesh.step_times_ps, strict=True):
        assert least <= found
    assert lower_bound(problem).on_bound_ps <= bound.latency_ps
    assert lower_bound(problem).latency_ps <= mesh.latency_ps


@pytest.mark.parametrize("name", ["mlp-xs", "mlp-deep"])
def test_mesh_is_never_below_bound_on_bundled_networks(name):
    problem = bundled_problem(name, "loihi2-16" if name == "mlp-xs" else "loihi2")
    for seed in range(3):
        mapping = random_mapping(problem, np.random.default_rng(seed))
        bound = MaxAffine(problem).evaluate(mapping)
        assert bound.latency_ps <= MeshBackend(problem).evaluate(mapping).latency_ps


# Deadlock


def traffic_of(pairs: dict[int, list[int]], n_cores: int, messages: int, receive: int) -> Load:
    """Every sender gives `messages` neurons' worth to all its targets, without any pause."""
    neurons = [messages if core in pairs else 0 for core in range(n_cores)]
    rows = [
        [receive if target in pairs[core] else -1 for target in range(n_cores)]
        for core in range(n_cores)
        for _ in range(neurons[core])
    ]
    total = sum(neurons)
    return Load(
        next_core=np.zeros(n_cores, np.int32),
        fan_out=np.full(n_cores, n_cores, np.int32),
        wide=np.zeros(n_cores, np.int32),
        neuron_first=np.append(0, np.cumsum(neurons))[None].astype(np.int64),
        work=np.zeros(total, np.int64),
        tail=np.zeros((1, n_cores), np.int64),
        row_first=np.arange(total, dtype=np.int64) * n_cores,
        receive=np.array(rows, np.int32).reshape(-1),
    )


def delivered(mesh: Mesh) -> int:
    """Messages that receivers got in the last step played."""
    return int(mesh.cores["received"].sum())


PATTERNS = {
    "all to one": lambda n: {core: [n // 2] for core in range(n)},
    "one to all": lambda n: {n // 3: list(range(n))},
    "all to all": lambda n: {core: list(range(n)) for core in range(n)},
    "to the opposite core": lambda n: {core: [n - 1 - core] for core in range(n)},
    "to the next core": lambda n: {core: [(core + 1) % n] for core in range(n)},
}


def transpose(chip: ChipSpec) -> dict[int, list[int]]:
    """From (x, y) to (y, x) where both exist: rows and columns wait for each other."""
    mesh = topology_of(chip)
    at = {
        (int(x), int(y), int(port)): core
        for core, (x, y, port) in enumerate(
            zip(mesh.core_x, mesh.core_y, mesh.core_port, strict=True)
        )
    }
    return {core: [at[y, x, p]] for (x, y, p), core in at.items() if (y, x, p) in at}


@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("fabrics", [1, 2])
@pytest.mark.parametrize("pattern", [*PATTERNS, "transpose"])
@pytest.mark.parametrize("chips", [(1, 1), (2, 2)])
@pytest.mark.parametrize("multicast", ["none", "tree"])
def test_every_message_arrives(pattern, fabrics, size, chips, multicast):
    routers = (4, 4) if chips == (1, 1) else (2, 2)
    chip = toy_chip(chips=chips, routers=routers, cores_per_router=2).with_constant(
        "network.fabrics", fabrics
    )
    chip = built(chip, multicast=multicast)
    for name in ("network.router_buffer", "network.receiver_queue"):
        chip = chip.with_constant(name, size)
    pairs = transpose(chip) if pattern == "transpose" else PATTERNS[pattern](chip.n_cores)
    messages, receive = 25, 4000
    load = traffic_of(pairs, chip.n_cores, messages, receive)
    (mesh, tree), placement = (
        make_workspace(chip),
        np.random.default_rng(0).permutation(chip.n_cores),
    )
    ticks = simulate(delays(chip), mesh, load, placement, tree)
    assert delivered(mesh) == messages * sum(map(len, pairs.values()))
    fan_in = np.bincount(np.concatenate(list(pairs.values())))
    assert ticks[0] >= fan_in.max() * messages * receive


@pytest.mark.parametrize("name", ["mlp-xs", "mlp-deep", "mlp-wide"])
def test_every_message_of_bundled_networks_arrives(name):
    problem = bundled_problem(name, "loihi2-16" if name == "mlp-xs" else "loihi2")
    mapping = heuristic(problem, "balanced/row-major")
    traffic = problem.traffic(mapping.cores_per_layer)
    mesh, load = make_mesh(problem.chip), kernel_load(traffic, problem.chip)
    simulate(delays(problem.chip), mesh, load, mapping.placement)
    assert delivered(mesh) == traffic.messages_in[-1].sum()


# The backend


def single_message(chip: ChipSpec) -> Problem:
    """One neuron sends to one synapse of the other."""
    messages = (np.ones((1, 1), np.int32), np.zeros((1, 1), np.int32))
    return Problem("single", dense_network(1, 1), Activity(messages), chip)


def test_one_message_on_an_idle_mesh():
    """Update, spike, two cycles in, a cycle of choosing, the hops, a cycle out, the work."""
    chip = toy_chip(routers=(4, 4), cores_per_router=1)
    problem = single_message(chip)
    costs, cycle = chip.costs, chip.costs.link_ps // 2
    receive = 2 * costs.synmem_word_ps + costs.synop_ps
    for core, (x, y) in {1: (1, 0), 5: (1, 1), 15: (3, 3), 8: (0, 2)}.items():
        found = MeshBackend(problem).evaluate(Mapping([1, 1], [0, core])).latency_ps
        assert found == (
            (costs.neuron_active_ps + costs.spike_ps)
            + (2 * cycle + x * costs.hop_x_ps + y * costs.hop_y_ps + 2 * cycle)
            + (receive + costs.barrier_ps)
        )


def test_a_silent_network_takes_its_updates_and_the_barrier():
    problem = silent_problem((12, 16, 10))
    result = MeshBackend(problem).evaluate(Mapping([1, 1, 1], [0, 1, 2]))
    costs = problem.chip.costs
    assert result.step_times_ps == (16 * costs.neuron_inactive_ps + costs.barrier_ps,) * 2


def test_a_full_receiver_holds_up_messages_for_others():
    """Two flows share a link; when one receiver is slow, the other flow gets slower too."""
    chip = toy_chip(routers=(6, 1), cores_per_router=1)
    pairs = {0: [3], 1: [4]}
    ends = []
    for slow in (1_000, 200_000):
        load = traffic_of(pairs, 6, 60, 1_000)
        load.receive[load.receive > 0] = np.repeat([slow, 1_000], 60)
        load.tail[0, 1] = 1  # core 1's own end is then visible in the step time
        mesh = make_mesh(chip)
        simulate(delays(chip), mesh, load, np.arange(6, dtype=np.int32))
        ends.append(int(mesh.cores["receiver_free"][4]))
    assert ends[1] > 10 * ends[0]


def test_larger_buffers_and_queues_change_only_waiting():
    """Messages and energy's counts are the same whatever waits where."""
    network = toy_network((12, 16, 10))
    small = toy_chip(constants={"network.router_buffer": 1, "network.receiver_queue": 1})
    large = toy_chip(constants={"network.router_buffer": 16, "network.receiver_queue": 16})
    one, other = (
        MeshBackend(problem).evaluate(spread_mapping(problem))
        for problem in (problem_of(network, small), problem_of(network, large))
    )
    assert (one.link_messages == other.link_messages).all()
    assert one.energy[:3] == other.energy[:3]


def test_a_batch_equals_single_evaluations_on_any_number_of_threads():
    problem = bundled_problem("mlp-xs", "loihi2-16")
    mappings = [random_mapping(problem, np.random.default_rng(seed)) for seed in range(12)]
    backend = make_backend("mesh", problem)
    assert backend.name == "mesh"
    alone = [MeshBackend(problem).evaluate(mapping).step_times_ps for mapping in mappings]
    for _ in range(3):
        batch = backend.evaluate_batch(mappings)
        assert [result.step_times_ps for result in batch] == alone
    assert backend.evaluate_batch([]) == []


def test_a_measurement_is_complete():
    problem = toy_problem()
    mapping = spread_mapping(problem)
    result, bound = MeshBackend(problem).evaluate(mapping), MaxAffine(problem).evaluate(mapping)
    assert result.latency_ps == sum(result.step_times_ps)
    assert (result.link_messages == bound.link_messages).all()
    assert (result.synops == bound.synops).all()
    assert result.energy[:3] == bound.energy[:3]
    assert result.energy.static_fj == result.latency_ps * problem.chip.energy.static_mw


def test_an_illegal_mapping_is_not_measured():
    problem = toy_problem()
    with pytest.raises(IllegalMappingError, match="logical cores per core: core 0 has 2"):
        MeshBackend(problem).evaluate_batch([Mapping([1, 1, 1], [0, 0, 1])])


def test_a_receiver_slower_than_the_kernel_counts_is_refused():
    problem = single_message(toy_chip(constants={"costs.synop_ps": 10**14}))
    with pytest.raises(BackendError, match=r"a message takes its receiver 1e\+05 ms"):
        MeshBackend(problem).evaluate(Mapping([1, 1], [0, 1]))


def test_one_message_sees_neither_fabrics_nor_the_depth_of_buffers():
    chip = toy_chip(routers=(3, 3), cores_per_router=1)
    problem = single_message(chip)
    mapping = Mapping([1, 1], [0, 8])
    expected = MeshBackend(problem).evaluate(mapping).latency_ps
    for name, value in {"fabrics": 2, "router_buffer": 1, "receiver_queue": 1}.items():
        other = replace(problem, chip=chip.with_constant(f"network.{name}", value))
        assert MeshBackend(other).evaluate(mapping).latency_ps == expected


def test_reference_network_is_a_chip_like_any_other():
    """Zero-load step of one neuron and one synapse in SANA-FE: 70 ns + 4 ns per hop."""
    problem = single_message(load_chip("booksim-8x4"))
    for core, hops in {1: 0, 4: 1, 32: 1, 127: 10}.items():
        found = MeshBackend(problem).evaluate(Mapping([1, 1], [0, core])).latency_ps
        exact = 39.7 + 5.1 + 4 + 16 + 4.7 + 4 * hops  # the simulator rounds to 45 + 4 + 21
        assert found == round(1000 * exact)
