import numpy as np
import pytest
from scipy.sparse import csr_array

from loihi_gym.backends.lava.jobs import job_file
from loihi_gym.errors import MeasurementError
from loihi_gym.network import SparseMLP


@pytest.mark.parametrize("bias", [4097, -(1 << 20), (1 << 31) - 1])
def test_a_bias_that_loihi_has_not_is_refused_by_name(bias):
    weights = csr_array(np.ones((2, 3), np.int8))
    biases = np.array([5, bias], np.int32)
    network = SparseMLP((weights,), (0,), (9,), "lif", (biases,), ((4096, 0),))
    with (
        pytest.raises(MeasurementError, match=rf"layer 1: neuron 1 has a bias of {bias}, but"),
        job_file(None, network, np.ones((5, 3), int)),
    ):
        pass
