"""A network fits if any partitioning is legal, and a refusal says what is lacking."""

from itertools import product

import gymnasium
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

import loihi_gym
from loihi_gym.bounds import lower_bound
from loihi_gym.errors import IllegalMappingError
from loihi_gym.mapping import Mapping, Problem, fitting, heuristic, heuristic_names
from loihi_gym.mapping.fewest import grown, packed
from loihi_gym.mapping.heuristics import PARTITIONINGS, partition, toolchain_default
from loihi_gym.network import SparseMLP
from tests.toys import examples, problem_of, toy_chip, toy_network, toy_problem

TIGHT = "generator://mlp?layers=4&width=512&inputs=512&density=0.4&chip=loihi2-16&seed=1"
"""`packed` takes 14 of 16 cores; doubling cores takes more than there are."""


def legal(problem: Problem) -> list[tuple[int, ...]]:
    """All legal partitionings of a tiny problem, one by one."""
    counts = product(*(range(1, width + 1) for width in problem.network.widths))
    n_cores = problem.topology.n_cores
    return [k for k in counts if sum(k) <= n_cores and not problem.check(Mapping(k, range(sum(k))))]


def tiny(seed: int, limits: dict[str, int], density: float = 0.5) -> Problem:
    """4, 5, 4 and 2 neurons on 8 cores."""
    chip = toy_chip(routers=(2, 2), constants={f"capacity.{name}": n for name, n in limits.items()})
    return problem_of(toy_network((4, 5, 4, 2), density, seed), chip)


LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "neurons": st.integers(1, 6),
        "synmem_words": st.integers(0, 14),
        "input_axons": st.integers(1, 6),
        "output_axons": st.integers(1, 8),
    },
)


@examples(60)
@given(st.integers(0, 50), LIMITS, st.sampled_from([0.2, 0.5, 1.0]))
def test_packed_fits_exactly_if_some_partitioning_does(seed, limits, density):
    problem = tiny(seed, limits, density)
    all_legal = legal(problem)
    try:
        counts = tuple(packed(problem).tolist())
    except IllegalMappingError:
        assert all_legal == []
    else:
        assert counts in all_legal
        assert set(fitting(problem)) >= {"packed/row-major", "balanced/strided"}


def test_more_pieces_of_a_layer_may_need_fewer_output_axons():
    """Where growing from the last layer to the first fails, all counts are tried."""
    middle = np.zeros((9, 2), np.int8)
    middle[3:6] = 1  # of two pieces both have targets, of three only the second
    network = SparseMLP((csr_array(middle),), (0,), (0,))
    problem = problem_of(
        network, toy_chip(constants={"capacity.neurons": 5, "capacity.output_axons": 1})
    )
    assert grown(problem, lambda k: k + 1) is None
    assert packed(problem).tolist() == [2, 3]
    assert min(map(sum, legal(problem))) == 5


def test_heuristics_that_do_not_fit_are_left_out():
    problem = loihi_gym.load(TIGHT)
    mappings = fitting(problem)
    left_out = ("lava-default/", "by-chip")
    assert list(mappings) == [n for n in heuristic_names() if not n.startswith(left_out)]
    assert all(problem.check(mapping) == [] for mapping in mappings.values())
    assert problem.reference_mapping == mappings["balanced/strided"]
    assert toolchain_default(problem) is None
    assert lower_bound(problem).latency_ps > 0


def test_a_heuristic_asked_for_that_does_not_fit_is_named():
    problem = loihi_gym.load(TIGHT + "&reference=lava-default/strided")
    with pytest.raises(
        IllegalMappingError, match=r"does not fit on loihi2-16 with lava-default, .*14 cores"
    ):
        _ = problem.reference_mapping


def test_a_partitioning_is_computed_once(monkeypatch):
    problem, made = toy_problem(chip=toy_chip(chips=(2, 1))), []

    def counting(name, original):
        def make(problem):
            made.append(name)
            return original(problem)

        return make

    for name, original in list(PARTITIONINGS.items()):
        monkeypatch.setitem(PARTITIONINGS, name, counting(name, original))
    assert fitting(problem) == fitting(problem)
    for name in fitting(problem):
        heuristic(problem, name)
    assert sorted(made) == sorted(PARTITIONINGS)
    assert not partition(problem, "balanced").flags.writeable


@pytest.mark.parametrize(
    ("widths", "limits", "message"),
    [
        (
            (12, 16, 10),
            {"neurons": 2},
            "it needs 19 cores or more and the chip has 16; most for layer 1, 8 (cut into 7, a "
            "core has 3 neurons, the limit is 2)",
        ),
        (
            (2, 3, 2),
            {"input_axons": 0},
            "layer 1 is too large (cut into 3, a core has 2 input axons, the limit is 0)",
        ),
        (
            (2, 3, 2),
            {"synmem_words": 0},
            "layer 1 is too large (cut into 3, a core has 3 synaptic memory words, the limit is 0)",
        ),
        (
            (2, 3, 2),
            {"output_axons": 0},
            "the output axons of layer 0 are too many however layers are cut (cut into 2, a core "
            "has 1 output axons, the limit is 0)",
        ),
    ],
)
def test_a_refusal_names_layer_resource_need_and_limit(widths, limits, message):
    chip = toy_chip(constants={f"capacity.{name}": limit for name, limit in limits.items()})
    problem = problem_of(toy_network(widths, density=1.0), chip)
    for call in (lambda: packed(problem), lambda: fitting(problem), lambda: lower_bound(problem)):
        with pytest.raises(IllegalMappingError) as caught:
            call()
        assert str(caught.value) == (
            f"toy does not fit on toy: {message}; use a larger chip or a smaller network"
        )
    for name in heuristic_names():
        with pytest.raises(IllegalMappingError, match="toy does not fit on toy: "):
            heuristic(problem, name)


@pytest.mark.parametrize("name", ["Place", "Swap", "Partition", "Map", "OneShot"])
def test_environments_take_a_network_that_not_every_heuristic_fits(name):
    env = gymnasium.make(f"Loihi{name}-v0", benchmark=TIGHT, backend="bound")
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    env.action_space.seed(0)
    assert np.isfinite(env.step(env.action_space.sample())[1])
