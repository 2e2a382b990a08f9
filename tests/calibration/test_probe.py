"""Probes: what is drawn, what is chosen, and that calibration reads a chip off them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym import load_chip, make_backend
from loihi_gym.calibration import DataPoint, choose, probe
from loihi_gym.calibration.fit import NOISE, Fit
from loihi_gym.calibration.likelihood import draws
from loihi_gym.calibration.parameters import Parameter
from loihi_gym.calibration.predict import MeshTimes
from loihi_gym.calibration.probe import (
    LARGEST,
    design,
    draw_pool,
    drawn,
    most_telling,
    probe_files,
    save_probes,
)
from loihi_gym.calibration.structures import TIMED, ways
from loihi_gym.chip.spec import OPTIONS
from loihi_gym.cli import main
from loihi_gym.errors import LoihiGymError
from loihi_gym.mapping import random_mapping
from tests.toys import STRUCTURES, built, examples, toy_chip, toy_problem


@pytest.fixture
def few(monkeypatch):
    """A small pool, simulated on few chips."""
    monkeypatch.setattr(probe, "POOL", 16)
    monkeypatch.setattr(probe, "CHIPS_EACH", 1)


@examples(60)
@given(STRUCTURES, st.integers(0, 1000))
def test_mesh_times_are_those_of_the_backend_for_any_constants(structure, seed):
    problem = toy_problem((12, 16, 10), seed=seed % 5)
    rng = np.random.default_rng(seed)
    mappings = [random_mapping(problem, rng) for _ in range(3)]
    times = MeshTimes([problem] * 3, mappings, built(problem.chip, **structure))
    for _ in range(2):
        chip = drawn(built(problem.chip, **structure), rng)
        backend = make_backend("mesh", replace(problem, chip=chip))
        expected = [t for one in mappings for t in backend.evaluate(one).step_times_ps]
        assert times.step_ps(chip).tolist() == expected


def test_all_ways_of_building_a_chip():
    chip = built(load_chip("loihi2"), rows="dense")
    found = ways(chip)
    assert len(found) == 24 == np.prod([len(OPTIONS[name]) for name in TIMED])
    assert found[0].structure == chip.structure
    assert len({one.structure for one in found}) == 24


@pytest.mark.parametrize("name", ["loihi2-16", "loihi2", "kapoho-point"])
def test_every_way_of_building_a_chip_can_hold_a_probe(few, name):
    chip = load_chip(name)
    pool = draw_pool(chip, np.random.default_rng(1))
    assert len(pool) == 16
    for one in pool:
        assert max(one.problem.network.widths) <= 4 * LARGEST
        assert one.problem.activity.steps == 1
        for way in ways(chip):
            assert not replace(one.problem, chip=way).check(one.mapping)
    again = draw_pool(chip, np.random.default_rng(1))
    assert [one.problem.digest for one in again] == [one.problem.digest for one in pool]
    assert {words for one in pool for words in one.problem.activity.layer_words} == {1, 2}


def test_a_chip_of_one_column_has_probes_too(few):
    assert draw_pool(toy_chip(routers=(1, 4), cores_per_router=2), np.random.default_rng(0))
    with pytest.raises(LoihiGymError, match="chip toy has 3 cores: probes need 4 or more"):
        draw_pool(toy_chip(routers=(3, 1), cores_per_router=1), np.random.default_rng(0))


@examples(40)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_most_telling_are_chosen_one_after_the_other(seed, count):
    """By trying each: the largest determinants, of all that varies and of the ways alone."""
    times = np.random.default_rng(seed).normal(0, 0.05, (3, 7, 8)).cumsum(axis=2)
    covariances = []
    for spread in (times - times.mean(axis=(0, 1)), times - times.mean(axis=0)):
        flat = spread.reshape(-1, 8)
        covariances.append(np.eye(8) + flat.T @ flat / len(flat) / NOISE**2)
    chosen: list[int] = []
    for found in most_telling(times, count):
        told = {
            k: sum(np.linalg.slogdet(one[np.ix_(*[[*chosen, k]] * 2)])[1] for one in covariances)
            for k in range(8)
            if k not in chosen
        }
        assert told[found] == pytest.approx(max(told.values()))
        chosen.append(found)
    assert len(set(chosen)) == count


def test_probes_on_disk(few, tmp_path):
    probes = design(load_chip("loihi2-16"), 3)
    save_probes(tmp_path / "p", probes)
    files = probe_files(tmp_path / "p")
    assert [problem.name for problem, _ in files] == ["01.npz", "02.npz", "03.npz"]
    with pytest.raises(LoihiGymError, match="the directory is not empty; name a new one"):
        save_probes(tmp_path / "p", probes)
    (tmp_path / "p" / "02.json").unlink()
    with pytest.raises(LoihiGymError, match=r"02.npz lacks 02.json"):
        probe_files(tmp_path / "p")
    with pytest.raises(LoihiGymError, match="holds no probes: loihi-gym probe -o DIR writes some"):
        probe_files(tmp_path)
    with pytest.raises(LoihiGymError, match="41 probes: 1 to 40 can be designed"):
        design(load_chip("loihi2-16"), 41)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def test_probes_are_measured_where_they_lie(few, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("probe", "-o", "p", "--chip", "loihi2-16", "--count", "3") == 0
    assert "loihi-gym measure p --backend lava" in capsys.readouterr().out
    assert run("measure", "p", "-o", "m.jsonl") == 0
    assert "measured 3 mappings on mesh; m.jsonl has 3" in capsys.readouterr().out
    assert run("measure", "p", "-o", "m.jsonl") == 0
    assert "measured 0 mappings on mesh; m.jsonl has 3" in capsys.readouterr().out
    assert run("measure", "p", "packed/hilbert", "-o", "m.jsonl") == 2
    assert "name no mappings" in capsys.readouterr().err
    assert run("probe", "-o", "p", "--chip", "loihi2-16") == 2
    assert "not empty" in capsys.readouterr().err


def linear_fit(rng: np.random.Generator, truth: np.ndarray, noise: float) -> Fit:
    """A fit to 40 measurements that are linear in three constants, by least squares."""
    known = [Parameter(f"costs.{name}_ps", 1, 2000, 40, 1) for name in ("synop", "spike", "link")]
    slopes = rng.normal(0, [0.1, 0.02, 1e-4], (40, 3))  # the last one is hardly told
    spread = np.array([one.spread for one in known])
    middle = np.array([sum(one.bounds) / 2 for one in known])
    measured = slopes @ truth + noise * rng.standard_normal(40)
    weights = slopes.T @ slopes / NOISE**2 + np.diag(1 / spread**2)
    x = np.linalg.solve(weights, slopes.T @ measured / NOISE**2 + middle / spread**2)
    x = np.clip(x, *np.array([one.bounds for one in known]).T)
    return Fit(
        chip=load_chip("loihi2-16"),
        known=known,
        x=x,
        jacobian=slopes,
        residuals=slopes @ x - measured,
        noise=noise,
        problems=[],
        measured=[DataPoint("", None, (1,))] * 40,
        residuals_at=lambda other: slopes @ other - measured,
    )


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Also of constants that the measurements do not tell, and at the ends of the range."""
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        low, high = np.array([one.bounds for one in linear_fit(rng, np.zeros(3), 0.02).known]).T
        truth = rng.uniform(low, high)
        fit = linear_fit(rng, truth, 0.02)
        ends = np.quantile(draws(fit), (0.025, 0.975), axis=0)
        inside.append((ends[0] <= truth) & (truth <= ends[1]))
    assert 0.91 <= np.mean(inside) <= 0.99


