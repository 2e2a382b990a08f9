import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.network import random_mask
from tests.toys import examples


def test_golden_masks():
    assert random_mask(7, 3, 10, 4).tolist() == [[3, 4, 6, 9], [0, 1, 2, 3], [0, 1, 3, 4]]
    assert random_mask(1001, 2, 784, 5).tolist() == [
        [193, 201, 535, 666, 683],
        [116, 243, 278, 283, 761],
    ]


@examples(50)
@given(st.integers(0, 2**64), st.integers(1, 20), st.integers(1, 20), st.data())
def test_rows_have_a_fixed_fan_in_of_ascending_inputs(seed, n_post, n_pre, data):
    fan_in = data.draw(st.integers(0, n_pre))
    mask = random_mask(seed, n_post, n_pre, fan_in)
    assert mask.shape == (n_post, fan_in)
    assert (np.diff(mask, axis=1) > 0).all()
    assert ((mask >= 0) & (mask < n_pre)).all()
    assert (mask == random_mask(seed, n_post, n_pre, fan_in)).all()


def test_seeds_differ():
    assert (random_mask(1, 20, 50, 10) != random_mask(2, 20, 50, 10)).any()


def test_every_input_is_as_likely_as_any_other():
    uses = np.bincount(random_mask(3, 4000, 10, 3).reshape(-1), minlength=10)
    assert uses == pytest.approx(np.full(10, 1200), abs=150)  # five standard deviations
