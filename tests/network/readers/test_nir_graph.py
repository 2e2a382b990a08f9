from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import pytest

from loihi_gym.errors import NetworkFileError, NetworkImportError
from loihi_gym.network import run
from loihi_gym.network.readers import read_network

DT = 1e-4


def write(path: Path, *nodes: nir.NIRNode, edges: list | None = None) -> Path:
    named = {str(i): node for i, node in enumerate(nodes)}
    width_in = nodes[0].input_type["input"] if nodes else np.array([3])
    ends = {
        "input": nir.Input(input_type={"input": width_in}),
        "output": nir.Output(output_type={"output": np.array([1])}),
    }
    names = ["input", *named, "output"]
    chain = list(pairwise(names))
    graph = nir.NIRGraph(nodes=ends | named, edges=edges or chain, type_check=False)
    nir.write(path, graph)
    return path


def affine(seed: int, n: int, m: int, bias: float = 0.0) -> nir.Affine:
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, 1, (n, m)) * (rng.random((n, m)) < 0.6)
    return nir.Affine(weight=weight, bias=rng.normal(0, bias, n) if bias else np.zeros(n))


def lif(n: int, tau: float = 20 * DT, **changes: object) -> nir.LIF:
    good = {
        "tau": np.full(n, tau),
        "r": np.full(n, tau / DT),
        "v_leak": np.zeros(n),
        "v_threshold": np.linspace(1.0, 2.0, n),
        "v_reset": np.zeros(n),
    }
    return nir.LIF(**{**good, **changes})


def spikes(steps: int, width: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((steps, width)) < 0.3).astype(int)


def float_spikes(nodes: list, inputs: np.ndarray) -> list[np.ndarray]:
    """NIR's equations in floats, forward Euler, one step of delay per layer."""
    sent = [inputs]
    for affine_node, node in zip(nodes[::2], nodes[1::2], strict=True):
        bias = getattr(affine_node, "bias", 0.0)
        drive = np.array(
            [np.zeros(len(affine_node.weight)), *(sent[-1] @ affine_node.weight.T)[:-1]]
        )
        drive = drive + bias
        out, v, i = np.zeros_like(drive), np.zeros(drive.shape[1]), np.zeros(drive.shape[1])
        for step, value in enumerate(drive):
            if isinstance(node, nir.CubaLIF):
                i = i + DT / node.tau_syn * (node.w_in * value - i)
                v = v + DT / node.tau_mem * (node.v_leak - v + node.r * i)
            elif isinstance(node, nir.LIF):
                v = v + DT / node.tau * (node.v_leak - v + node.r * value)
            elif isinstance(node, nir.IF):
                v = v + DT * node.r * value
            else:
                v = value
            threshold = getattr(node, "v_threshold", getattr(node, "threshold", None))
            out[step] = v > threshold
            v = np.where(out[step], 0, v)
        sent.append(out)
    return sent


def cuba(n: int) -> nir.CubaLIF:
    return nir.CubaLIF(
        tau_syn=np.full(n, 5 * DT),
        tau_mem=np.full(n, 10 * DT),
        r=np.full(n, 50.0),
        v_leak=np.full(n, 0.05),
        v_threshold=np.full(n, 1.5),
        w_in=np.full(n, 2.0),
    )


NEURONS = {
    "LIF": lif,
    "leaking to another voltage": lambda n: lif(n, v_leak=np.full(n, 0.3)),
    "CubaLIF": cuba,
    "IF": lambda n: nir.IF(r=np.full(n, 1 / DT), v_threshold=np.linspace(2, 3, n)),
    "Threshold": lambda n: nir.Threshold(threshold=np.linspace(0.3, 0.8, n)),
}


@pytest.mark.parametrize("neurons", NEURONS.values(), ids=NEURONS.keys())
@pytest.mark.parametrize("bias", [0.0, 0.2])
def test_a_graph_spikes_as_its_equations_say(tmp_path, neurons, bias):
    nodes = [affine(1, 40, 30, bias), neurons(40), affine(2, 20, 40, bias), neurons(20)]
    inputs = spikes(200, 30)
    imported = read_network(write(tmp_path / "a.nir", *nodes), inputs)
    mine, theirs = run(imported.network, imported.inputs), float_spikes(nodes, inputs)
    assert imported.network.widths == (30, 40, 20)
    for layer in (1, 2):
        rate, wanted = mine[layer].mean(axis=0), theirs[layer].mean(axis=0)
        assert wanted.mean() > 0.02
        # int8 weights move single spikes, not what a neuron does.
        assert abs(rate.mean() - wanted.mean()) < 0.05 * wanted.mean() + 0.002
        assert np.corrcoef(rate, wanted)[0, 1] > 0.98
    assert (mine[1] == theirs[1]).mean() > 0.97


