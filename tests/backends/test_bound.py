from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.backends import Bound, EnergyBreakdown, Measurement, make_backend
from loihi_gym.backends.assembly import link_service_ps
from loihi_gym.backends.links_kernel import link_loads, link_loads_reference
from loihi_gym.chip import EAST, NORTH, SOUTH, WEST, load_chip
from loihi_gym.errors import IllegalMappingError
from loihi_gym.mapping import Mapping, Problem, heuristic, random_mapping
from tests.toys import (
    STRUCTURES,
    built,
    bundled_problem,
    examples,
    silent_problem,
    spread_mapping,
    toy_chip,
    toy_problem,
)

CHIPS = {
    "one row": toy_chip(routers=(9, 1), cores_per_router=1),
    "one column": toy_chip(routers=(1, 9), cores_per_router=1),
    "2x2 chips": toy_chip(chips=(2, 2), routers=(3, 2), coreless=((0, 0),)),
    "3x1 chips": toy_chip(chips=(3, 1), routers=(2, 3), cores_per_router=1),
    "loihi2-16": load_chip("v1/loihi2-16"),
    "loihi2": load_chip("v1/loihi2"),
    "kapoho-point": load_chip("v1/kapoho-point"),
}
PROBLEMS = {
    name: toy_problem((12, 16, 10), density=0.3, chip=chip, steps=3) for name, chip in CHIPS.items()
}
any_problem = st.sampled_from(list(PROBLEMS.values()))
seeds = st.integers(0, 2**32)


def draw(problem: Problem, seed: int) -> Mapping:
    return random_mapping(problem, np.random.default_rng(seed))


@examples(150)
@given(any_problem, STRUCTURES, seeds)
def test_link_loads_equal_the_walk_along_every_route(problem, structure, seed):
    problem = replace(problem, chip=built(problem.chip, **structure))
    mapping = draw(problem, seed)
    traffic = problem.traffic(mapping.cores_per_layer)
    fast = link_loads(problem.chip, problem.topology, traffic, mapping.placement)
    slow = link_loads_reference(problem.chip, problem.topology, traffic, mapping.placement)
    assert (fast.messages == slow.messages).all()
    assert (fast.words == slow.words).all()
    assert fast.messages.any()


@pytest.mark.parametrize(("name", "chip"), [("mlp-xs", "loihi2-16"), ("mlp-deep", "loihi2")])
def test_link_loads_of_bundled_networks(name, chip):
    problem = bundled_problem(name, chip)
    for mapping in (heuristic(problem, "balanced/hilbert"), draw(problem, 0)):
        traffic = problem.traffic(mapping.cores_per_layer)
        fast = link_loads(problem.chip, problem.topology, traffic, mapping.placement)
        slow = link_loads_reference(problem.chip, problem.topology, traffic, mapping.placement)
        assert (fast.words == slow.words).all()


@examples(100)
@given(any_problem, seeds)
def test_messages_are_conserved(problem, seed):
    mapping, mesh = draw(problem, seed), problem.topology
    result = Bound(problem).evaluate(mapping)
    layer = np.repeat(np.arange(3), mapping.cores_per_layer)
    for sender in (0, 1):
        sent = result.messages_out[:, layer == sender].sum(axis=1)
        assert (sent == result.messages_in[:, layer == sender + 1].sum(axis=1)).all()
    assert not result.messages_in[:, layer == 0].any()
    assert not result.messages_out[:, layer == 2].any()
    links = result.link_messages
    # What enters a router leaves it, in every step.
    routers = links[:, : 4 * mesh.n_routers].reshape(-1, mesh.height, mesh.width, 4)
    arriving = np.zeros(routers.shape[:3], np.int64)
    arriving[:, :, 1:] += routers[:, :, :-1, EAST]
    arriving[:, :, :-1] += routers[:, :, 1:, WEST]
    arriving[:, 1:] += routers[:, :-1, :, NORTH]
    arriving[:, :-1] += routers[:, 1:, :, SOUTH]
    leaving = routers.sum(axis=3)
    for core in range(mesh.n_cores):
        at = (slice(None), mesh.core_y[core], mesh.core_x[core])
        arriving[at] += links[:, mesh.injection_link(core)]
        leaving[at] += links[:, mesh.ejection_link(core)]
    assert (arriving == leaving).all()


