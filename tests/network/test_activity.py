import numpy as np
import pytest

from loihi_gym.network import Activity, record, run
from tests.toys import toy_inputs, toy_network


def activity(*values: int) -> Activity:
    return Activity((np.zeros((1, 2), np.int32), np.array([values], np.int32)))


def test_record_drops_the_steps_that_fill_the_pipeline():
    network = toy_network((6, 5, 4))
    inputs = toy_inputs(network, 5)
    recorded = record(network, inputs, 3)
    assert recorded.steps == 3
    for layer, everything in zip(recorded.messages, run(network, inputs), strict=True):
        assert (layer == everything[2:]).all()
    assert recorded.messages[-1].any()  # the last layer is busy from the first step on


def test_record_leaves_samples_that_it_does_not_need():
    network = toy_network((6, 5, 4))
    inputs = toy_inputs(network, 9)
    longer, exact = record(network, inputs, 3), record(network, inputs[:5], 3)
    for one, other in zip(longer.messages, exact.messages, strict=True):
        assert (one == other).all()


@pytest.mark.parametrize(("samples", "steps"), [(4, 3), (0, 1), (2, 1), (9, 0), (9, -1)])
def test_record_refuses_too_few_samples(samples, steps):
    network = toy_network((6, 5, 4))
    with pytest.raises(ValueError, match=f"{samples} input samples are too few: 2 fill"):
        record(network, toy_inputs(network, samples), steps)


@pytest.mark.parametrize(
    ("values", "bits"),
    [((0,), 32), ((127, -128), 32), ((128,), 64), ((0, -129), 64), ((1 << 23, 1), 64)],
)
def test_a_payload_beyond_a_byte_doubles_all_messages(values, bits):
    assert activity(*values).message_bits == bits


def test_active_is_the_part_of_neurons_that_send():
    assert activity(0, -5, 7, 0).active == (0.0, 0.5)