@pytest.mark.slow
def test_a_hidden_chip_is_read_off_probes(tmp_path, monkeypatch):
    """How it is built, and what a network takes that was not measured."""
    monkeypatch.setattr(probe, "POOL", 100)
    chip = load_chip("loihi2-24")
    save_probes(tmp_path, design(chip, 24))
    hidden = drawn(built(chip, multicast="tree", rows="dense"), np.random.default_rng(8))
    rng, measured = np.random.default_rng(9), []
    from loihi_gym import load
    from loihi_gym.mapping import Mapping

    for problem, mapping in probe_files(tmp_path):
        backend = make_backend("mesh", replace(load(str(problem)), chip=hidden))
        one = Mapping.load(str(mapping))
        times = np.array(backend.evaluate(one).step_times_ps) * (1 + 0.02 * rng.standard_normal())
        measured.append(DataPoint(str(problem), one, tuple(times.astype(int).tolist())))
    best, *_ = choose(measured, chip)
    assert (best.structure.multicast, best.structure.rows) == ("tree", "dense")
    assert best.probability > 0.3
    other = replace(toy_problem((200, 120, 60), density=0.3), chip=hidden)
    mapping = random_mapping(other, rng)
    true, told = (
        make_backend("mesh", replace(other, chip=one)).evaluate(mapping).latency_ps
        for one in (hidden, best.fit.chip)
    )
    assert abs(told / true - 1) < 0.05
