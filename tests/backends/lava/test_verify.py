import importlib
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import loihi_gym
from loihi_gym.backends.lava import client, compare, simulate, verify
from loihi_gym.benchmarks import benchmark, benchmark_names
from loihi_gym.calibration import probe
from loihi_gym.errors import IllegalMappingError, MeasurementError
from loihi_gym.mapping import Mapping
from loihi_gym.mapping.pieces import bounds
from loihi_gym.network import SparseMLP, run
from loihi_gym.network.readers import read_network
from tests.network.readers.test_nir_graph import affine, cuba, spikes, write
from tests.toys import problem_of, silent_problem, spread_mapping, toy_inputs, toy_network


def few(count: int) -> settings:
    """As `examples`, for tests that take a fixture."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
        phases=[Phase.generate],  # shrinking would run Lava for minutes
    )


@st.composite
def networks(draw, lowest: int = -6, deepest: int = 3) -> SparseMLP:
    depth = draw(st.integers(1, deepest))
    return toy_network(
        tuple(draw(st.integers(3, 9)) for _ in range(depth + 1)),
        density=draw(st.sampled_from([0.3, 1.0])),
        seed=draw(st.integers(0, 1000)),
        neuron=draw(st.sampled_from(["relu", "sigma-delta"])),
        exponents=tuple(draw(st.integers(lowest, 1)) for _ in range(depth)),
        thresholds=tuple(draw(st.integers(0, 30)) for _ in range(depth)),
    )


def inputs_for(network: SparseMLP, seed: int) -> np.ndarray:
    return toy_inputs(network, 5, seed) // 8


def cut(network: SparseMLP, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, np.minimum(network.widths, 4) + 1)


RECORDED = [name for name in benchmark_names() if not benchmark(name).generated]


@pytest.mark.parametrize("name", RECORDED)
def test_lava_computes_what_a_bundled_network_does(shared, name):
    relu, sigma_delta = verify(shared, loihi_gym.load(name))
    assert (relu.neuron, sigma_delta.neuron) == ("relu", "sigma-delta")
    for result in (relu, sigma_delta):
        assert result.equal
        assert result.first is None
        assert 0.02 < result.sent / result.compared < 0.9


@pytest.mark.parametrize("name", ["balanced/strided", "lava-default/row-major"])
def test_a_mapping_never_changes_the_function(shared, name):
    problem = loihi_gym.load("mlp-xs")
    mapping = loihi_gym.heuristic(problem, name)
    results = list(verify(shared, problem, mapping))
    assert [result.equal for result in results] == [True] * 4
    assert [result.processes for result in results] == [5, mapping.n_logical_cores] * 2


def test_probes_are_the_same_in_lava(shared, monkeypatch):
    """What `loihi-gym probe` writes runs in Lava as it was recorded, in its pieces, too."""
    monkeypatch.setattr(probe, "POOL", 4)
    pool = probe.draw_pool(loihi_gym.load_chip("loihi2-24"), np.random.default_rng(3))
    for one in (pool[0], pool[1]):
        assert all(result.equal for result in verify(shared, one.problem, one.mapping))


@few(6)
@given(network=networks(), seed=st.integers(0, 1000))
def test_random_networks_are_the_same_whole_and_in_rows(shared, network, seed):
    inputs = inputs_for(network, seed)
    assert compare(shared, network, inputs).equal
    assert compare(shared, network, inputs, cut(network, seed)).equal


@st.composite
def spiking(draw) -> SparseMLP:
    """LIF neurons whose decays reach from nothing to everything, with and without biases."""
    depth = draw(st.integers(1, 3))
    network = toy_network(
        tuple(draw(st.integers(3, 9)) for _ in range(depth + 1)),
        density=draw(st.sampled_from([0.3, 1.0])),
        seed=draw(st.integers(0, 1000)),
        exponents=tuple(draw(st.integers(-3, 3)) for _ in range(depth)),
        thresholds=tuple(draw(st.integers(1, 200)) for _ in range(depth)),
        bias=draw(st.sampled_from([0, 900])),
    )
    decay = st.sampled_from([1, 415, 2048, 4095, 4096])
    decays = tuple((draw(decay), draw(st.one_of(decay, st.just(0)))) for _ in range(depth))
    biases = tuple(bias << draw(st.integers(0, 3)) for bias in network.biases)
    return replace(network, neuron="lif", decays=decays, biases=biases)


@few(3)
@given(network=spiking(), seed=st.integers(0, 1000))
def test_random_lif_networks_are_the_same_whole_and_in_rows(shared, network, seed):
    inputs = (toy_inputs(network, 25, seed) > 40).astype(int)
    assert compare(shared, network, inputs).equal
    assert compare(shared, network, inputs, cut(network, seed)).equal


def lif(weights: list, decays: tuple[int, int], threshold: int, bias: list) -> SparseMLP:
    matrix, biases = csr_array(np.array(weights, np.int8)), np.array(bias, np.int32)
    return SparseMLP((matrix,), (0,), (threshold,), "lif", (biases,), (decays,))


LIF = {
    "integrates for ever": lif([[3, -2], [1, 0]], (4096, 0), 10, [0, 0]),
    "a current that stays": lif([[1, -1], [-2, 3]], (0, 4096), 5, [0, 0]),
    "a readout": lif([[1, -1], [-2, 3]], (4096, 400), 1 << 17, [0, 0]),
    "the largest biases": lif([[1, 1], [1, 1]], (4096, 0), (1 << 17) - 1, [4095 << 7, -4096 << 7]),
    "large inputs": lif([[127, 127], [-128, -128]], (4096, 1), (1 << 17) - 1, [0, 0]),
}


@pytest.mark.parametrize("network", LIF.values(), ids=LIF.keys())
def test_the_extremes_of_lif_are_exact(shared, network):
    inputs = np.random.default_rng(0).integers(0, 200, (40, 2))
    inputs = inputs if network is LIF["large inputs"] else inputs % 2
    result = compare(shared, network, inputs)
    assert result.equal
    assert network is LIF["a readout"] or (run(network, inputs)[1] != 0).any()


@pytest.mark.parametrize("neuron", ["relu", "sigma-delta"])
def test_biases_are_the_same_whole_and_in_pieces(shared, neuron):
    network = toy_network((6, 9, 5), neuron=neuron, bias=70)
    inputs = toy_inputs(network, 8)
    assert compare(shared, network, inputs).equal
    for split in ("rows", "pairs"):
        pieces = np.array([1, 3, 2]) if split == "rows" else np.array([1, 1, 2])
        result = compare(shared, network, inputs, pieces, split)
        assert result.equal
    without = run(replace(network, biases=()), inputs)
    assert any((a != b).any() for a, b in zip(run(network, inputs), without, strict=True))


def test_a_lif_problem_is_verified_as_it_is(shared):
    network = replace(toy_network(bias=500), neuron="lif", decays=((1024, 415),) * 2)
    problem = replace(problem_of(network), inputs=toy_inputs(network, 30))
    mapping = spread_mapping(problem, 0)
    results = list(verify(shared, problem, mapping))
    assert [(result.neuron, result.equal) for result in results] == [("lif", True)] * 2
    assert results[0].sent


def test_an_imported_graph_is_the_same_in_lava(shared, tmp_path):
    """NIR's CubaLIF with biases, rounded to what Loihi's mantissas hold."""
    nodes = [affine(1, 12, 8, 0.2), cuba(12), affine(2, 5, 12, 0.2), cuba(5)]
    imported = read_network(write(tmp_path / "a.nir", *nodes), spikes(60, 8))
    assert any(bias.any() for bias in imported.network.biases)
    result = compare(shared, imported.network, imported.inputs)
    assert result.equal
    assert result.sent > 100


def test_a_variant_that_overflows_is_one_line(shared):
    weights = csr_array(np.ones((1, 1), np.int8))
    network = SparseMLP((weights,), (16,), (0,), "sigma-delta")
    with pytest.raises(MeasurementError, match="with sigma-delta neurons, layer 1: a neuron reach"):
        compare(shared, network, np.array([[100], [200], [0]]))


@few(4)
@given(network=networks(lowest=0, deepest=2), seed=st.integers(0, 1000))
def test_pairs_are_exact_if_nothing_is_shifted_out(shared, network, seed):
    inputs = inputs_for(network, seed) // 4
    assert compare(shared, network, inputs, cut(network, seed), "pairs").equal


def test_pairs_are_exact_behind_a_layer_in_one_piece(shared):
    network = toy_network((8, 9, 6), exponents=(-4, -3))
    inputs = toy_inputs(network, 5)
    assert compare(shared, network, inputs, np.array([1, 1, 4]), "pairs").equal
    assert compare(shared, network, inputs, np.array([1, 1, 4]), "rows").equal


def test_pairs_lose_what_each_shifts_out(shared):
    weights = csr_array(np.array([[1, 1]], np.int8))
    network = SparseMLP((weights,), (-1,), (0,))
    inputs = np.array([[3, 3], [0, 0]])
    assert run(network, inputs)[-1].tolist() == [[0], [3]]
    halves = np.array([2, 1])
    assert simulate(shared, network, inputs, halves, "rows")[-1].tolist() == [[0], [3]]
    assert simulate(shared, network, inputs, halves, "pairs")[-1].tolist() == [[0], [2]]
    result = compare(shared, network, inputs, halves, "pairs")
    assert not result.equal
    assert str(result.first) == "layer 1, step 1, neuron 0: 3 here, 2 in Lava"


@pytest.mark.parametrize("neuron", ["relu", "sigma-delta"])
@pytest.mark.parametrize("pieces", [[1, 1], [2, 2]])
def test_the_extreme_weights_are_exact(shared, neuron, pieces):
    """Lava would read a block without positive weights in another way, and clip -128."""
    weights = csr_array(np.array([[-128, -128, 127], [-128, -1, 0], [0, 0, 0]], np.int8))
    network = SparseMLP((weights,), (-2,), (0,), neuron)
    inputs = np.array([[-127, 3, 1], [5, -9, 2], [0, 0, 0], [0, 0, 0]])
    assert compare(shared, network, inputs, np.array(pieces)).equal


def test_lava_cuts_layers_as_we_do(lava):
    code = (
        f"import sys; sys.path.insert(0, {str(client.SCRIPT.parent)!r})\n"
        "from network import pieces_of\n"
        "print([pieces_of(n, k) for n in (1, 7, 128, 1000) for k in range(1, min(n, 40) + 1)])"
    )
    done = subprocess.run([lava, "-c", code], capture_output=True, text=True, check=True)
    expected = [
        list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        for n in (1, 7, 128, 1000)
        for k in range(1, min(n, 40) + 1)
        for edges in [bounds(n, k)]
    ]
    assert done.stdout.strip() == str(expected)


def test_a_difference_is_found_and_named(shared, monkeypatch):
    network = toy_network()
    inputs = toy_inputs(network, 4)
    wrong = run(network, inputs)
    wrong[1][2, 7] += 5
    wrong[2][3, 0] -= 1
    module = importlib.import_module("loihi_gym.backends.lava.verification")
    monkeypatch.setattr(module, "simulate", lambda *_: wrong)
    result = compare(shared, network, inputs)
    assert (result.equal, result.differing) == (False, 2)
    assert result.first == (1, 2, 7, wrong[1][2, 7] - 5, wrong[1][2, 7])


def test_every_message_is_compared(shared):
    network = toy_network((5, 4, 3))
    result = compare(shared, network, toy_inputs(network, 6))
    assert (result.steps, result.compared) == (6, 6 * 12)


def test_a_sigma_delta_network_has_no_variant(shared):
    network = toy_network(neuron="sigma-delta")
    problem = replace(problem_of(network), inputs=toy_inputs(network, 4))
    assert [result.neuron for result in verify(shared, problem)] == ["sigma-delta"]


def test_a_problem_without_inputs_is_refused(shared):
    with pytest.raises(MeasurementError, match="silent has no inputs to run"):
        next(verify(shared, silent_problem()))


def test_a_generated_network_has_nothing_to_verify(shared):
    with pytest.raises(MeasurementError, match="mlp-deep-8chip has no inputs to run"):
        next(verify(shared, loihi_gym.load("mlp-deep-8chip")))


def test_an_illegal_mapping_is_refused(shared):
    problem = loihi_gym.load("mlp-xs")
    with pytest.raises(IllegalMappingError):
        next(verify(shared, problem, Mapping([1] * 5, [0] * 5)))


def test_a_missing_record_is_an_error(shared, monkeypatch):
    monkeypatch.setattr(shared, "request", lambda *_, **__: None)
    network = toy_network()
    with pytest.raises(MeasurementError, match="no record of layer_0"):
        simulate(shared, network, toy_inputs(network, 2))


def test_spread_mappings_compute_the_same(shared):
    problem = loihi_gym.load("mlp-xs")
    for seed in range(3):
        mapping = spread_mapping(problem, seed)
        assert compare(shared, problem.network, problem.inputs, mapping.cores_per_layer).equal
