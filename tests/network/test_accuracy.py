"""What the bundled networks are: trained on real digits, sparse, and recorded on test images."""

from functools import lru_cache

import numpy as np
import pytest

from loihi_gym.benchmarks import benchmark
from loihi_gym.network import classify, load_network, record
from tests.toys import DATA
from tools.digits import load_digits, load_small_digits
from tools.scores import explained_variance, mean_return

FACTS = {  # pooling, accuracy, density
    "mlp-xs": (2, 0.906, 0.30),
    "mlp-deep": (1, 0.930, 0.20),
    "mlp-wide": (1, 0.922, 0.12),
    "mnist-mlp": (1, 0.976, 1.0),
    "mnist-deep": (1, 0.959, 0.20),
    "mnist-wide": (1, 0.953, 0.12),
}
ACTIVE = {  # part of each hidden layer's neurons that send
    "mlp-xs": (0.18,) * 3,
    "mlp-deep": (0.06, 0.07, 0.08, 0.10, 0.11, 0.12, 0.14, 0.15, 0.16),
    "mlp-wide": (0.12, 0.03, 0.03, 0.03, 0.12),
    "mnist-mlp": (0.10,) * 2,
    "mnist-deep": (0.10,) * 9,
    "mnist-wide": (0.10,) * 5,
}
DEPTH = {
    "mlp-xs": 4,
    "mlp-deep": 10,
    "mlp-wide": 6,
    "mnist-mlp": 3,
    "mnist-deep": 10,
    "mnist-wide": 6,
}
bundled = pytest.mark.parametrize("name", FACTS)

digits = lru_cache(load_digits)


@lru_cache
def load(name: str):
    return load_network(DATA / f"{name}.npz")


@bundled
def test_integer_accuracy(name):
    pool, accuracy, _ = FACTS[name]
    data = digits(pool)
    right = classify(load(name)[0], data.test_images) == data.test_labels
    assert len(right) == 1000
    assert round(float(right.mean()), 3) == pytest.approx(accuracy, abs=1e-9)
    assert accuracy == benchmark(name).test_accuracy


@bundled
def test_density_of_every_layer(name):
    assert load(name)[0].densities == pytest.approx([FACTS[name][2]] * DEPTH[name], abs=0.004)


@bundled
def test_inputs_are_the_first_test_images(name):
    network, inputs = load(name)
    assert len(inputs) == DEPTH[name] + 4
    assert len(network.weights) == DEPTH[name]
    assert (inputs == digits(FACTS[name][0]).test_images[: len(inputs)]).all()


@bundled
def test_every_hidden_layer_sends_in_every_recorded_step(name):
    network, inputs = load(name)
    activity = record(network, inputs, 4)
    assert activity.message_bits == 64
    for wanted, messages in zip(ACTIVE[name], activity.messages[1:-1], strict=True):
        part = (messages != 0).mean(axis=1)
        assert (part > 0).all()
        assert part.mean() == pytest.approx(wanted, abs=0.05)


def test_what_the_autoencoder_explains():
    data = load_small_digits()
    network, inputs = load("autoencoder")
    assert network.densities == (1.0,) * 6
    explained = explained_variance(network, data.test_images)
    assert round(explained, 3) == benchmark("autoencoder").explained_variance
    assert (inputs == data.test_images[: len(inputs)]).all()


def test_small_digits_are_four_times_what_scikit_learn_has():
    data = load_small_digits()
    assert (len(data.train_images), len(data.test_images)) == (1500, 297)
    image = data.train_images[0].reshape(8, 2, 8, 2)
    assert (image == image[:, :1, :, :1]).all()
    assert (data.train_images.min(), data.train_images.max()) == (0, 112)
    assert np.bincount(np.append(data.train_labels, data.test_labels)).sum() == 1797


def test_what_the_policy_reaches():
    network, _ = load("policy")
    assert network.widths == (5, 64, 64, 2)
    assert round(mean_return(network), 1) == benchmark("policy").mean_return


def test_every_trained_benchmark_states_how_well_it_does():
    for name in ("mnist-mlp", "mnist-deep", "mnist-wide", "autoencoder", "policy"):
        entry = benchmark(name)
        stated = (entry.test_accuracy, entry.explained_variance, entry.mean_return)
        assert len([one for one in stated if one is not None]) == 1


def test_digits_are_split_without_overlap():
    data = digits()
    assert data.train_images.shape == (4000, 784)
    assert data.test_images.shape == (1000, 784)
    assert (data.test_images.min(), data.test_images.max()) == (0, 127)
    assert np.bincount(np.append(data.train_labels, data.test_labels)).tolist() == [500] * 10
    both = np.concatenate([data.train_images, data.test_images])
    assert len(both) == 5000
    assert not {image.tobytes() for image in data.train_images} & {
        image.tobytes() for image in data.test_images
    }


def test_pooling_averages_squares():
    full, pooled = digits(1).test_images[0], digits(2).test_images[0]
    assert pooled.shape == (196,)
    squares = full.reshape(14, 2, 14, 2).sum(axis=(1, 3)).reshape(-1) / 4
    assert np.abs(pooled - squares).max() < 1
