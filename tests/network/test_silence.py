from dataclasses import replace

import numpy as np
import pytest

from loihi_gym import load
from loihi_gym.benchmarks.suite import load_suite
from loihi_gym.errors import SilentNetworkError
from loihi_gym.network import Activity
from loihi_gym.network.silence import READOUT_THRESHOLD, require_messages, silent_layers
from tests.toys import toy_network, toy_problem


def activity(*heard: bool) -> Activity:
    return Activity(tuple(np.full((2, 12), int(one), np.int32) for one in heard))


def test_layers_that_send_nothing_are_named():
    network = toy_network((12, 12, 12, 12))
    assert silent_layers(network, activity(True, True, True, True)) == ()
    assert silent_layers(network, activity(False, True, False, True)) == (0, 2)
    with pytest.raises(SilentNetworkError, match="mine: layers 0, 2 send nothing"):
        require_messages("mine", network, activity(False, True, False, True))
    with pytest.raises(SilentNetworkError, match="mine: layer 1 sends nothing"):
        require_messages("mine", network, activity(True, False, True, True))


def test_a_last_layer_that_is_read_may_be_silent():
    heard = activity(True, True, False)
    assert silent_layers(toy_network((12, 12, 12)), heard) == ()
    lif = toy_network((12, 12, 12), neuron="lif")
    assert silent_layers(lif, heard) == (2,)
    readout = replace(lif, thresholds=(lif.thresholds[0], READOUT_THRESHOLD))
    assert silent_layers(readout, heard) == ()


@pytest.mark.parametrize("name", ["sparse-mlp-v1", "sparse-mlp-gen-v1"])
def test_no_problem_of_a_suite_is_silent(name):
    for problem in map(load, load_suite(name).names):
        require_messages(problem.name, problem.network, problem.activity)


def test_a_toy_is_not_silent():
    problem = toy_problem()
    require_messages(problem.name, problem.network, problem.activity)
