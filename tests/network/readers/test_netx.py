from pathlib import Path

import h5py
import numpy as np
import pytest

from loihi_gym.errors import NetworkFileError, NetworkImportError
from loihi_gym.network import run
from loihi_gym.network.readers import read_network

CUBA = {"type": "CUBA", "iDecay": 4096, "vDecay": 415, "vThMant": 6, "refDelay": 1}
CUBA["gradedSpike"] = False
SDNN = {"type": "SDNN", "activation": "relu", "vThMant": 6}


def write(path: Path, *layers: dict) -> Path:
    """A file in the layout of slayer's export_hdf5, types and shapes included."""
    with h5py.File(path, "w") as file:
        for number, layer in enumerate(layers):
            group = file.create_group(f"layer/{number}")
            for key, value in layer.items():
                if key == "type":
                    group.create_dataset("type", (1,), "S10", [value.encode("ascii")])
                elif key == "neuron":
                    for name, entry in value.items():
                        group.create_dataset(f"neuron/{name}", data=entry)
                else:
                    group.create_dataset(key, data=value)
        file.create_dataset("simulation/Ts", data=1)
    return path


def dense(weight: np.ndarray, neuron: dict | None = CUBA, **more: object) -> dict:
    layer = {
        "type": "dense",
        "shape": np.array([len(weight)]),
        "inFeatures": weight.shape[1],
        "outFeatures": len(weight),
        "weight": weight.astype(np.float32),
    }
    return {**layer, **({} if neuron is None else {"neuron": neuron}), **more}


def even(seed: int, *shape: int, limit: int = 128) -> np.ndarray:
    """Mixed-sign weights as slayer exports them: even, -256 to 254; a third are 0."""
    rng = np.random.default_rng(seed)
    return 2 * rng.integers(-limit, limit, shape) * (rng.random(shape) < 2 / 3)


def spikes(steps: int, width: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((steps, width)) < 0.3).astype(np.uint8)


def lava_lif(weights: list[np.ndarray], neurons: list[dict], inputs: np.ndarray) -> list[list]:
    """Spikes of netx's LIF network in Python's integers, from Lava's difference equations."""
    sent, counts = [inputs.tolist()], []
    for weight, neuron in zip(weights, neurons, strict=True):
        u, v, out = [0] * len(weight), [0] * len(weight), []
        for step in range(len(inputs)):
            before = sent[-1][step - 1] if step else [0] * weight.shape[1]
            row = []
            for n in range(len(weight)):
                a = sum(int(w) * s for w, s in zip(weight[n], before, strict=True))
                u[n] = int(u[n] * (4096 - neuron["iDecay"]) / 4096) + (a << 6)
                v[n] = int(v[n] * (4096 - neuron["vDecay"]) / 4096) + u[n]
                v[n] += int(neuron.get("bias", 0)) << 6
                row.append(int(v[n] > neuron["vThMant"] << 6))
                v[n] = 0 if row[-1] else v[n]
            out.append(row)
        sent.append(out)
        counts.append(np.sum(out))
    assert all(counts)
    return sent


@pytest.mark.parametrize("with_input", [False, True])
@pytest.mark.parametrize("limit", [63, 128])
def test_a_lif_network_spikes_as_lavas(tmp_path, with_input, limit):
    weights = [even(1, 9, 7, limit=limit), even(2, 5, 9, limit=limit)]
    neurons = [{**CUBA, "vThMant": 80}, {**CUBA, "iDecay": 1024, "vThMant": 90}]
    layers = [dense(w, n) for w, n in zip(weights, neurons, strict=True)]
    if with_input:
        layers.insert(0, {"type": "input", "shape": np.array([7]), "neuron": CUBA})
    imported = read_network(write(tmp_path / "a.net", *layers), spikes(40, 7))
    network = imported.network
    assert network.neuron == "lif"
    assert network.widths == (7, 9, 5)
    assert network.exponents == ((0, 0) if limit == 63 else (1, 1))
    assert network.synapses == sum(int((w != 0).sum()) for w in weights)
    expected = lava_lif(weights, neurons, spikes(40, 7))
    for mine, theirs in zip(run(network, imported.inputs), expected, strict=True):
        assert mine.tolist() == theirs


def test_biases_are_lavas(tmp_path):
    weight, bias = even(3, 6, 4), np.arange(6, dtype=np.float32)
    path = write(tmp_path / "a.net", dense(weight, {**CUBA, "vThMant": 90}, bias=bias))
    assert read_network(path, spikes(9, 4)).network.biases[0].tolist() == (bias * 64).tolist()
    same = write(tmp_path / "b.net", dense(weight, bias=np.array([5.0])))
    assert read_network(same, spikes(9, 4)).network.biases[0].tolist() == [320] * 6


