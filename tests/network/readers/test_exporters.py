"""NIR files laid out as each framework's exporter does, whose time step is nowhere in them.

Each network is built by hand with the exporter's own shapes and units, and run beside the update
rule of the framework's neuron, written down here from its documentation.
`tools/compare_exporters.py` does the same with the frameworks themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import nir
import numpy as np
import pytest

from loihi_gym.network import SparseMLP, run
from loihi_gym.network.readers import read_network
from loihi_gym.network.readers.nir_time import time_step

STEPS, WIDTHS = 150, (20, 30, 12)


@dataclass(frozen=True)
class Exporter:
    """An exporter.

    Attributes:
        node: What it writes for so many neurons.
        step: The framework's own rule: it updates a state (2, n), the voltage first, by an input.
        dt: The time step that must be found.
        gain: How large weights are, for neurons to spike now and then.
        agreement: Part of spikes that must be the framework's; its rule may not be NIR's exactly.
    """

    node: Callable[[int], nir.NIRNode]
    step: Callable[[np.ndarray, np.ndarray], np.ndarray]
    dt: float
    gain: float
    agreement: float = 0.95


def leaky(beta: float, gain: float = 1.0):
    """V = beta v + gain I, the whole state being v."""

    def step(state, drive):
        state[0] = beta * state[0] + gain * drive
        return state[0]

    return step


def current_based(alpha: float, beta: float, gain: float = 1.0):
    """I = alpha i + gain I;  v = beta v + i, the state being (v, i)."""

    def step(state, drive):
        state[1] = alpha * state[1] + gain * drive
        state[0] = beta * state[0] + state[1]
        return state[0]

    return step


def rockpool(state, drive):
    """An input is added to the current whole, which then decays, as the voltage does."""
    state[1] = (state[1] + drive) * np.exp(-1e-3 / 0.01)
    state[0] = state[0] * np.exp(-1e-3 / 0.02) + state[1]
    return state[0]


def norse(state, drive):
    """An input is added to the current whole, once it has decayed."""
    state[1] = 0.8 * state[1] + drive
    state[0] = 0.9 * state[0] + 0.1 * state[1]
    return state[0]


def snntorch_leaky(n: int) -> nir.LIF:
    beta = np.full(n, 0.9, np.float32)
    tau = 1e-4 / (1 - beta)
    return nir.LIF(tau, tau / 1e-4, 0 * beta, np.ones(n, np.float32), 0 * beta)


def snntorch_synaptic(n: int) -> nir.CubaLIF:
    alpha, beta = np.full(n, 0.8, np.float32), np.full(n, 0.9, np.float32)
    slow, fast = 1e-4 / (1 - beta), 1e-4 / (1 - alpha)
    one = np.ones(n, np.float32)
    gains = {"r": slow / 1e-4, "w_in": fast / 1e-4}
    return nir.CubaLIF(
        tau_syn=fast, tau_mem=slow, v_leak=0 * one, v_threshold=one, v_reset=0 * one, **gains
    )


def norse_lif_box(n: int) -> nir.LIF:
    scalar = np.array(1e-3 / 100, np.float32)  # one number for all
    return nir.LIF(scalar, np.ones((), np.float32), 0 * scalar, np.ones((), np.float32))


def norse_lif(n: int) -> nir.CubaLIF:
    scalar = np.ones((), np.float32)
    return nir.CubaLIF(
        tau_syn=1e-3 / 200 * scalar,
        tau_mem=1e-3 / 100 * scalar,
        r=scalar,
        v_leak=0 * scalar,
        v_threshold=scalar,
    )


def sinabs_lif(n: int) -> nir.LIF:
    scalar = np.array([20.0], np.float32)
    return nir.LIF(scalar, np.ones(1, np.float32), 0 * scalar, np.ones(1, np.float32))


def spikingjelly_lif(decays_input: bool) -> Callable[[int], nir.LIF]:
    def node(n: int) -> nir.LIF:
        r = np.full(n, 1.0 if decays_input else 2.0)
        return nir.LIF(np.full(n, 2.0 * 1e-4), r, np.zeros(n), np.ones(n), np.zeros(n))

    return node


def rockpool_lif(n: int) -> nir.CubaLIF:
    slow, fast = np.full(n, 0.02, np.float32), np.full(n, 0.01, np.float32)
    r = slow * np.exp(-1e-3 / slow) / 1e-3
    return nir.CubaLIF(tau_syn=fast, tau_mem=slow, r=r, v_leak=0 * slow, v_threshold=0 * slow + 1)


EXPORTERS = {
    "snnTorch Leaky": Exporter(snntorch_leaky, leaky(0.9), 1e-4, 1.0),
    "snnTorch Synaptic": Exporter(snntorch_synaptic, current_based(0.8, 0.9), 1e-4, 0.3),
    "Norse LIFBox": Exporter(norse_lif_box, leaky(0.9, 0.1), 1e-6, 6.0),
    "Norse LIF": Exporter(norse_lif, norse, 1e-6, 1.5, 0.9),
    "Norse IAF": Exporter(lambda n: nir.IF(np.ones(()), np.ones(())), leaky(1.0), 1.0, 1.0),
    "sinabs IAF": Exporter(lambda n: nir.IF(np.ones(n), np.ones(n)), leaky(1.0), 1.0, 1.0),
    "sinabs LIF": Exporter(sinabs_lif, leaky(np.exp(-1 / 20), 1 - np.exp(-1 / 20)), 1.0, 8.0, 0.93),
    "spikingjelly IF": Exporter(
        lambda n: nir.IF(np.full(n, 1e4), np.ones(n), np.zeros(n)), leaky(1.0), 1e-4, 1.0
    ),
    "spikingjelly LIF": Exporter(spikingjelly_lif(True), leaky(0.5, 0.5), 1e-4, 1.5),
    "spikingjelly LIF, inputs whole": Exporter(spikingjelly_lif(False), leaky(0.5), 1e-4, 1.0),
    "Rockpool LIF": Exporter(rockpool_lif, rockpool, 1e-3, 0.1, 0.88),
}


def framework(
    exporter: Exporter, weights: list[np.ndarray], inputs: np.ndarray
) -> list[np.ndarray]:
    """Spikes of each layer by the framework's rule, a step of delay each, reset to 0."""
    sent = [inputs]
    for weight in weights:
        state, out = np.zeros((2, len(weight))), np.zeros((STEPS, len(weight)), int)
        for step in range(STEPS):
            arriving = weight @ sent[-1][step - 1] if step else np.zeros(len(weight))
            out[step] = exporter.step(state, arriving) > 1
            state[0] = np.where(out[step], 0, state[0])
        sent.append(out)
    return sent


