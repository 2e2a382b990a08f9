"""The same integers on every machine, Python and number of threads."""

from dataclasses import replace

import numpy as np
import pytest

from loihi_gym.backends import MeshBackend
from loihi_gym.backends.robust import RobustBackend, aggregate_ps
from loihi_gym.benchmarks import load
from loihi_gym.chip import load_chip
from loihi_gym.mapping import Mapping, Problem, heuristic
from tests.toys import bundled_problem, toy_chip, toy_problem


def strided(problem: Problem, k: int, stride: int, start: int) -> Mapping:
    """About `k` cores per layer, `stride` apart; the mapping must not depend on a generator."""
    counts = np.minimum(k + np.arange(problem.n_layers) % 2, problem.network.widths)
    n_cores, n = problem.topology.n_cores, int(counts.sum())
    assert np.gcd(stride, n_cores) == 1
    return Mapping(counts, (start + stride * np.arange(n)) % n_cores)


def problems() -> dict[str, Problem]:
    two_fabrics = toy_chip(chips=(2, 2), constants={"network.fabrics": 2, "costs.synop_ps": 9000})
    return {
        "mlp-xs": bundled_problem("mlp-xs", "loihi2-24"),
        "mlp-deep": bundled_problem("mlp-deep", "loihi2"),
        "two fabrics": toy_problem((40, 60, 50, 20), chip=two_fabrics, density=0.7, steps=3),
    }


MAPPINGS = {
    "mlp-xs": [(2, 1, 0), (2, 5, 0), (2, 7, 3), (3, 1, 0), (3, 5, 2), (3, 11, 7), (4, 1, 4)],
    "mlp-deep": [(12, 1, 0), (12, 5, 0), (12, 77, 1), (13, 1, 0), (13, 27, 9), (11, 1, 2)],
    "two fabrics": [(2, 1, 0), (2, 5, 0), (3, 1, 0), (3, 7, 5), (5, 1, 0), (5, 5, 3), (6, 9, 1)],
}
GOLDEN = {
    "mlp-xs": [3956860, 3889510, 3912080, 3390090, 3328950, 3240140, 3116390],
    "mlp-deep": [27383450, 15703570, 16997330, 24215690, 15212460, 23605400],
    "two fabrics": [27532260, 27551760, 18886560, 19189860, 11789100, 12051600, 10604660],
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_golden_latencies(name):
    problem = problems()[name]
    mappings = [strided(problem, *how) for how in MAPPINGS[name]]
    found = [result.latency_ps for result in MeshBackend(problem).evaluate_batch(mappings)]
    assert found == GOLDEN[name]


HYPOTHESES = {
    "default": 3_218_130,
    "multicast": 2_128_100,
    "dense-rows": 4_630_260,
    "update-first": 3_507_800,
    "short-messages": 2_340_360,
    "deep-queues": 3_218_980,
    "shallow-queues": 3_562_950,
    "fast-links": 2_229_395,
    "slow-links": 5_498_370,
    "two-fabrics": 3_271_810,
    "slow-synapses": 3_237_980,
    "slow-memory": 3_729_700,
    "fast-multicast": 2_121_140,
}
"""Latency of mlp-xs cut and placed by `balanced/hilbert`, on each of `loihi2-hypotheses`."""


def test_golden_latencies_of_every_hypothesis():
    problem = load("mlp-xs")
    backend = RobustBackend(problem, hypotheses="loihi2-hypotheses")
    found = backend.evaluate(heuristic(backend.problem, "balanced/hilbert"))
    assert {name: one.latency_ps for name, one in found.by_chip.items()} == HYPOTHESES
    assert found.latency_ps == 2_683_329
    before = [one.latency_ps for one in backend.reference.by_chip.values()]
    assert aggregate_ps(list(HYPOTHESES.values()), before, "geometric") == 2_683_329


def test_golden_latencies_of_eight_chips():
    problem = replace(load("mlp-xs"), chip=load_chip("kapoho-point"))
    chips = "kapoho-point-hypotheses,multicast,dense-rows,slow-borders"
    backend = RobustBackend(problem, hypotheses=chips)
    found = backend.evaluate(heuristic(backend.problem, "balanced/strided"))
    assert {name: one.latency_ps for name, one in found.by_chip.items()} == {
        "multicast": 7_794_460,
        "dense-rows": 125_573_220,
        "slow-borders": 173_404_560,
    }