def test_a_last_layer_without_neurons_integrates(tmp_path):
    path = write(tmp_path / "a.net", dense(even(1, 9, 7)), dense(even(2, 5, 9), None))
    network = read_network(path, spikes(9, 7)).network
    assert network.thresholds == (6, 1 << 17)
    assert network.decays == ((4096, 415), (0, 4096))


def sdnn(weights: list[np.ndarray], thresholds: list[int], inputs: np.ndarray) -> list:
    """netx's sigma-delta network at its full state resolution, floats being exact here."""
    value = inputs.astype(float) * 64
    known, outputs = np.zeros(value.shape[1]), []
    for row in value:
        send = np.abs(row - known) >= thresholds[0]
        known = np.where(send, row, known)
        outputs.append(known.copy())
    for weight, threshold in zip(weights, thresholds[1:], strict=True):
        state = np.maximum(
            np.array([np.zeros(len(weight)), *(weight @ np.array(outputs).T / 64).T[:-1]]), 0
        )
        known, outputs = np.zeros(len(weight)), []
        for row in state:
            known = np.where(np.abs(row - known) >= threshold, row, known)
            outputs.append(known.copy())
    return outputs


def test_a_sigma_delta_network_follows_netx(tmp_path):
    weights = [even(1, 12, 6, limit=40), even(2, 4, 12, limit=40)]
    layers = [{"type": "input", "shape": np.array([6]), "neuron": SDNN}]
    layers += [dense(w, SDNN) for w in weights]
    inputs = np.cumsum(np.random.default_rng(0).integers(-1, 2, (60, 6)), axis=0)
    imported = read_network(write(tmp_path / "a.net", *layers), inputs)
    network = imported.network
    assert network.neuron == "sigma-delta"
    assert network.thresholds == (6 << 6, 6 << 6)
    assert any("rounding" in note for note in imported.notes)
    mine = np.cumsum(run(network, imported.inputs)[-1], axis=0) / 64
    theirs = np.array(sdnn(weights, [6, 6, 6], inputs))
    # What is known of the outputs: a held-back change or a rounded bit apart, at most.
    assert np.abs(mine - theirs).max() <= 2 * 6 + 1
    assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.999


def test_an_sdnn_inputs_held_back_changes_send_nothing(tmp_path):
    layer = {"type": "input", "shape": np.array([1]), "neuron": {**SDNN, "vThMant": 200}}
    path = write(tmp_path / "a.net", layer, dense(np.array([[2]]), SDNN))
    imported = read_network(path, np.array([[1], [3], [4], [8]]))
    sent = run(imported.network, imported.inputs)[0]
    assert sent[:, 0].tolist() == [0, 0, 4 * 64 * 64, 4 * 64 * 64]


def test_weights_beyond_eight_bits_are_rounded_and_said_to_be(tmp_path):
    weight = np.array([[255, -100, 0], [3, 4, 0]])
    imported = read_network(write(tmp_path / "a.net", dense(weight)), spikes(9, 3))
    assert imported.network.weights[0].toarray().tolist() == [[127, -50, 0], [2, 2, 0]]
    assert imported.network.exponents == (1,)
    assert "2 of 6 weights need more than 8 bits" in imported.notes[0]


CONV = {"type": "conv", "shape": np.array([4, 4, 2]), "weight": np.ones((2, 1, 3, 3, 1))}
REFUSED = {
    "conv of a flat signal": ([CONV], "layer 0 (conv): its input has no channels"),
    "conv after dense": ([dense(even(1, 4, 3)), CONV], "layer 1 (conv)"),
    "average": ([{"type": "average", "shape": np.array([4])}], "layer 0 (average): only dense and"),
    "pool": ([{"type": "pool", "shape": np.array([4])}], "layer 0 (pool)"),
    "recurrent": (
        [{**dense(even(1, 4, 3)), "type": "dense_rec", "weight_rec": np.ones((4, 4))}],
        "layer 0 (dense_rec)",
    ),
    "complex": (
        [{**dense(even(1, 4, 3)), "weight": None} | {"weight/real": np.ones((4, 3))}],
        "complex weights",
    ),
    "delays": ([dense(even(1, 4, 3), delay=np.array([0, 2, 0, 1]))], "axonal delays"),
    "refractory": ([dense(even(1, 4, 3), {**CUBA, "refDelay": 2})], "a refractory delay of 2"),
    "graded": ([dense(even(1, 4, 3), {**CUBA, "gradedSpike": True})], "graded spikes"),
    "resonator": ([dense(even(1, 4, 3), {"type": "RF_IZ"})], "layer 0 (RF_IZ): only CUBA"),
    "other activation": ([dense(even(1, 4, 3), {**SDNN, "activation": "tanh"})], "'tanh'"),
    "decays per neuron": (
        [dense(even(1, 4, 3), {**CUBA, "vDecay": np.array([1, 2, 3, 4])})],
        "vDecay must be one number",
    ),
    "mixed": ([dense(even(1, 4, 3), CUBA), dense(even(2, 3, 4), SDNN)], "mixes CUBA and SDNN"),
    "broken chain": ([dense(even(1, 4, 3)), dense(even(2, 3, 5))], "layer 1 (dense): it takes 5"),
    "float weights": ([dense(even(1, 4, 3) + 0.5)], "not whole numbers"),
    "wrong biases": ([dense(even(1, 4, 3), bias=np.ones(3))], "3 biases for 4 neurons"),
    "nothing": ([], "has no dense or conv layer"),
    "only an input": ([{"type": "input", "shape": np.array([4])}], "has no dense or conv layer"),
}


