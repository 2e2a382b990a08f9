"""The incremental `bound` says exactly what `Bound.evaluate` says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.backends import Bound
from loihi_gym.envs.measured_mapping import BoundMeasured, Evaluated, Swap, after
from loihi_gym.envs.objective import energy, energy_delay_product, latency
from loihi_gym.envs.task import EpisodeTask
from loihi_gym.mapping import random_mapping
from tests.toys import (
    bundled_problem,
    examples,
    problem_of,
    silent_problem,
    toy_chip,
    toy_network,
    toy_problem,
)

PROBLEMS = [
    toy_problem(),
    toy_problem(density=0.2, seed=3, steps=3),
    toy_problem(chip=toy_chip(chips=(2, 1), routers=(3, 2))),
    # Links, or ports, so slow that they are what a step waits for; ties everywhere.
    toy_problem(chip=toy_chip(constants={"costs.link_ps": 40_000})),
    toy_problem(chip=toy_chip(cores_per_router=4, constants={"costs.link_ps": 200_000})),
    problem_of(toy_network((6, 6, 6), density=1.0), toy_chip(constants={"costs.link_ps": 90_000})),
    # Two fabrics bring messages to a port side by side, so that it is busy half as long.
    problem_of(
        toy_network((24, 4, 4), density=1.0),
        toy_chip(constants={"costs.link_ps": 900_000, "network.fabrics": 2}),
    ),
    silent_problem(),
    bundled_problem("mlp-xs", "loihi2-16"),
]


def task_of(problem):
    return EpisodeTask(problem, Bound(problem), latency, max_layers=16)


TASKS = [task_of(problem) for problem in PROBLEMS]


@examples(150)
@given(st.sampled_from(TASKS), st.integers(0, 10**6))
def test_incremental_and_evaluated_agree(task, seed):
    rng = np.random.default_rng(seed)
    problem = task.problem
    measured = task.evaluate(random_mapping(problem, rng))
    assert isinstance(measured, BoundMeasured)
    for _ in range(4):
        swap = Swap(*rng.integers(problem.topology.n_cores, size=2).tolist())
        mapping = after(measured, swap)
        before = measured.mapping
        measured, last = task.change(measured, swap), measured
        assert last.mapping == before
        assert measured.mapping == mapping
        expected = Evaluated(measured.partition, mapping, Bound(problem).evaluate(mapping))
        assert measured.latency_ps == expected.latency_ps
        assert measured.energy_fj == expected.energy_fj
        assert measured.bottleneck == expected.bottleneck
        assert measured.measurement.latency_ps == expected.latency_ps
        for name in ("placement", "occupant", "busy_ps"):
            np.testing.assert_array_equal(getattr(measured, name), getattr(expected, name))
        for objective in (latency, energy, energy_delay_product):
            assert objective(measured) == objective(expected.measurement)


def test_the_examples_have_every_kind_of_bottleneck():
    found = set()
    for problem in PROBLEMS:
        for seed in range(10):
            mapping = random_mapping(problem, np.random.default_rng(seed))
            term, index, *_ = Bound(problem).evaluate(mapping).bottleneck
            port = term == "link" and index >= 4 * problem.topology.n_routers
            found.add("port" if port else term)
    assert found == {"update", "receive", "link", "port"}


def test_batches_answer_as_single_evaluations():
    problem = PROBLEMS[0]
    task = EpisodeTask(problem, Bound(problem), latency, max_layers=4)
    rng = np.random.default_rng(0)
    mappings = [random_mapping(problem, rng) for _ in range(5)]
    batch = task.change_all([(task.reference, mapping) for mapping in mappings])
    assert [one.latency_ps for one in batch] == [task.evaluate(m).latency_ps for m in mappings]


@pytest.mark.parametrize("layer", range(3))
def test_fits_is_the_problems(layer):
    task = TASKS[0]
    for counts in ([1, 1, 1], [12, 16, 10], [3, 9, 2]):
        counts = np.array(counts, np.int32)
        assert task.fits(layer, counts) == task.problem.fits(layer, counts)
