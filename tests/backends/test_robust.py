"""One mapping on every chip of a set: integers per chip, and the one figure that joins them."""

from dataclasses import replace
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loihi_gym
from loihi_gym.backends import make_backend
from loihi_gym.backends.regrets import plot, regrets
from loihi_gym.backends.robust import RobustBackend, aggregate_ps, hypotheses_of, root
from loihi_gym.chip.hypotheses import load_hypotheses
from loihi_gym.errors import BackendError, IllegalMappingError, LoihiGymError, UnknownNameError
from loihi_gym.mapping import fitting, heuristic, random_mapping
from loihi_gym.mapping.heuristics import COARSE
from loihi_gym.search.config import Config
from loihi_gym.search.each_chip import search_each
from loihi_gym.search.run import resume, search
from tests.toys import examples, toy_problem

SET = "loihi2-hypotheses"


@examples(200)
@given(st.integers(0, 10**40), st.integers(1, 20))
def test_a_root_is_the_largest_whole_number(value, degree):
    found = root(value, degree)
    assert found**degree <= value < (found + 1) ** degree


@examples(100)
@given(st.lists(st.tuples(*[st.integers(1, 10**12)] * 2), min_size=1, max_size=13))
def test_aggregates_are_exact(pairs):
    latencies, references = zip(*pairs, strict=True)
    n, first = len(pairs), references[0]
    found = aggregate_ps(latencies, references, "geometric")
    exact = Fraction(first) ** n * Fraction(prod(latencies), prod(references))
    assert found**n <= exact < (found + 1) ** n
    worst = max(Fraction(latency, before) for latency, before in pairs)
    assert aggregate_ps(latencies, references, "worst") == int(first * worst)


def test_the_reference_comes_to_its_latency_on_the_first_chip():
    for aggregate in ("geometric", "worst"):
        backend = make_backend("robust", toy_problem(), hypotheses=SET, aggregate=aggregate)
        alone = make_backend("mesh", toy_problem()).evaluate(backend.problem.reference_mapping)
        assert backend.reference.latency_ps == alone.latency_ps
        again = backend.evaluate(backend.problem.reference_mapping)
        assert again.latency_ps == alone.latency_ps


def test_each_chip_is_measured_as_by_itself():
    problem = loihi_gym.load("mlp-xs")
    backend = RobustBackend(problem, hypotheses=SET)
    mapping = random_mapping(backend.problem, np.random.default_rng(3))
    found = backend.evaluate(mapping)
    chips = load_hypotheses(SET).over(problem.chip)
    assert backend.evaluations_each == len(found.by_chip) == 13
    for name, chip in zip(chips.names, chips.chips, strict=True):
        alone = make_backend("mesh", replace(problem, chip=chip)).evaluate(mapping)
        assert found.by_chip[name].step_times_ps == alone.step_times_ps
    (again,) = backend.evaluate_batch([mapping])
    assert again.latency_ps == found.latency_ps


def test_only_what_every_chip_can_hold_is_legal():
    problem = loihi_gym.load("mlp-deep")
    few = heuristic(problem, "packed/row-major")
    backend = RobustBackend(problem, hypotheses=SET)
    with pytest.raises(IllegalMappingError, match=r"synaptic memory words of loihi2\+dense-rows"):
        backend.evaluate(few)
    assert not problem.check(few)
    enough = heuristic(backend.problem, "packed/row-major")
    assert enough.n_logical_cores > few.n_logical_cores
    assert backend.problem.digest != problem.digest


def test_a_chip_that_cannot_hold_the_network_is_named():
    problem = loihi_gym.load("mlp-wide")
    with pytest.raises(IllegalMappingError) as caught:
        RobustBackend(problem, hypotheses=SET)
    message = str(caught.value)
    assert message.startswith("hypothesis dense-rows cannot hold the network: mlp-wide does not")
    assert message.endswith("leave it out: loihi2-hypotheses,-dense-rows")
    assert RobustBackend(problem, hypotheses=f"{SET},-dense-rows").evaluations_each == 12


