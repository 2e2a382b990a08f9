import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.network.lif_bias import bias_parts, too_large
from tests.toys import examples


@examples(100)
@given(mantissa=st.integers(-4096, 4095), exponent=st.integers(0, 7))
def test_what_loihi_can_store_is_stored_exactly(mantissa, exponent):
    bias = np.array([mantissa << exponent], np.int32)
    parts = bias_parts(bias)
    assert not too_large(parts[0]).any()
    assert (parts[0] << parts[1]).tolist() == bias.tolist()


@examples(100)
@given(bias=st.integers(-(4096 << 7), 4095 << 7))
def test_others_are_rounded_to_the_nearest(bias):
    mantissa, exponent = bias_parts(np.array([bias], np.int32))
    assert not too_large(mantissa).any()
    assert abs(int(mantissa[0] << exponent[0]) - bias) <= (1 << int(exponent[0])) // 2
    # A smaller exponent has no mantissa for it.
    smaller = max(int(exponent[0]) - 1, 0)
    assert exponent[0] == 0 or not -4096.5 <= bias / 2**smaller < 4095.5


def test_a_bias_beyond_all_is_said_to_be():
    assert too_large(bias_parts(np.array([4096 << 7, -(4098 << 7)], np.int64))[0]).all()