def test_messages_take_the_ports_of_their_cores():
    problem = PROBLEMS["2x2 chips"]
    mapping = draw(problem, 1)
    mesh, result = problem.topology, Bound(problem).evaluate(mapping)
    for core in range(mesh.n_cores):
        injected = result.link_messages[:, mesh.injection_link(core)]
        ejected = result.link_messages[:, mesh.ejection_link(core)]
        here = mapping.placement == core  # which logical core, if any
        assert (injected == result.messages_out[:, here].sum(axis=1)).all()
        assert (ejected == result.messages_in[:, here].sum(axis=1)).all()


def slow_bound(problem: Problem, mapping: Mapping, result: Measurement) -> list[int]:
    """Step times from the counts of a measurement."""
    chip, mesh, costs = problem.chip, problem.topology, problem.chip.costs
    words = problem.activity.message_bits // 32
    active = problem.traffic(mapping.cores_per_layer).active
    times = []
    for step in range(problem.activity.steps):
        busy = []
        for core in range(mapping.n_logical_cores):
            sending = int(active[step, core])
            busy.append(
                sending * costs.neuron_active_ps
                + (int(result.dendops[step, core]) - sending) * costs.neuron_inactive_ps
                + int(result.messages_out[step, core]) * costs.spike_ps
            )
            busy.append(
                int(result.synmem_words[step, core]) * costs.synmem_word_ps
                + int(result.synops[step, core]) * costs.synop_ps
            )
        for link in range(mesh.n_links):
            crossing = link < 4 * mesh.n_routers and mesh.crosses_chips[link]
            service = costs.chip_link_ps if crossing else costs.link_ps
            busy.append(int(result.link_messages[step, link]) * service * words)
        times.append(max(busy) + chip.costs.barrier_ps)
    return times


@examples(60)
@given(st.sampled_from([PROBLEMS[n] for n in ("one row", "2x2 chips", "loihi2-16")]), seeds)
def test_a_step_lasts_as_long_as_its_busiest_place(problem, seed):
    mapping = draw(problem, seed)
    result = Bound(problem).evaluate(mapping)
    assert list(result.step_times_ps) == slow_bound(problem, mapping, result)
    assert result.latency_ps == sum(result.step_times_ps)
    assert result.latency_s == pytest.approx(result.latency_ps / 1e12)


@examples(60)
@given(any_problem, seeds)
def test_energy_follows_from_counts(problem, seed):
    mapping, mesh, chip = draw(problem, seed), problem.topology, problem.chip
    result, costs = Bound(problem).evaluate(mapping), problem.chip.energy
    active = int(problem.traffic(mapping.cores_per_layer).active.sum())
    hops_x = hops_y = 0
    for link in range(4 * mesh.n_routers):
        count = int(result.link_messages[:, link].sum())
        if link % 4 in (EAST, WEST):
            hops_x += count
        else:
            hops_y += count
    assert result.energy == EnergyBreakdown(
        synops_fj=int(result.synops.sum()) * costs.synop_fj,
        neurons_fj=active * costs.neuron_active_fj
        + (int(result.dendops.sum()) - active) * costs.neuron_inactive_fj,
        messages_fj=hops_x * costs.hop_x_fj
        + hops_y * costs.hop_y_fj
        + int(result.messages_out.sum()) * costs.tile_fj,
        static_fj=result.latency_ps * costs.static_mw * chip.n_chips,
    )
    assert result.energy_fj == sum(result.energy)
    assert result.energy_j == pytest.approx(result.energy_fj / 1e15)


def test_static_power_is_that_of_the_chips_in_use():
    problem = replace(PROBLEMS["2x2 chips"], chip=built(CHIPS["2x2 chips"], idle_chips="off"))
    per_chip = problem.topology.n_cores // 4
    for places, used in {(0, 1, 2): 1, (0, per_chip, 1): 2, (0, per_chip, 3 * per_chip): 3}.items():
        result = Bound(problem).evaluate(Mapping([1, 1, 1], places))
        static_mw = problem.chip.energy.static_mw
        assert result.energy.static_fj == used * static_mw * result.latency_ps
        noisy = make_backend("bound", problem, noise=0.05).evaluate(Mapping([1, 1, 1], places))
        assert noisy.energy.static_fj == used * static_mw * noisy.latency_ps


