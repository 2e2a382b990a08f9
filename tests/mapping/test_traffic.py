"""`Traffic` against a twin that goes through every neuron and every synapse."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.chip import load_chip
from loihi_gym.mapping import Problem, Traffic
from loihi_gym.mapping.pieces import bounds
from tests.toys import (
    STRUCTURES,
    built,
    bundled_problem,
    dense_network,
    examples,
    problem_of,
    silent_problem,
    toy_problem,
)

PER_CORE = (
    *("active", "inactive", "entries_out", "messages_out", "messages_in"),
    *("synops", "synmem_words"),
    *("send_ps", "receive_ps", "tail_ps"),
)


def slow_traffic(problem: Problem, counts: list[int]) -> dict[str, object]:
    """All fields of `Traffic`, from loops over neurons and synapses."""
    chip, costs, widths = problem.chip, problem.chip.costs, problem.network.widths
    steps, n = problem.activity.steps, sum(counts)
    first = [sum(counts[:layer]) for layer in range(len(counts) + 1)]
    owner = [  # logical core of each neuron
        [
            first[layer] + piece
            for piece in range(count)
            for _ in range(width * piece // count, width * (piece + 1) // count)
        ]
        for layer, (count, width) in enumerate(zip(counts, widths, strict=True))
    ]
    targets = [  # postsynaptic neurons of each neuron
        [[] for _ in range(width)] for width in widths
    ]
    for layer, weights in enumerate(problem.network.weights):
        for post in range(widths[layer + 1]):
            stored = weights.indices[weights.indptr[post] : weights.indptr[post + 1]]
            for pre in range(widths[layer]) if chip.structure.rows == "dense" else stored:
                targets[layer][pre].append(post)

    load = {name: [[0] * n for _ in range(steps)] for name in PER_CORE}
    flows: dict[tuple[int, int], list[int]] = {}
    neuron_first, work_ps, row_first, rows = [], [], [], []
    for step in range(steps):
        neuron_first.append([])
        for layer, width in enumerate(widths):
            updating = 0  # time since the core's last sending neuron
            for neuron in range(width):
                core = owner[layer][neuron]
                if neuron == 0 or owner[layer][neuron - 1] != core:
                    neuron_first[-1].append(len(work_ps))
                    updating = 0
                if problem.activity.messages[layer][step][neuron] == 0:
                    load["inactive"][step][core] += 1
                    load["send_ps"][step][core] += costs.neuron_inactive_ps
                    updating += costs.neuron_inactive_ps
                    load["tail_ps"][step][core] = updating
                    continue
                load["active"][step][core] += 1
                load["send_ps"][step][core] += costs.neuron_active_ps
                work_ps.append(updating + costs.neuron_active_ps)
                updating = 0
                load["tail_ps"][step][core] = 0
                row_first.append(len(rows))
                heard = False
                following = (
                    range(first[layer + 1], first[layer + 2]) if layer + 2 < len(first) else ()
                )
                for target in following:
                    synapses = sum(owner[layer + 1][p] == target for p in targets[layer][neuron])
                    if synapses == 0:
                        rows.append(0)
                        continue
                    bits = synapses * slow_synapse_bits(problem, layer + 1)
                    words = chip.capacity.axon_words + bits // 64 + (bits % 64 > 0)
                    time = words * costs.synmem_word_ps + synapses * costs.synop_ps
                    rows.append(time)
                    load["entries_out"][step][core] += 1
                    load["send_ps"][step][core] += costs.axon_ps
                    if chip.structure.multicast == "none" or not heard:
                        load["messages_out"][step][core] += 1
                        load["send_ps"][step][core] += costs.spike_ps
                    heard = True
                    load["messages_in"][step][target] += 1
                    load["synops"][step][target] += synapses
                    load["synmem_words"][step][target] += words
                    load["receive_ps"][step][target] += time
                    flows.setdefault((core, target), [0] * steps)[step] += 1
        neuron_first[-1].append(len(work_ps))
    layer_of = [layer for layer, count in enumerate(counts) for _ in range(count)]
    words = slow_words(problem)
    pairs = [
        (core, target)
        for core, layer in enumerate(layer_of)
        for target in range(first[layer + 1], (*first, first[-1])[layer + 2])
    ]
    silent = [0] * steps
    return {
        **load,
        "layer": layer_of,
        "next_core": [first[layer + 1] for layer in layer_of],
        "fan_out": [(*counts, 0)[layer + 1] for layer in layer_of],
        "counts": counts,
        "dendops": np.add(load["active"], load["inactive"]).tolist(),
        "flows": [[pair[end] for pair in sorted(flows)] for end in (0, 1)],
        "pair_first": [sum(source < core for source, _ in pairs) for core in range(n)],
        "pair_messages": [flows.get(pair, silent) for pair in pairs],
        "neuron_first": neuron_first,
        "work_ps": work_ps,
        "row_first": row_first,
        "row_receive_ps": rows,
        "words_out": [words[layer] for layer in layer_of],
        "words_in": [words[max(layer - 1, 0)] for layer in layer_of],
    }


def slow_words(problem: Problem) -> list[int]:
    """Words of a message of each layer."""
    needed = [
        1 if all(-128 <= payload <= 127 for payload in layer.reshape(-1).tolist()) else 2
        for layer in problem.activity.messages
    ]
    size = problem.chip.structure.message_size
    return {"layer": needed, "network": [max(needed)] * len(needed), "short": [1] * len(needed)}[
        size
    ]


def slow_synapse_bits(problem: Problem, layer: int) -> int:
    """Dense rows hold weights alone; sparse ones an index beside each."""
    capacity = problem.chip.capacity
    weight = (problem.network.weight_bits or (8,) * layer)[layer - 1]
    if problem.chip.structure.rows == "dense":
        return weight
    return capacity.synapse_bits - capacity.weight_bits + weight


def assert_equal(traffic: Traffic, expected: dict[str, object]) -> None:
    for name, value in expected.items():
        found = getattr(traffic, name)
        if name == "flows":
            found = [ends.tolist() for ends in found]
        assert (found.tolist() if isinstance(found, np.ndarray) else found) == value, name


@st.composite
def cases(draw) -> tuple[Problem, list[int]]:
    widths = tuple(draw(st.lists(st.integers(1, 9), min_size=2, max_size=4)))
    chip = built(load_chip("v1/loihi2-16"), **draw(STRUCTURES))
    problem = toy_problem(
        widths,
        density=draw(st.sampled_from([0.0, 0.2, 0.6, 1.0])),
        chip=chip.with_constant("costs.axon_ps", draw(st.sampled_from([0, 1500]))),
        steps=draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 1000)),
        neuron=draw(st.sampled_from(["relu", "sigma-delta"])),
    )
    bits = draw(st.one_of(st.just(()), st.tuples(*[st.integers(1, 8)] * (len(widths) - 1))))
    problem = replace(problem, network=replace(problem.network, weight_bits=bits))
    return problem, [draw(st.integers(1, width)) for width in widths]


@examples(150)
@given(cases())
def test_traffic_equals_its_slow_twin(case):
    problem, counts = case
    assert_equal(problem.traffic(np.array(counts, np.int32)), slow_traffic(problem, counts))


def test_traffic_of_a_larger_network_equals_its_slow_twin():
    problem = toy_problem((30, 70, 50, 10), density=0.2, steps=3)
    for counts in ([1, 1, 1, 1], [3, 5, 2, 1], [30, 70, 50, 10]):
        assert_equal(problem.traffic(np.array(counts, np.int32)), slow_traffic(problem, counts))


@pytest.mark.parametrize("counts", [[1, 1, 1], [5, 4, 3]])
def test_a_silent_network_only_updates(counts):
    problem = silent_problem()
    traffic = problem.traffic(np.array(counts, np.int32))
    assert_equal(traffic, slow_traffic(problem, counts))
    assert len(traffic.flows[0]) == len(traffic.work_ps) == 0
    assert (traffic.send_ps == traffic.tail_ps).all()


def test_payloads_of_more_than_a_byte_take_two_words():
    assert bundled_problem("mlp-xs", "loihi2-16").activity.message_bits == 64
    problem = bundled_problem("mlp-xs", "loihi2-16")
    assert problem.traffic(np.ones(5, np.int32)).words_out.tolist() == [2] * 5
    by_layer = replace(problem, chip=built(problem.chip, message_size="layer"))
    sent = [2 if np.abs(layer).max() > 127 else 1 for layer in problem.activity.messages]
    assert by_layer.traffic(np.ones(5, np.int32)).words_out.tolist() == sent
    short = replace(problem, chip=built(problem.chip, message_size="short"))
    assert short.traffic(np.ones(5, np.int32)).words_out.tolist() == [1] * 5


def test_totals_of_a_bundled_network():
    problem = bundled_problem("mlp-xs", "loihi2-16")
    traffic = problem.traffic(np.array([2, 3, 3, 2, 1], np.int32))
    sending = [messages != 0 for messages in problem.activity.messages]
    synapses = [weights.toarray() * 0 for weights in problem.network.weights]
    for dense, weights in zip(synapses, problem.network.weights, strict=True):
        dense[np.repeat(np.arange(len(dense)), np.diff(weights.indptr)), weights.indices] = 1
    synops = [
        int((sent @ mask.T.astype(int)).sum())
        for sent, mask in zip(sending, synapses, strict=False)
    ]
    assert [int(traffic.synops[:, traffic.layer == layer].sum()) for layer in range(5)] == [
        0,
        *synops,
    ]
    assert traffic.active.sum() == sum(int(sent.sum()) for sent in sending)
    assert (traffic.active + traffic.inactive).sum() == 4 * sum(problem.network.widths)


def test_a_message_reads_its_axon_and_its_synapses():
    """20 bits a synapse, in words of 64, and one word for the axon."""
    for synapses, words in {1: 2, 3: 2, 4: 3, 16: 6, 17: 7}.items():
        problem = problem_of(dense_network(1, synapses))
        traffic = problem.traffic(np.array([1, 1], np.int32))
        assert (traffic.synmem_words[traffic.active[:, :1].any(axis=1), 1] == words).all()
        assert set(traffic.row_receive_ps.tolist()) == {560 * words + 700 * synapses}


@examples(40)
@given(cases())
def test_layer_work_is_the_longer_of_sending_and_receiving(case):
    problem, counts = case
    cores = np.array(counts, np.int32)
    traffic = problem.traffic(cores)
    longer = np.maximum(traffic.send_ps, traffic.receive_ps).sum(axis=0)
    for layer in range(len(counts)):
        work = problem.loads.work_ps(layer, cores)
        assert work.tolist() == longer[traffic.layer == layer].tolist()


@examples(40)
@given(cases())
def test_a_core_sends_after_its_updates(case):
    problem, counts = case
    traffic = problem.traffic(np.array(counts, np.int32))
    costs = problem.chip.costs
    for step in range(traffic.steps):
        for core in range(traffic.n_logical_cores):
            start, stop = traffic.neuron_first[step, core : core + 2]
            update = traffic.work_ps[start:stop].sum() + traffic.tail_ps[step, core]
            sending = traffic.messages_out[step, core] * costs.spike_ps
            sending += traffic.entries_out[step, core] * costs.axon_ps
            assert update + sending == traffic.send_ps[step, core]
    sizes = np.concatenate(
        [np.diff(bounds(w, k)) for w, k in zip(problem.network.widths, counts, strict=True)]
    )
    assert (traffic.active + traffic.inactive == sizes).all()


@examples(40)
@given(cases(), st.data())
def test_traffic_of_changed_counts_is_that_of_a_new_problem(case, data):
    """What is kept of one partitioning does not leak into the next."""
    problem, counts = case
    changed = [data.draw(st.integers(1, width)) for width in problem.network.widths]
    problem.traffic(np.array(counts, np.int32))
    assert_equal(problem.traffic(np.array(changed, np.int32)), slow_traffic(problem, changed))
