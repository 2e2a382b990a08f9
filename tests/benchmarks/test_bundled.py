from functools import cache

import pytest

from loihi_gym import benchmark_names, load, make_backend
from loihi_gym.benchmarks import benchmark, bundled
from loihi_gym.errors import NetworkFileError, UnknownNameError
from loihi_gym.mapping import fitting, heuristic
from loihi_gym.mapping.heuristics import FIRST_RELEASE, PARTITIONINGS
from tools.recompute import RELEASED, computed, fingerprint, written

problem_named = cache(load)
SINGLE_CHIP = ["mlp-xs", "mlp-deep", "mlp-wide"]
DRAWN = ["ndns", "halapoint-block", "halapoint-8chip"]


def test_names():
    assert benchmark_names()[:3] == SINGLE_CHIP
    with pytest.raises(UnknownNameError, match="did you mean 'mlp-deep'"):
        load("mlp-dep")


@pytest.mark.parametrize("name", benchmark_names())
def test_the_reference_is_the_fastest_standard_heuristic(name):
    """Of those of the first release, for the benchmarks on its chips."""
    problem = problem_named(name)
    released = benchmark(name).chip.startswith(RELEASED)
    mappings = fitting(problem, FIRST_RELEASE if released else PARTITIONINGS)
    measured = make_backend("mesh", problem).evaluate_batch(list(mappings.values()))
    latencies = {n: m.latency_ps for n, m in zip(mappings, measured, strict=True)}
    assert latencies[problem.reference] == min(latencies.values())
    assert problem.check(problem.reference_mapping) == []


@pytest.mark.parametrize("name", benchmark_names())
def test_every_benchmark_has_a_source(name):
    assert len(benchmark(name).source) > 20


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_workload_is_frozen(name):
    assert benchmark(name).generated
    assert fingerprint(problem_named(name)) == benchmark(name).sha256


@pytest.mark.parametrize("name", benchmark_names())
def test_the_toolchains_default_fits(name):
    """So that what a search gains can be told beside what it would do."""
    assert "lava-default/row-major" in fitting(problem_named(name))


def test_a_chip_of_a_block_of_hala_point_has_as_many_layers_as_the_default_puts_there():
    block, large = map(problem_named, ("halapoint-block", "halapoint-8chip"))
    cores = heuristic(block, "lava-default/row-major").cores_per_layer
    assert block.topology.n_cores - cores.sum() < cores[1]
    assert set(large.network.widths) == set(block.network.widths) == {2048}
    assert len(large.network.weights) == 8 * len(block.network.weights)


def test_references_are_computed_and_written_by_one_command():
    entry = benchmark("policy")
    assert computed(entry) == entry
    text = '[mlp-xs]\nsha256 = "1"\nreference = "2"\n\n[policy]\nsha256 = "3"\nreference = "4"\n'
    assert written(text, entry) == (
        '[mlp-xs]\nsha256 = "1"\nreference = "2"\n\n[policy]\n'
        f'sha256 = "{entry.sha256}"\nreference = "{entry.reference}"\n'
    )


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
