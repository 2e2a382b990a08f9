import pytest

from loihi_gym import load, make_backend
from loihi_gym.comparison.pierro2026 import NETWORKS, SOLVERS, StudyRow, run_study, study
from loihi_gym.errors import IllegalMappingError, UnknownNameError
from loihi_gym.mapping import Mapping, heuristic

SOLVER = "nested-es:start=toolchain"
TOO_LARGE = "generator://mlp?layers=12&width=2048&inputs=2048&outputs=10&density=0.1"
"""Twelve layers of sixteen cores each, if the cores of a layer are doubled."""


def quiet(note: str, done: int, total: int) -> None:
    """Tells nobody."""


def test_the_study_is_of_two_networks_on_a_chip_and_one_on_several():
    chips = [load(name).chip.n_chips for name in NETWORKS]
    assert chips == [1, 1, 8]
    assert [load(name).topology.n_cores for name in NETWORKS[:2]] == [152, 152]
    assert len(load(NETWORKS[0]).network.weights) == 10
    assert {"nested-es:start=random", SOLVER} <= set(SOLVERS)


def test_rows_hold_what_was_found_against_the_toolchains_default(tmp_path):
    told: list[tuple[int, int]] = []
    made = study(["mlp-xs"], [SOLVER, "nested-es:start=random"], 40, 2, tmp_path)
    rows = run_study(made, lambda note, done, total: told.append((done, total)))
    assert [(row.network, row.solver) for row in rows] == [
        ("mlp-xs", SOLVER),
        ("mlp-xs", "nested-es:start=random"),
    ]
    backend = make_backend("mesh", load("mlp-xs"))
    default = backend.evaluate(heuristic(backend.problem, "lava-default/row-major"))
    for row in rows:
        assert row.default.latency_ps == default.latency_ps
        reference = backend.evaluate(backend.problem.reference_mapping)
        assert row.reference.latency_ps == reference.latency_ps
        assert len(row.found) == 2
        for seed, (one, less, fewer) in enumerate(
            zip(row.found, row.latency_reductions, row.energy_reductions, strict=True)
        ):
            (out,) = [t.out for t in made.tasks if (t.label, t.config.seed) == (row.solver, seed)]
            again = backend.evaluate(Mapping.load(out / "mapping.json"))
            assert one.latency_ps == again.latency_ps
            assert less == pytest.approx(1 - again.latency_ps / default.latency_ps)
            assert fewer == pytest.approx(1 - again.energy_fj / default.energy_fj)
    assert rows[0].latency_reduction > 0  # it begins there
    assert all(done <= total == 160 for done, total in told)
    assert sorted(told) == told
    assert told[-1] == (160, 160)


def test_what_is_there_is_not_run_again(tmp_path):
    made = study(["mlp-xs"], [SOLVER], 20, 1, tmp_path)
    first = run_study(made, quiet)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json*")}
    again = run_study(study(["mlp-xs"], [SOLVER], 20, 1, tmp_path), quiet)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json*")} == before
    assert again[0].latency_reductions == first[0].latency_reductions


def test_an_interrupted_study_goes_on(tmp_path):
    made = study(["mlp-xs"], [SOLVER], 30, 2, tmp_path / "cut")

    def interrupt(note: str, done: int, total: int) -> None:
        if done > 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(made, interrupt)
    (resumed,) = run_study(made, quiet)
    (whole,) = run_study(study(["mlp-xs"], [SOLVER], 30, 2, tmp_path / "whole"), quiet)
    assert resumed.latency_reductions == whole.latency_reductions


def test_a_network_that_the_default_does_not_fit_is_refused_before_any_search(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("loihi_gym.comparison.pierro2026.load", lambda name: load(TOO_LARGE))
    with pytest.raises(IllegalMappingError, match="big does not fit on loihi2 with lava-default"):
        run_study(study(["big"], [SOLVER], 20, 1, tmp_path), quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_joule_does_more_if_less_energy_is_used(tmp_path):
    (row,) = run_study(study(["mlp-xs"], [SOLVER], 20, 1, tmp_path), quiet)
    assert isinstance(row, StudyRow)
    energy = row.found[0].energy_fj / row.default.energy_fj
    assert row.energy_reduction == pytest.approx(1 - energy)
    assert row.efficiency_gain == pytest.approx(1 / energy - 1)


def test_an_unknown_start_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'toolchain'"):
        run_study(study(["mlp-xs"], ["nested-es:start=toolchian"], 20, 1, tmp_path), quiet)
