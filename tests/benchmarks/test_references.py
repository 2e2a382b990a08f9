"""References are the fastest of all standard heuristics, and no cheap sweep beats them."""

import numpy as np
import pytest

from loihi_gym import make_backend
from loihi_gym.benchmarks import make_problem, references
from loihi_gym.benchmarks.generator import generate
from loihi_gym.benchmarks.references import fastest_heuristic, promising, quick_reference
from loihi_gym.mapping import Mapping, fitting, heuristic, heuristic_names
from loihi_gym.mapping.heuristics import FIRST_RELEASE, core_positions, packed
from loihi_gym.mapping.orders import ORDERS
from tests.toys import toy_chip, toy_inputs, toy_network, toy_problem

SMALL = (
    "layers=10&width=384&density=0.25&chip=kapoho-point&seed=1",
    "layers=20&width=512&density=0.2&chip=kapoho-point&seed=2",
    "layers=3&width=1024&density=0.2&chip=kapoho-point&seed=3",
    "layers=4&width=256&density=0.4&chip=loihi2&seed=4",
    "layers=7&width=512&density=0.1&chip=loihi2&seed=5",
    "layers=2&width=128&density=0.5&chip=loihi2-24&seed=6",
    "layers=9&width=128&density=0.2&chip=loihi2-24&seed=7",
    "layers=5&width=640&density=0.15&active=0.05&chip=loihi2&seed=8",
    "layers=12&width=256&density=0.3&active=0.2&chip=kapoho-point&seed=9",
    "layers=1&width=700&density=0.6&chip=loihi2&seed=10",
    "layers=6&width=300&density=0.08&bits=32&chip=loihi2&seed=11",
    "layers=16&width=200&density=0.3&steps=1&chip=loihi2&seed=12",
)
TOYS = {
    "one chip": toy_problem((20, 30, 10), chip=toy_chip(routers=(4, 3))),
    "four chips": toy_problem((40, 60, 50, 20), chip=toy_chip(chips=(2, 2))),
    "silent": toy_problem((12, 16, 10), density=0.05),
}


def slowly_swept(problem) -> int:
    """The fastest of 33 mappings: balanced core by core over 11 sizes, in three orders, in ps."""
    counts = packed(problem)
    fewest, n_cores = int(counts.sum()), problem.topology.n_cores
    sizes = {int(fewest * (n_cores / fewest) ** (i / 10)) for i in range(11)}
    layers, widths = range(problem.n_layers), problem.network.widths
    cuts = [counts.copy()]
    while counts.sum() < min(max(sizes), 400) and (counts < widths).any():
        work = [int(problem.loads.work_ps(layer, counts).max()) for layer in layers]
        growing = [layer for layer in layers if counts[layer] < widths[layer]]
        counts[max(growing, key=lambda layer: work[layer])] += 1
        if int(counts.sum()) in sizes:
            cuts.append(counts.copy())
    positions = [core_positions(cut, problem.topology) for cut in cuts]
    mappings = [
        Mapping(cut, ORDERS[order](problem.topology)[place])
        for cut, place in zip(cuts, positions, strict=True)
        for order in ("row-major", "column-major", "strided")
    ]
    legal = [mapping for mapping in mappings if not problem.check(mapping)]
    measured = make_backend("mesh", problem).evaluate_batch(legal)
    return min(one.latency_ps for one in measured)


@pytest.mark.parametrize("parameters", SMALL)
def test_no_sweep_beats_the_reference(parameters):
    problem = generate(f"generator://mlp?{parameters}")
    reference = heuristic(problem, fastest_heuristic(problem))
    latency_ps = make_backend("mesh", problem).evaluate(reference).latency_ps
    assert latency_ps <= slowly_swept(problem)


@pytest.mark.parametrize("problem", TOYS.values(), ids=TOYS)
def test_the_fastest_is_the_first_of_those_that_mesh_finds_fastest(problem):
    backend = make_backend("mesh", problem)
    latencies = {name: backend.evaluate(one).latency_ps for name, one in fitting(problem).items()}
    assert fastest_heuristic(problem) == min(latencies, key=lambda name: latencies[name])
    first = heuristic_names(FIRST_RELEASE)
    known = {name: latency for name, latency in latencies.items() if name in first}
    assert fastest_heuristic(problem, FIRST_RELEASE) == min(known, key=lambda name: known[name])


@pytest.mark.parametrize("problem", TOYS.values(), ids=TOYS)
def test_a_quick_reference_is_legal_and_the_same_each_time(problem):
    name = quick_reference(problem)
    assert name in fitting(problem)
    assert quick_reference(problem.with_reference("packed/row-major")) == name


def test_a_quick_reference_is_close_to_the_fastest():
    """In the mean over many networks; single ones may be further off."""
    ratios = []
    for parameters in SMALL:
        problem = generate(f"generator://mlp?{parameters}")
        names = quick_reference(problem), fastest_heuristic(problem)
        mappings = [heuristic(problem, name) for name in names]
        quick, fastest = make_backend("mesh", problem).evaluate_batch(mappings)
        ratios.append(quick.latency_ps / fastest.latency_ps)
    assert 1.0 <= np.mean(ratios) < 1.1


@pytest.mark.parametrize("limit", ["AFFORDABLE", "HUGE"])
def test_where_mesh_is_not_affordable_the_reference_is_chosen_without(limit, monkeypatch):
    problem = TOYS["four chips"]
    monkeypatch.setattr(references, limit, 0)
    monkeypatch.setattr(references, "MeshBackend", None)
    name = fastest_heuristic(problem)
    if limit == "HUGE":
        assert name == quick_reference(problem)
        assert name.endswith("/column-major")
        return
    bound = make_backend("bound", problem)
    latencies = {name: bound.evaluate(one).latency_ps for name, one in fitting(problem).items()}
    assert latencies[name] == min(latencies.values())


def test_a_problem_of_ones_own_has_the_fastest_as_its_reference():
    network = toy_network((20, 30, 10))
    problem = make_problem(network, toy_inputs(network, 5), toy_chip(chips=(2, 1)))
    assert problem.reference == fastest_heuristic(problem)


def test_another_reference_keeps_what_was_counted():
    problem = toy_problem()
    other = problem.with_reference("packed/hilbert")
    assert problem.reference != other.reference == "packed/hilbert"
    assert other.digest != problem.digest
    problem.work.survey(packed(problem))
    assert problem.with_reference("packed/strided").loads is problem.loads


@pytest.mark.parametrize("name", TOYS)
def test_promising_starts_are_the_reference_the_fastest_and_some_of_every_size(name):
    problem = TOYS[name]
    found = promising(problem, 8)
    assert found[0] == problem.reference_mapping
    assert len(found) == len(set(found)) <= 18
    for mapping in found:
        problem.require(mapping)
    bound = make_backend("bound", problem)
    standard = set(fitting(problem, references.COARSE).values())
    fastest = min(bound.evaluate(one).latency_ps for one in standard)
    assert min(bound.evaluate(one).latency_ps for one in found) <= fastest
    cores = [one.n_logical_cores for one in standard]
    own = [one.n_logical_cores for one in found]
    assert min(own) == min(cores)
    assert max(own) >= max(cores) / 2


def test_a_huge_system_is_started_from_the_few_that_are_quick_to_count(monkeypatch):
    monkeypatch.setattr(references, "HUGE_SYSTEM", 4)
    problem = TOYS["one chip"]
    counts = {one.cores_per_layer.tobytes() for one in promising(problem, 8)[1:]}
    few = fitting(problem, references.FEW).values()
    assert counts <= {one.cores_per_layer.tobytes() for one in few}
