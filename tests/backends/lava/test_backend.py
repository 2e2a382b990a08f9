"""The hardware backend against a fake of closed interfaces: see fake_loihi/fake_board.py."""

import gc
import os
from contextlib import closing
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import loihi_gym
from loihi_gym.backends.lava import LavaBackend, LavaWorker
from loihi_gym.backends.lava.board import measured_energy, places
from loihi_gym.backends.measurement import EnergyBreakdown
from loihi_gym.chip import load_chip
from loihi_gym.errors import IllegalMappingError, LavaSetupError, MeasurementError
from loihi_gym.mapping import Mapping
from tests.backends.lava.conftest import FAKE_LOIHI, fake_environment
from tests.toys import problem_of, silent_problem, toy_inputs, toy_network

HINTS = """
def partitioning(names, places):
    return dict(zip(names, places))
"""


@pytest.fixture(scope="module")
def problem():
    network = toy_network((12, 16, 10))
    return replace(problem_of(network, steps=3), inputs=toy_inputs(network, 5))


@pytest.fixture
def loihi(lava, problem, tmp_path):
    """Makes a backend on a fake Loihi with some faults."""
    workers = []

    def make(*faults: str, hints: bool = False, **options) -> LavaBackend:
        environment = fake_environment(*faults)
        environment["PATH"] = f"{FAKE_LOIHI}:{os.environ['PATH']}"
        workers.append(LavaWorker(environment=environment))
        if hints:
            (tmp_path / "hints.py").write_text(HINTS)
            options["hints"] = str(tmp_path / "hints.py")
        return LavaBackend(problem, worker=workers[-1], **options)

    yield make
    for worker in workers:
        worker.close()


def row_major(problem, *counts: int) -> Mapping:
    """What the open part of Lava's compiler does: consecutive cores."""
    return Mapping(counts, range(sum(counts)))


def test_step_times_are_the_chips(loihi, problem):
    measured = loihi(runs=2, warm_up=4).evaluate(row_major(problem, 2, 3, 1))
    # 4 silent steps, 2 to fill the network, 3 recorded, and 1 for the inputs to get in.
    assert measured.step_times_ps == (8_000_000, 9_000_000, 10_000_000)
    assert measured.latency_ps == 27_000_000
    assert measured.runs_ps.tolist() == [[8_000_000, 9_000_000, 10_000_000]] * 2


def test_step_times_are_medians_of_runs(loihi, problem):
    measured = loihi("jitter", runs=3, warm_up=0).evaluate(row_major(problem, 1, 1, 1))
    assert measured.runs_ps[:, 0].tolist() == [4_000_000, 4_250_000, 4_500_000]
    assert measured.step_times_ps == (4_250_000, 5_250_000, 6_250_000)


def test_both_profilers_give_the_same_times(loihi, problem):
    mapping = row_major(problem, 1, 2, 1)
    callbacks = loihi(runs=1).evaluate(mapping)
    api = loihi(runs=1, profiler="api").evaluate(mapping)
    assert callbacks.step_times_ps == api.step_times_ps
    assert callbacks.core_counts["cores"].tolist() == [[0, 0], [0, 1], [0, 2], [0, 3]]
    assert callbacks.core_counts["syn_ops"].tolist() == [0, 100, 200, 300]
    assert api.core_counts == {}


def test_counts_are_the_networks(loihi, problem):
    mapping = row_major(problem, 1, 2, 1)
    measured = loihi(runs=1).evaluate(mapping)
    bound = loihi_gym.make_backend("bound", problem).evaluate(mapping)
    for name in ("dendops", "synops", "synmem_words", "messages_in", "messages_out"):
        assert np.array_equal(getattr(measured, name), getattr(bound, name))
    assert 0 <= measured.bottleneck.share <= 1


def test_power_is_measured_if_asked_for_and_there_is_a_probe(loihi, problem):
    mapping = row_major(problem, 1, 1, 1)
    measured = loihi(runs=1, power_steps=30).evaluate(mapping)
    assert (measured.power_w, measured.static_power_w) == (pytest.approx(0.7), 0.25)
    assert measured.energy_j == pytest.approx(0.7 * measured.latency_s, rel=1e-9)
    assert measured.energy.static_fj == round(0.25 * measured.latency_ps * 1000)
    for backend in (loihi(runs=1), loihi("nopower", runs=1, power_steps=30)):
        without = backend.evaluate(mapping)
        assert (without.power_w, without.energy) == (None, None)


