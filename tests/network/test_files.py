import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from loihi_gym.errors import NetworkFileError
from loihi_gym.network import SparseMLP, load_network, random_mask, save_network
from tests.toys import DATA, examples, toy_inputs, toy_network

NAMES = ["mlp-xs", "mlp-deep", "mlp-wide"]


def equal(one: SparseMLP, other: SparseMLP) -> bool:
    def parts(network: SparseMLP):
        biases = [bias.tolist() for bias in network.biases]
        scalars = network.exponents, network.thresholds, network.neuron, network.decays
        return network.widths, biases, *scalars

    return parts(one) == parts(other) and all(
        (getattr(a, part) == getattr(b, part)).all()
        for a, b in zip(one.weights, other.weights, strict=True)
        for part in ("data", "indices", "indptr")
    )


def arrays(**changes: object) -> dict[str, object]:
    """A file's content: 3 inputs, 2 neurons, 2 synapses each; None drops an array."""
    good = {
        "version": 1,
        "widths": np.array([3, 2]),
        "exponents": np.array([0]),
        "thresholds": np.array([0]),
        "neuron": "relu",
        "inputs": np.ones((2, 3), np.int16),
        "weights_1": np.ones(4, np.int8),
        "indptr_1": np.array([0, 2, 4], np.int32),
        "indices_1": np.array([0, 1, 1, 2], np.int32),
    }
    return {key: value for key, value in {**good, **changes}.items() if value is not None}


def seeded(**changes: object) -> dict[str, object]:
    return arrays(indptr_1=None, indices_1=None, **{"mask_seed_1": 7, **changes})


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "mine.npz"


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "mine.npz"
    network = toy_network((4, 3, 2))
    save_network(path, network, toy_inputs(network, 3))
    return path.read_bytes()


def refused(path: Path) -> str:
    """The one-line message with which a file is refused."""
    with pytest.raises(NetworkFileError) as caught:
        load_network(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@examples(25)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    seed=st.integers(0, 1000),
    density=st.sampled_from([0.0, 0.4, 1.0]),
    neuron=st.sampled_from(["relu", "sigma-delta", "lif"]),
    bias=st.sampled_from([0, 9]),
)
def test_round_trip(tmp_path_factory, widths, seed, density, neuron, bias):
    path = tmp_path_factory.getbasetemp() / "round-trip.npz"
    network = toy_network(tuple(widths), density, seed, neuron, bias=bias)
    inputs = toy_inputs(network, 3, seed)
    save_network(path, network, inputs)
    again, samples = load_network(path)
    assert equal(network, again)
    assert (samples == inputs).all()
    assert samples.dtype == inputs.dtype


def test_round_trip_with_mask_seeds(path):
    seeds, layers = (11, 12), []
    for seed, (n_pre, n_post, fan_in) in zip(seeds, [(9, 6, 3), (6, 4, 6)], strict=True):
        indices = random_mask(seed, n_post, n_pre, fan_in).reshape(-1)
        data = np.arange(n_post * fan_in).astype(np.int8)
        indptr = np.arange(n_post + 1, dtype=np.int32) * fan_in
        layers.append(csr_array((data, indices, indptr), shape=(n_post, n_pre)))
    network = SparseMLP(tuple(layers), (-1, 2), (3, 4), "sigma-delta")
    save_network(path, network, np.ones((2, 9), np.int16), seeds)
    with np.load(path) as stored:
        assert not {"indices_1", "indptr_1", "indices_2", "indptr_2"} & set(stored.files)
    assert equal(network, load_network(path)[0])


@pytest.mark.parametrize("content", [arrays(), seeded()], ids=["indices", "mask seed"])
def test_the_content_that_later_tests_spoil_is_good(path, content):
    np.savez(path, **content)
    network, inputs = load_network(path)
    assert network.widths == (3, 2)
    assert network.synapses == 4
    assert inputs.tolist() == [[1, 1, 1], [1, 1, 1]]


