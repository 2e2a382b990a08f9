"""What the bundled networks are: trained on real digits, sparse, and recorded on test images."""

from functools import lru_cache

import numpy as np
import pytest

from loihi_gym.network import classify, load_network, record
from tests.toys import DATA
from tools.digits import load_digits

FACTS = {  # pooling, accuracy, density
    "mlp-xs": (2, 0.906, 0.30),
    "mlp-deep": (1, 0.930, 0.20),
    "mlp-wide": (1, 0.922, 0.12),
}
ACTIVE = {  # part of each hidden layer's neurons that send
    "mlp-xs": (0.18,) * 3,
    "mlp-deep": (0.06, 0.07, 0.08, 0.10, 0.11, 0.12, 0.14, 0.15, 0.16),
    "mlp-wide": (0.12, 0.03, 0.03, 0.03, 0.12),
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


@bundled
def test_density_of_every_layer(name):
    assert load(name)[0].densities == pytest.approx([FACTS[name][2]] * DEPTH[name], abs=0.004)


DEPTH = {"mlp-xs": 4, "mlp-deep": 10, "mlp-wide": 6}


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
        assert part.mean() == pytest.approx(wanted, abs=0.04)


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