def test_a_linear_node_has_no_bias(tmp_path):
    nodes = [nir.Linear(weight=affine(1, 6, 3).weight), lif(6)]
    assert read_network(write(tmp_path / "a.nir", *nodes), spikes(9, 3)).network.biases == ()


def test_the_time_step_sets_the_decay(tmp_path):
    path = write(tmp_path / "a.nir", affine(1, 6, 3), lif(6))
    assert read_network(path, spikes(9, 3)).network.decays == ((4096, round(4096 / 20)),)
    assert read_network(path, spikes(9, 3), dt_s=1e-3).network.decays == ((4096, 2048),)


@pytest.mark.parametrize("last", [None, "LI", "CubaLI"])
def test_a_readout_sends_nothing(tmp_path, last):
    n = np.full(4, 10 * DT)
    readouts = {
        None: [],
        "LI": [nir.LI(tau=n, r=np.ones(4), v_leak=np.zeros(4))],
        "CubaLI": [nir.CubaLI(tau_syn=n, tau_mem=n, r=np.ones(4), v_leak=np.zeros(4))],
    }
    nodes = [affine(1, 9, 3), lif(9), affine(2, 4, 9), *readouts[last]]
    imported = read_network(write(tmp_path / "a.nir", *nodes), spikes(50, 3))
    sent = run(imported.network, imported.inputs)
    assert sent[1].any()
    assert not sent[2].any()
    assert any("readout" in note for note in imported.notes)


CONV = nir.Conv2d(
    input_shape=(8, 8),
    weight=np.ones((2, 1, 3, 3)),
    stride=1,
    padding=0,
    dilation=1,
    groups=1,
    bias=np.zeros(2),
)
REFUSED = {
    "conv": (
        [affine(1, 4, 3), lif(4), CONV],
        "layer 2 (Conv2d): a signal of shape (4,) cannot become (1, 8, 8)",
    ),
    "scale": ([affine(1, 4, 3), nir.Scale(scale=np.ones(3)), lif(4)], "layer 1 (Scale): 3 factors"),
    "delay": ([affine(1, 4, 3), nir.Delay(delay=np.ones(4)), lif(4)], "layer 1 (Delay): supported"),
    "no weights": ([lif(3), affine(1, 4, 3)], "layer 0 (LIF): neurons must follow"),
    "silent within": (
        [affine(1, 4, 3), nir.LI(np.ones(4), np.ones(4), np.ones(4)), affine(2, 4, 4), lif(4)],
        "layer 1 (LI): it never spikes",
    ),
    "time constants": ([affine(1, 4, 3), lif(4, tau=np.array([1, 2, 3, 4.0]))], "tau differs"),
    "too short": ([affine(1, 4, 3), lif(4, tau=DT / 2)], "shorter than the time step"),
    "reset": ([affine(1, 4, 3), lif(4, v_reset=np.ones(4))], "reset to 0 only"),
    "threshold": ([affine(1, 4, 3), lif(4, v_threshold=np.zeros(4))], "not positive"),
}