SPOILT = {
    "no version": (arrays(version=None), "lacks 'version': not a valid network"),
    "wrong version": (arrays(version=2), "has version 2; this release reads 1"),
    "version in words": (arrays(version="one"), "not a valid network"),
    "no widths": (arrays(widths=None), "lacks 'widths'"),
    "widths no list": (arrays(widths=3), "not a valid network"),
    "one width": (arrays(widths=np.array([3])), "at least one weight matrix"),
    "negative width": (arrays(widths=np.array([3, -2])), "not a valid network"),
    "wrong width": (arrays(widths=np.array([3, 4])), "not a valid network"),
    "no neurons": (seeded(widths=np.array([3, 0])), "not a valid network"),
    "huge width": (
        seeded(widths=np.array([3, 10**15]), weights_1=np.ones(0, np.int8)),
        "not a valid network",
    ),
    "no weights": (arrays(weights_1=None), "lacks 'weights_1'"),
    "wide weights": (arrays(weights_1=np.ones(4, np.int16)), "weights_1 are int16"),
    "weights no list": (arrays(weights_1=np.ones((2, 2), np.int8)), "weights_1 are int8 (2, 2)"),
    "no mask": (arrays(indptr_1=None), "lacks 'indptr_1'"),
    "index beyond": (arrays(indices_1=np.array([0, 1, 1, 3])), "not a valid network"),
    "index below": (arrays(indices_1=np.array([-1, 1, 1, 2])), "not a valid network"),
    "index repeated": (arrays(indices_1=np.array([0, 0, 1, 2])), "ascend without repeats"),
    "index descending": (arrays(indices_1=np.array([1, 0, 1, 2])), "ascend without repeats"),
    "rows too long": (arrays(indptr_1=np.array([0, 2, 9])), "not a valid network"),
    "rows backwards": (arrays(indptr_1=np.array([0, 5, 4])), "not a valid network"),
    "uneven fan-in": (seeded(weights_1=np.ones(5, np.int8)), "5 values for 2 neurons"),
    "fan-in too large": (seeded(weights_1=np.ones(8, np.int8)), "8 values for 2 neurons"),
    "negative seed": (seeded(mask_seed_1=-1), "not a valid network"),
    "unknown neuron": (arrays(neuron="li\nf"), r"neuron kind 'li\nf'"),
    "exponents missing": (arrays(exponents=np.array([], int)), "differ in number of layers"),
    "negative threshold": (arrays(thresholds=np.array([-1])), "thresholds are not all from 0"),
    "inputs too wide": (arrays(inputs=np.ones((2, 4), int)), "inputs are int64 (2, 4)"),
    "inputs no rows": (arrays(inputs=np.ones(3, int)), "inputs are int64 (3,)"),
    "float inputs": (arrays(inputs=np.ones((2, 3))), "inputs are float64"),
    "objects": (arrays(inputs=np.array([[None] * 3])), "corrupt or not .npz"),
}


@pytest.mark.parametrize(("content", "message"), SPOILT.values(), ids=SPOILT.keys())
def test_a_foreign_or_contradictory_file_is_refused(path, content, message):
    np.savez(path, **content)
    assert message in refused(path)


def test_a_missing_file_is_refused(path):
    assert "No such file" in refused(path)


def test_a_folder_is_refused(tmp_path):
    assert "network file" in refused(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello\nworld\n", b"PK\x03\x04", pickle.dumps([1, 2])],
    ids=["empty", "text", "zip header", "pickle"],
)
def test_a_file_that_is_no_archive_is_refused(path, content):
    path.write_bytes(content)
    assert "corrupt" in refused(path)


def test_a_single_array_is_refused(path):
    buffer = io.BytesIO()
    np.save(buffer, np.ones(3))
    path.write_bytes(buffer.getvalue())
    assert "corrupt" in refused(path)


@examples(60)
@given(data=st.data())
def test_a_truncated_file_is_refused(tmp_path_factory, saved, data):
    path = tmp_path_factory.getbasetemp() / "truncated.npz"
    path.write_bytes(saved[: data.draw(st.integers(0, len(saved) - 1))])
    assert "corrupt" in refused(path)


@examples(150)
@given(data=st.data())
def test_a_corrupt_file_is_refused_or_harmless(tmp_path_factory, saved, data):
    path = tmp_path_factory.getbasetemp() / "corrupt.npz"
    broken = bytearray(saved)
    broken[data.draw(st.integers(0, len(saved) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(broken)
    try:
        network, _ = load_network(path)
    except NetworkFileError as error:
        message = str(error)
    else:  # some bytes of an archive, such as its dates, mean nothing to us
        message = ""
        assert equal(network, toy_network((4, 3, 2)))
    assert "\n" not in message


def test_a_failed_save_leaves_the_old_file(path, monkeypatch):
    network = toy_network((4, 3, 2))
    save_network(path, network, toy_inputs(network, 3))
    before = path.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_network(path, toy_network((5, 2)), np.ones((1, 5), int))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", NAMES)
def test_the_bundled_networks_round_trip(name, path):
    network, inputs = load_network(DATA / f"{name}.npz")
    save_network(path, network, inputs)
    again, samples = load_network(path)
    assert equal(network, again)
    assert (samples == inputs).all()
