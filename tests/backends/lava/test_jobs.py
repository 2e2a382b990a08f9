import numpy as np
import pytest

from loihi_gym.backends.lava.jobs import job_file
from loihi_gym.errors import MeasurementError
from tests.toys import toy_network


@pytest.mark.parametrize(
    ("network", "named"),
    [(toy_network(neuron="lif"), "lif neurons"), (toy_network(bias=9), "biases")],
)
def test_what_the_worker_cannot_run_is_refused(network, named):
    with (
        pytest.raises(MeasurementError, match=f"this one has {named}"),
        job_file(None, network, np.ones((5, 12), int)),
    ):
        pass