def alone(network: SparseMLP, layer: int) -> SparseMLP:
    """One layer of a network."""
    at = slice(layer - 1, layer)
    parts = (network.weights, network.exponents, network.thresholds, network.biases, network.decays)
    weights, exponents, thresholds, biases, decays = (part[at] for part in parts)
    return SparseMLP(weights, exponents, thresholds, "lif", biases, decays)


@pytest.mark.parametrize("exporter", EXPORTERS.values(), ids=EXPORTERS.keys())
def test_a_network_spikes_as_in_the_framework_that_wrote_it(tmp_path, exporter):
    rng = np.random.default_rng(0)
    inputs = (rng.random((STEPS, WIDTHS[0])) < 0.3).astype(int)
    weights = [rng.normal(0.1, 0.4, (n, m)) * exporter.gain for m, n in pairwise(WIDTHS)]
    nodes = {"input": nir.Input(input_type={"input": np.array([WIDTHS[0]])})}
    for number, weight in enumerate(weights):
        nodes[f"{2 * number}"] = nir.Linear(weight=weight)
        nodes[f"{2 * number + 1}"] = exporter.node(len(weight))
    nodes["output"] = nir.Output(output_type={"output": np.array([WIDTHS[-1]])})
    graph = nir.NIRGraph(nodes=nodes, edges=list(pairwise(nodes)), type_check=False)
    nir.write(tmp_path / "a.nir", graph, compression=None)  # numbers alone cannot be compressed
    imported = read_network(tmp_path / "a.nir", inputs)
    assert f"time step {exporter.dt:g} (" in imported.notes[0]
    wanted = framework(exporter, weights, inputs)
    for layer in (1, 2):  # each by itself: what differs does not add up
        mine = run(alone(imported.network, layer), wanted[layer - 1])[1]
        assert 0.05 < wanted[layer].mean() < 0.8
        assert (mine == wanted[layer]).mean() > exporter.agreement
    whole = isinstance(nodes["1"], nir.CubaLIF) and (nodes["1"].w_in == 1).all()
    assert any("added whole" in note for note in imported.notes) == whole


def test_what_does_not_tell_is_the_default():
    n = np.ones(3)
    plain = nir.LIF(tau=0.02 * n, r=n, v_leak=0 * n, v_threshold=n)
    odd = nir.LIF(tau=0.02 * n, r=3.3 * n, v_leak=0 * n, v_threshold=n)
    mixed = [snntorch_leaky(3), nir.IF(n, n)]
    varied = nir.IF(np.array([1.0, 2.0, 3.0]), n)
    for nodes in ([], [plain], [odd], mixed, [varied], [nir.Threshold(n)]):
        assert time_step(nodes)[0] == 1e-4
        assert "default" in time_step(nodes)[1]
    assert time_step([snntorch_leaky(3), odd])[0] == pytest.approx(1e-4)