def test_several_chips_have_a_set_of_their_own():
    eight = replace(toy_problem(), chip=loihi_gym.load_chip("kapoho-point"))
    assert "slow-borders" in hypotheses_of(eight, None).names
    assert "slow-borders" not in hypotheses_of(toy_problem(), None).names


def test_a_board_is_one_chip():
    with pytest.raises(BackendError, match="lava measures one chip, however it is built"):
        RobustBackend(toy_problem(), measure_by="lava")


def test_an_unknown_aggregate_is_refused():
    with pytest.raises(UnknownNameError, match="unknown aggregate 'best'"):
        RobustBackend(toy_problem(), aggregate="best")


def test_a_search_counts_an_evaluation_for_each_chip(tmp_path):
    config = Config("random", "mlp-xs", 100, chips=SET)
    outcome = search(config, tmp_path / "run")
    assert outcome.evaluations == 7 * 13  # mappings times chips: what 100 evaluations pay for
    summary = outcome.summary()
    assert set(summary["by_chip"]) == set(load_hypotheses(SET).names)
    before, after = zip(*summary["by_chip"].values(), strict=True)
    assert summary["latency_ps"] == aggregate_ps(after, before, "geometric")
    assert len((tmp_path / "run" / "trace.jsonl").read_text().splitlines()) == 7
    (tmp_path / "run" / "result.json").unlink()
    assert resume(tmp_path / "run").summary() == summary


def test_a_budget_that_pays_for_no_mapping_is_refused():
    with pytest.raises(LoihiGymError, match="budget 12 does not pay for one mapping"):
        search(Config("random", "mlp-xs", 12, chips=SET))


# Regrets


def test_regrets_are_relative_to_the_best_known():
    problem = loihi_gym.load("mlp-xs")
    chips = hypotheses_of(problem, SET)
    mappings = {"a": problem.reference_mapping, "b": heuristic(problem, "packed/hilbert")}
    found = regrets(problem, chips, mappings)
    assert found.mappings == ("a", "b")
    for column, chip in enumerate(chips.chips):
        own = replace(problem, chip=chip)
        backend = make_backend("mesh", own)
        latencies = [backend.evaluate(one).latency_ps for one in mappings.values()]
        assert found.latencies_ps[:, column].tolist() == latencies
        standard = [backend.evaluate(one).latency_ps for one in fitting(own, COARSE).values()]
        assert found.best_ps[column] == min(standard)
    assert found.values.min() >= 0


def test_a_mapping_that_a_chip_cannot_hold_has_no_regret_there():
    problem = loihi_gym.load("mlp-deep")
    found = regrets(
        problem,
        hypotheses_of(problem, SET),
        {"few": heuristic(problem, "packed/row-major")},
    )
    row = dict(zip(found.hypotheses, found.values[0], strict=True))
    assert np.isnan(row.pop("dense-rows"))
    assert not np.isnan(list(row.values())).any()


def test_searches_on_each_chip_and_on_all_find_what_every_chip_can_hold():
    problem = toy_problem()
    chips = hypotheses_of(problem, f"{SET},default,dense-rows")
    told = []
    found = search_each(problem, chips, "mesh", "random", 5, 0, lambda *one: told.append(one))
    assert list(found) == [
        *("best on default", "best on dense-rows", "robust geometric", "robust worst"),
    ]
    assert [done for _, done, _ in told] == [0, 1, 2, 3]
    for mapping in found.values():
        for chip in chips.chips:
            assert not replace(problem, chip=chip).check(mapping)


def test_the_picture_is_written_or_refused(tmp_path):
    problem = toy_problem()
    found = regrets(problem, hypotheses_of(problem, SET), {"$a$": problem.reference_mapping})
    plot(tmp_path / "r.png", "toy", found)
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(LoihiGymError, match=r"picture .*r\.png"):
        plot(tmp_path / "none" / "r.png", "toy", found)