@pytest.mark.parametrize(("layers", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_supported_is_named(tmp_path, layers, message):
    clean = [{k: v for k, v in layer.items() if v is not None} for layer in layers]
    path = write(tmp_path / "a.net", *clean)
    if not layers:
        with h5py.File(path, "a") as file:
            file.create_group("layer")
    with pytest.raises(NetworkImportError) as caught:
        read_network(path, spikes(9, 3))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_inputs_of_another_width_or_with_fractions_are_refused(tmp_path):
    path = write(tmp_path / "a.net", dense(even(1, 4, 3)))
    with pytest.raises(NetworkImportError, match=r"\(time steps, 3\)"):
        read_network(path, spikes(9, 4))
    with pytest.raises(NetworkImportError, match="fractions"):
        read_network(path, np.full((9, 3), 0.5))
    with pytest.raises(NetworkImportError, match="--activity"):
        read_network(path, None)
    with pytest.raises(NetworkImportError, match="finite"):
        read_network(path, np.full((9, 3), np.nan))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_a_file_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "a.net"
    path.write_bytes(content)
    with pytest.raises(NetworkFileError, match="not a netx"):
        read_network(path, spikes(9, 3))
    with pytest.raises(NetworkFileError, match="No such file"):
        read_network(tmp_path / "none.net", spikes(9, 3))


def conv(weight: np.ndarray, **changes: object) -> dict:
    """As slayer's AbstractConv.export_hdf5 writes it."""
    settings = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, **changes}
    return {
        **{"type": "conv", "weight": weight.astype(np.float32), "neuron": {**CUBA, "vThMant": 60}},
        **{key: np.array(value) for key, value in settings.items()},
    }


@pytest.mark.parametrize("flat", [False, True])
def test_a_convolutional_network_spikes_as_lavas(tmp_path, flat):
    kernel, groups = even(4, 4, 1, 3, 2, limit=60), 2
    layer = conv(kernel, stride=(2, 1), padding=(1, 0), groups=groups, bias=np.arange(4.0))
    weight = even(5, 3, 4 * 3 * 5, limit=40)
    layers = [
        {"type": "input", "shape": np.array([2, 5, 6])},
        {**layer, "shape": np.array([4, 3, 5])},
        {"type": "flatten", "shape": np.array([60])},
        dense(weight, {**CUBA, "vThMant": 90}),
    ]
    signal = spikes(30, 60).reshape(30, 2, 5, 6)
    path = write(tmp_path / "a.net", *layers)
    imported = read_network(path, signal.reshape(30, 60) if flat else signal)
    assert imported.network.widths == (60, 60, 3)
    # The convolution as a matrix, tap by tap.
    matrix = np.zeros((4, 3, 5, 2, 5, 6), int)
    for channel, row, column, y, x in np.ndindex(4, 3, 5, 3, 2):
        if 0 <= 2 * row + y - 1 < 5:
            group = channel // 2
            matrix[channel, row, column, group, 2 * row + y - 1, column + x] = kernel[
                channel, 0, y, x
            ]
    neurons = [{**CUBA, "vThMant": 60}, {**CUBA, "vThMant": 90}]
    biases = np.repeat(np.arange(4), 15)
    sent = run(imported.network, imported.inputs)
    assert imported.network.biases[0].tolist() == (biases * 64).tolist()
    wanted = biased_lif(matrix.reshape(60, 60), biases, neurons[0], spikes(30, 60))
    assert sent[1].tolist() == wanted.tolist()
    assert sent[2].tolist() == lava_lif([weight], neurons[1:], sent[1])[1]


def biased_lif(weight, bias, neuron, inputs):
    """One layer of Lava's LIF in integers, its bias for each neuron."""
    u, v, out = np.zeros(len(weight), int), np.zeros(len(weight), int), []
    for step in range(len(inputs)):
        arriving = weight @ inputs[step - 1].astype(int) if step else 0 * u
        u = np.trunc(u * (4096 - neuron["iDecay"]) / 4096).astype(int) + (arriving << 6)
        v = np.trunc(v * (4096 - neuron["vDecay"]) / 4096).astype(int) + u + (bias << 6)
        out.append((v > neuron["vThMant"] << 6).astype(int))
        v = np.where(out[-1], 0, v)
    assert 0.02 < np.mean(out) < 0.9
    return np.array(out)
