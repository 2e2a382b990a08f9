from functools import cache

import pytest

from loihi_gym import benchmark_names, load, make_backend
from loihi_gym.benchmarks import benchmark, bundled
from loihi_gym.errors import NetworkFileError, UnknownNameError
from loihi_gym.mapping import heuristic
from loihi_gym.mapping.heuristics import FIRST_RELEASE, heuristic_names

problem_named = cache(load)
SINGLE_CHIP = ["mlp-xs", "mlp-deep", "mlp-wide"]


def test_names():
    assert benchmark_names()[:3] == SINGLE_CHIP
    with pytest.raises(UnknownNameError, match="did you mean 'mlp-deep'"):
        load("mlp-dep")


@pytest.mark.parametrize("name", benchmark_names())
def test_the_reference_is_the_fastest_of_the_first_releases_heuristics(name):
    problem = problem_named(name)
    names = heuristic_names(FIRST_RELEASE)
    measured = make_backend("mesh", problem).evaluate_batch(
        [heuristic(problem, known) for known in names]
    )
    latencies = {n: m.latency_ps for n, m in zip(names, measured, strict=True)}
    assert latencies[problem.reference] == min(latencies.values())
    assert problem.check(problem.reference_mapping) == []


@pytest.mark.parametrize("name", ["mlp-deep", "mlp-wide"])
def test_the_flagships_default_needs_60_to_100_of_152_cores(name):
    mapping = heuristic(problem_named(name), "lava-default/row-major")
    assert 60 <= mapping.n_logical_cores <= 100


@pytest.mark.parametrize("name", benchmark_names())
def test_every_layer_is_busy_in_every_recorded_step(name):
    problem = problem_named(name)
    entry = benchmark(name)
    assert problem.activity.steps == entry.steps
    layers = problem.activity.messages
    # Nothing depends on what a drawn last layer sends, and of ten neurons often none does.
    for layer in layers[:-1] if entry.generated else layers:
        assert (layer != 0).any(axis=1).all()


def test_loading_twice_makes_equal_problems():
    first, second = load("mlp-xs"), load("mlp-xs")
    assert first is not second
    assert first.reference_mapping == second.reference_mapping


def test_a_changed_network_file_is_refused(tmp_path, monkeypatch):
    good = benchmark("mlp-xs").path.read_bytes()
    entries = (benchmark("mlp-xs").path.parent.parent / "bundled.toml").read_bytes()
    (tmp_path / "bundled.toml").write_bytes(entries)
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(bundled, "_HERE", tmp_path)
    with pytest.raises(NetworkFileError, match=r"mlp-xs\.npz: No such file"):
        load("mlp-xs")
    (tmp_path / "data" / "mlp-xs.npz").write_bytes(good + b" ")
    with pytest.raises(NetworkFileError, match="is not the released one"):
        load("mlp-xs")
