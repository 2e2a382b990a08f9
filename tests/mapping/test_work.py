"""`Work` equals the times that `Loads` and `Traffic` count message by message."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.toys import STRUCTURES, built, examples, problem_of, toy_chip, toy_network

WIDTHS = (30, 50, 21, 9)


def problem(structure: dict[str, str], seed: int, density: float = 0.4, steps: int = 2):
    chip = toy_chip(routers=(8, 5), constants={"costs.axon_ps": 700, "costs.spike_ps": 900})
    return problem_of(toy_network(WIDTHS, density, seed), built(chip, **structure), steps, seed)


COUNTS = st.tuples(*(st.integers(1, width) for width in WIDTHS))


@examples(40)
@given(STRUCTURES, COUNTS, st.integers(0, 20), st.sampled_from([0.05, 0.4, 1.0]), st.integers(1, 3))
def test_a_survey_equals_the_loads_of_single_messages(structure, counts, seed, density, steps):
    made, counts = problem(structure, seed, density, steps), np.array(counts, np.int32)
    found, traffic = made.work.survey(counts), made.traffic(counts)
    slow = [made.loads.work_ps(layer, counts).max() for layer in range(len(WIDTHS))]
    assert found.work_ps.tolist() == slow
    busy = np.maximum(traffic.send_ps, traffic.receive_ps)
    for layer in range(len(WIDTHS)):
        own = traffic.layer == layer
        assert found.step_ps[layer].tolist() == busy[:, own].max(axis=1).tolist()
        assert found.messages[layer].tolist() == traffic.messages_out[:, own].sum(axis=1).tolist()


def slowly_given(made, counts, cores: int) -> list[int]:
    """Layers that cores go to, all layers looked at each time."""
    counts, layers = counts.copy(), []
    for _ in range(cores):
        work = [int(made.loads.work_ps(layer, counts).max()) for layer in range(len(WIDTHS))]
        growing = [layer for layer, width in enumerate(WIDTHS) if counts[layer] < width]
        if not growing:
            break
        layers.append(max(growing, key=lambda layer: work[layer]))
        counts[layers[-1]] += 1
    return layers


@examples(15)
@given(STRUCTURES, COUNTS, st.integers(0, 20), st.integers(0, 70))
def test_cores_are_given_to_the_layer_that_works_longest(structure, counts, seed, cores):
    made, counts = problem(structure, seed), np.array(counts, np.int32)
    before = counts.copy()
    assert made.work.given(counts, cores).tolist() == slowly_given(made, counts, cores)
    assert (counts == before).all()
    few = made.work.given(counts, cores // 2)
    assert few.tolist() == made.work.given(counts, cores)[: cores // 2].tolist()