def with_bottleneck(term: str) -> Problem:
    """A problem in which one kind of work takes by far the longest."""
    names = {"update": "neuron_active_ps", "receive": "synop_ps", "link": "link_ps"}
    chip = toy_chip(constants={f"costs.{names[term]}": 10_000_000})
    return toy_problem((12, 16, 10), chip=chip)


@pytest.mark.parametrize("term", ["update", "receive", "link"])
def test_the_bottleneck_is_what_takes_longest(term):
    problem = with_bottleneck(term)
    mapping = Mapping([2, 2, 1], [3, 1, 8, 15, 6])
    result = Bound(problem).evaluate(mapping)
    bottleneck = result.bottleneck
    assert bottleneck.term == term
    assert result.step_times_ps[bottleneck.step] == max(result.step_times_ps)
    work = result.step_times_ps[bottleneck.step] - problem.chip.costs.barrier_ps
    assert bottleneck.share == pytest.approx(work / max(result.step_times_ps))
    if term == "link":
        assert bottleneck.where == problem.topology.link_name(bottleneck.index)
        loads = result.link_messages[bottleneck.step]
        assert loads[bottleneck.index] == loads.max()
    else:
        logical = mapping.placement.tolist().index(bottleneck.index)
        layer = [0, 0, 1, 1, 2][logical]
        assert bottleneck.where == f"core {bottleneck.index} (layer {layer})"
    text = str(bottleneck)
    assert text.startswith(f"{term} at {bottleneck.where}, busy ")
    assert text.endswith(f"of step {bottleneck.step}")


def test_a_silent_network_takes_its_updates_and_the_barrier():
    problem = silent_problem((12, 16, 10))
    result = Bound(problem).evaluate(Mapping([1, 1, 1], [0, 1, 2]))
    costs = problem.chip.costs
    assert result.step_times_ps == (16 * costs.neuron_inactive_ps + costs.barrier_ps,) * 2
    assert result.energy.messages_fj == result.energy.synops_fj == 0
    assert not result.link_messages.any()


def test_links_between_chips_serve_slower():
    chip = CHIPS["2x2 chips"]
    problem = PROBLEMS["2x2 chips"]
    service = link_service_ps(chip)
    routers = service[: 4 * problem.topology.n_routers]
    crossing = problem.topology.crosses_chips
    assert set(routers[crossing]) == {3700}
    assert set(routers[~crossing]) == {1160}
    assert set(service[len(routers) :]) == {1160}


def test_bound_depends_on_places_only_through_links():
    """Swapping cores of one router renames ports and changes nothing else."""
    problem = PROBLEMS["loihi2-16"]
    mapping = spread_mapping(problem)
    renamed = Mapping(mapping.cores_per_layer, mapping.placement ^ 1)
    one, other = (Bound(problem).evaluate(m) for m in (mapping, renamed))
    assert one.step_times_ps == other.step_times_ps
    assert one.energy == other.energy


def test_an_illegal_mapping_is_not_measured():
    with pytest.raises(IllegalMappingError, match="logical cores per core: core 0 has 2"):
        Bound(PROBLEMS["loihi2-16"]).evaluate(Mapping([1, 1, 1], [0, 0, 1]))


def test_a_batch_is_measured_in_order():
    problem = PROBLEMS["loihi2-16"]
    mappings = [draw(problem, seed) for seed in range(5)]
    backend = make_backend("bound", problem)
    assert backend.name == "bound"
    batch = [result.step_times_ps for result in backend.evaluate_batch(mappings)]
    assert batch == [backend.evaluate(mapping).step_times_ps for mapping in mappings]
    assert backend.evaluate_batch([]) == []


def test_golden_latencies():
    """The same integers on every machine and with every version."""
    problem = bundled_problem("mlp-xs", "loihi2-16")
    result = Bound(problem).evaluate(heuristic(problem, "balanced/row-major"))
    assert result.step_times_ps == (694350, 655250, 636380, 643940)
    assert result.energy_fj == 1125367100