def test_a_mapping_the_compiler_did_not_honour_is_refused_by_name(loihi, problem):
    mapping = Mapping([1, 2, 1], [0, 1, 5, 3])
    backend = loihi(runs=1)
    with pytest.raises(MeasurementError) as raised:
        backend.evaluate(mapping)
    assert str(raised.value).startswith(
        f"the compiler did not honour mapping {mapping.digest[:12]}: logical core 2 (layer 1) is "
        "on chip 0 core 2, not on chip 0 core 5; nothing was measured"
    )
    assert backend.evaluate(row_major(problem, 1, 2, 1)).latency_ps > 0


def test_hints_reach_the_compiler(loihi):
    mapping = Mapping([1, 2, 1], [9, 1, 5, 3])
    measured = loihi(runs=1, hints=True).evaluate(mapping)
    assert measured.core_counts["cores"].tolist() == [[0, 9], [0, 1], [0, 5], [0, 3]]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("split", "logical core 1 .layer 1. is on chip 0 core 1 and chip 0 core 2, not on"),
        ("cpu", r"logical core 0 .layer 0. ran on the CPU, not on chip 0 core 0 .and 3 more."),
        ("stranger", "was not what ran: chip 0 core 119 updated neurons"),
        ("short", "the profiler gave 1 step times.*; 3 were to be measured"),
    ],
)
def test_what_the_chip_did_otherwise_is_refused(loihi, problem, fault, message):
    with pytest.raises(MeasurementError, match=message):
        loihi(fault, runs=1).evaluate(row_major(problem, 1, 2, 1))


def test_lif_neurons_are_measured_and_biases_refused(lava):
    network = replace(toy_network(), neuron="lif", decays=((4096, 415),) * 2)
    problem = replace(problem_of(network), inputs=toy_inputs(network, 5))
    biased = replace(problem, network=replace(network, biases=toy_network(bias=9).biases))
    with LavaWorker(environment=fake_environment()) as worker:
        for one in (problem, biased):
            backend = LavaBackend(one, worker=worker, runs=1)
            if one is problem:
                assert backend.evaluate(row_major(one, 1, 2, 1)).latency_ps > 0
                continue
            with pytest.raises(MeasurementError, match="toy has biases"):
                backend.evaluate(row_major(one, 1, 2, 1))


def test_a_board_that_hangs_is_one_failed_measurement(loihi, problem, started):
    with pytest.raises(MeasurementError, match="took longer than 3 s"):
        loihi("hang", limit_s=3).evaluate(row_major(problem, 1, 1, 1))
    assert not started[0].folder.exists()


def test_several_mappings_are_measured_in_their_order(loihi, problem):
    mappings = [row_major(problem, 1, 1, 1), row_major(problem, 2, 1, 1)]
    batch = loihi(runs=1).evaluate_batch(mappings)
    assert [measured.dendops.shape[1] for measured in batch] == [3, 4]


def test_an_episode_runs_on_hardware(lava, problem, tmp_path, monkeypatch):
    """As docs/real-loihi.md has it: the backend by name, its settings from the environment."""
    (tmp_path / "hints.py").write_text(HINTS)
    settings = {"LOIHI_GYM_LAVA_HINTS": str(tmp_path / "hints.py")}
    for name, value in (fake_environment() | settings).items():
        monkeypatch.setenv(name, value)
    env = gym.make("LoihiPlace-v0", benchmark=problem, backend="lava").unwrapped
    _, info = env.reset(seed=0)
    before = env.mapping
    free = np.setdiff1d(np.flatnonzero(info["action_mask"]), before.placement)[0]
    _, reward, _, _, _ = env.step(int(free))
    assert env.mapping != before
    assert reward == 0  # the fake takes the same time wherever the cores are
    with closing(LavaBackend(problem)) as backend:
        cores = backend.evaluate(env.mapping).core_counts["cores"].tolist()
    assert cores == [list(place) for place in places(problem, env.mapping)]
    del env  # nobody else has its backend, so its worker ends
    gc.collect()