@pytest.mark.parametrize(("nodes", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_supported_is_named(tmp_path, nodes, message):
    path = write(tmp_path / "a.nir", *nodes)
    with pytest.raises(NetworkImportError) as caught:
        read_network(path, spikes(9, 3))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_recurrent_graphs_are_refused(tmp_path):
    edges = [("input", "0"), ("0", "1"), ("1", "0"), ("1", "output")]
    path = write(tmp_path / "a.nir", affine(1, 3, 3), lif(3), edges=edges)
    with pytest.raises(NetworkImportError, match=r"layer [01] \(\w+\): recurrent"):
        read_network(path, spikes(9, 3))


def test_a_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "a.nir"
    path.write_bytes(b"hello")
    with pytest.raises(NetworkFileError, match="not a NIR"):
        read_network(path, spikes(9, 3))
    with pytest.raises(NetworkFileError, match="No such file"):
        read_network(tmp_path / "b.nir", spikes(9, 3))


def slow_conv(signal, node):
    """A convolution tap by tap; `signal` (channels, height, width)."""
    (up, left), (down, right) = node.stride, node.dilation
    padded = np.pad(signal, ((0, 0), *((p, p) for p in node.padding)))
    out, inner, high, wide = node.weight.shape
    rows = (padded.shape[1] - down * (high - 1) - 1) // up + 1
    columns = (padded.shape[2] - right * (wide - 1) - 1) // left + 1
    found = np.zeros((out, rows, columns))
    for channel, row, column in np.ndindex(*found.shape):
        first = channel // (out // node.groups) * inner
        for i, y, x in np.ndindex(inner, high, wide):
            value = padded[first + i, row * up + y * down, column * left + x * right]
            found[channel, row, column] += node.weight[channel, i, y, x] * value
    return found + node.bias[:, None, None]


def slow_pool(signal, node):
    (high, wide), (up, left) = node.kernel_size, node.stride
    rows, columns = (signal.shape[1] - high) // up + 1, (signal.shape[2] - wide) // left + 1
    found = np.zeros((len(signal), rows, columns))
    for channel, row, column in np.ndindex(*found.shape):
        window = signal[channel, row * up : row * up + high, column * left : column * left + wide]
        found[channel, row, column] = window.sum()
    return found / (high * wide if isinstance(node, nir.AvgPool2d) else 1)


def conv(seed: int, out: int, inner: int, **changes: object) -> nir.Conv2d:
    rng = np.random.default_rng(seed)
    settings = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, **changes}
    weight, bias = rng.normal(0, 0.7, (out, inner, 3, 2)), rng.normal(0, 0.1, out)
    return nir.Conv2d(input_shape=settings.pop("size", None), weight=weight, bias=bias, **settings)


def pool(kind, size: int):
    pair = np.array([size, size])
    return kind(kernel_size=pair, stride=pair, padding=0 * pair)


def neurons_of(shape: tuple[int, ...]) -> nir.LIF:
    """Parameters shaped like the signal; a time constant for all."""
    tau = np.full(shape, 4 * DT)
    threshold = np.broadcast_to(np.linspace(0.8, 1.2, shape[0]).reshape(-1, 1, 1), shape)
    return nir.LIF(
        tau=tau, r=tau / DT, v_leak=0 * tau, v_threshold=threshold.copy(), v_reset=0 * tau
    )


@pytest.mark.parametrize("flat", [False, True])
def test_a_convolutional_graph_spikes_as_its_equations_say(tmp_path, flat):
    first = conv(1, 4, 2, padding=(1, 0), stride=(1, 2), size=(8, 9))
    second = conv(2, 6, 2, dilation=(1, 2), groups=2, size=(8, 4))
    nodes = [first, neurons_of((4, 8, 4)), pool(nir.SumPool2d, 1), second]
    nodes += [
        neurons_of((6, 6, 2)),
        pool(nir.AvgPool2d, 2),
        nir.Flatten({"input": np.array([6, 3, 1])}, 0, -1),
    ]
    last = affine(3, 5, 18)
    nodes += [last, lif(5, v_threshold=np.full(5, 0.3))]
    spiking = (np.random.default_rng(0).random((120, 2, 8, 9)) < 0.3).astype(int)
    path = tmp_path / "a.nir"
    write(path, *nodes)
    given = spiking.reshape(120, -1) if flat else spiking
    imported = read_network(path, given)
    assert imported.network.widths == (144, 128, 72, 5)
    assert any("layer 3 is the product of 5 (AvgPool2d), 7 (Affine)" in n for n in imported.notes)

    def drive(layer, sent):
        if layer == 1:
            return slow_conv(sent.reshape(2, 8, 9), first).ravel()
        if layer == 2:
            return slow_conv(sent.reshape(4, 8, 4), second).ravel()
        pooled = slow_pool(sent.reshape(6, 6, 2), nodes[5]).ravel()
        return last.weight @ pooled + last.bias

    mine = run(imported.network, imported.inputs)
    before = spiking.reshape(120, -1)
    for layer, node in ((1, nodes[1]), (2, nodes[4]), (3, nodes[8])):
        wanted, v = np.zeros_like(mine[layer]), np.zeros(mine[layer].shape[1])
        for step in range(120):
            sent = before[step - 1] if step else 0 * before[0]
            leak = DT / node.tau.ravel()
            v = v + leak * (node.r.ravel() * drive(layer, sent) - v)
            wanted[step] = v > node.v_threshold.ravel()
            v = np.where(wanted[step], 0, v)
        assert 0.02 < wanted.mean() < 0.9
        assert (mine[layer] == wanted).mean() > 0.97
        before = mine[layer]  # each layer by itself: rounding does not add up


def test_linear_maps_that_follow_each_other_are_multiplied(tmp_path):
    scale = np.linspace(0.5, 2, 4)
    nodes = [affine(1, 6, 3, 0.2), affine(2, 4, 6, 0.2), nir.Scale(scale=scale), lif(4)]
    one = nir.Affine(
        weight=scale[:, None] * (nodes[1].weight @ nodes[0].weight),
        bias=scale * (nodes[1].weight @ nodes[0].bias + nodes[1].bias),
    )
    product = read_network(write(tmp_path / "a.nir", *nodes), spikes(9, 3)).network
    single = read_network(write(tmp_path / "b.nir", one, lif(4)), spikes(9, 3)).network
    assert (product.weights[0] != single.weights[0]).nnz == 0
    assert product.exponents == single.exponents
    assert (product.biases[0] == single.biases[0]).all()