def test_settings_come_from_the_environment(problem, monkeypatch):
    for name in ("HOST", "BOARD", "PARTITION", "GENERATION", "HINTS"):
        monkeypatch.setenv(f"LOIHI_GYM_LAVA_{name}", name.lower())
    asked = LavaBackend(problem)._request
    assert asked["board"] == {
        "host": "host",
        "board": "board",
        "partition": "partition",
        "generation": "generation",
    }
    assert asked["hints"] == "hints"
    assert LavaBackend(problem, board="mine")._request["board"]["board"] == "mine"


def test_a_board_is_chosen_by_slurm_or_address(loihi, problem):
    mapping = row_major(problem, 1, 1, 1)
    assert loihi(runs=1, board="ncl-og-01", partition="oheogulch").evaluate(mapping)
    assert loihi(runs=1, host="10.1.2.3", generation="N3C1").evaluate(mapping)


def test_a_host_that_does_not_answer_is_named(loihi, problem):
    with pytest.raises(LavaSetupError, match=r"no Loihi 2 was found: 10\.9\.9\.9 does not answer"):
        loihi(runs=1, host="10.9.9.9").evaluate(row_major(problem, 1, 1, 1))


def test_an_unknown_generation_is_named(loihi, problem):
    with pytest.raises(MeasurementError, match="KeyError: 'N9'"):
        loihi(runs=1, generation="N9").evaluate(row_major(problem, 1, 1, 1))


def test_without_slurm_that_is_said(lava, problem):
    environment = {"PYTHONPATH": str(FAKE_LOIHI), "PATH": "/nowhere"}
    with LavaWorker(environment=environment) as worker:
        backend = LavaBackend(problem, worker=worker)
        with pytest.raises(LavaSetupError, match="no Loihi 2 was found: SLURM is not available"):
            backend.evaluate(row_major(problem, 1, 1, 1))


def test_without_a_loihi_the_error_says_what_is_missing_and_what_to_do(lava, problem):
    backend = loihi_gym.make_backend("lava", problem)
    with pytest.raises(LavaSetupError) as raised:
        backend.evaluate(row_major(problem, 1, 1, 1))
    backend.close()
    for part in ("lava-loihi is not installed", "loihi-gym lava doctor", "backend='mesh'"):
        assert part in str(raised.value)


def test_an_illegal_mapping_is_refused_before_anything_is_run(problem, started):
    with pytest.raises(IllegalMappingError):
        LavaBackend(problem).evaluate(Mapping([1, 1, 1], [0, 0, 1]))
    assert started == []


def test_a_problem_without_inputs_is_refused(started):
    problem = silent_problem()
    with pytest.raises(MeasurementError, match="silent has no inputs"):
        LavaBackend(problem).evaluate(row_major(problem, 1, 1, 1))


@pytest.mark.parametrize("options", [{"runs": 0}, {"warm_up": -1}, {"power_steps": -1}])
def test_bad_options_are_refused(problem, options):
    with pytest.raises(ValueError, match="at least"):
        LavaBackend(problem, **options)


def test_lava_is_a_backend():
    assert "lava" in loihi_gym.backend_names()


def test_places_count_cores_chip_by_chip():
    network = toy_network((12, 16, 10))
    problem = replace(problem_of(network), chip=load_chip("kapoho-point"))
    per_chip = int(np.bincount(problem.topology.core_chip)[0])
    mapping = Mapping([1, 2, 1], [0, per_chip - 1, per_chip, 3 * per_chip + 7])
    assert places(problem, mapping) == [(0, 0), (0, per_chip - 1), (1, 0), (3, 7)]


def test_measured_energy_is_divided_as_the_model_divides_its_own():
    modelled = EnergyBreakdown(600, 300, 100, 5)
    assert measured_energy(modelled, 1000, 0.75, 0.25) == (300_000, 150_000, 50_000, 250_000)
    assert measured_energy(modelled, 1000, 0.2, 0.25) == (0, 0, 0, 250_000)
    assert measured_energy(EnergyBreakdown(0, 0, 0, 5), 10, 1.0, 0.5) == (0, 0, 5000, 5000)
    assert sum(measured_energy(EnergyBreakdown(1, 1, 1, 0), 7, 0.123, 0.0)) == 861
