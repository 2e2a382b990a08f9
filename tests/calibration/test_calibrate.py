"""Calibration to hidden chips: what is recovered, what is said about it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from loihi_gym import load, make_backend
from loihi_gym.calibration import (
    DataPoint,
    append_measured,
    assess,
    calibrate,
    calibrated_chip,
    next_mappings,
    read_measured,
)
from loihi_gym.calibration.fit import jacobian
from loihi_gym.calibration.likelihood import information, noise_of
from loihi_gym.calibration.parameters import parameters, with_values
from loihi_gym.calibration.predict import BARRIER, COLUMNS, Affine, mesh_step_ps
from loihi_gym.chip import ChipSpec, load_chip, save_chip
from loihi_gym.errors import CalibrationError, UnknownNameError
from loihi_gym.mapping import Mapping, Problem, random_mapping, save_problem
from tests.toys import examples, silent_problem, toy_chip, toy_problem

BENCHMARK = "mlp-xs"


def hidden_chip(chip: ChipSpec, rng: np.random.Generator) -> ChipSpec:
    for known in parameters(chip):
        chip = chip.with_constant(known.name, known.to_value(rng.uniform(*known.bounds)))
    return chip


def measurements(
    problem: Problem, benchmark: str, count: int, seed: int = 0, noise: float = 0.02
) -> list[DataPoint]:
    """Random mappings of a problem, measured on its chip with noise."""
    rng = np.random.default_rng(seed)
    mappings = [random_mapping(problem, rng) for _ in range(count)]
    results = make_backend("mesh", problem, noise=noise, seed=seed).evaluate_batch(mappings)
    return [
        DataPoint(benchmark, mapping, result.step_times_ps)
        for mapping, result in zip(mappings, results, strict=True)
    ]


def latencies(problem: Problem, mappings: list, chip: ChipSpec) -> np.ndarray:
    steps = mesh_step_ps([problem] * len(mappings), mappings, chip)
    return steps.reshape(len(mappings), -1).sum(axis=1)


@pytest.fixture(scope="module")
def silicon():
    """(problem, hidden chip, fit to 40 of its mappings measured with 2 % noise)."""
    problem = load(BENCHMARK)
    hidden = hidden_chip(problem.chip, np.random.default_rng(11))
    measured = measurements(replace(problem, chip=hidden), BENCHMARK, 40)
    return problem, hidden, calibrate(measured, problem.chip)


def test_latency_and_ranking_of_other_mappings_are_recovered(silicon):
    problem, hidden, fit = silicon
    rng = np.random.default_rng(99)
    others = [random_mapping(replace(problem, chip=hidden), rng) for _ in range(60)]
    true, predicted = (latencies(problem, others, chip) for chip in (hidden, fit.chip))
    before = np.abs(latencies(problem, others, problem.chip) / true - 1)
    errors = np.abs(predicted / true - 1)
    assert np.median(before) > 0.05  # else there was nothing to recover
    assert np.quantile(errors, 0.9) < 0.05
    assert spearmanr(predicted, true)[0] >= 0.95


def test_its_twenty_best_hold_one_that_is_nearly_the_best(silicon):
    problem, hidden, fit = silicon
    rng = np.random.default_rng(7)
    many = [random_mapping(replace(problem, chip=hidden), rng) for _ in range(300)]
    true, predicted = (latencies(problem, many, chip) for chip in (hidden, fit.chip))
    assert true[np.argsort(predicted)[:20]].min() <= 1.02 * true.min()


def test_the_fit_knows_the_noise_and_stays_within_the_ranges(silicon):
    problem, _, fit = silicon
    assert 0.01 < fit.noise < 0.035
    for known, x in zip(fit.known, fit.x, strict=True):
        value = fit.chip.constants[known.name].value
        assert known.low <= value <= known.high
        assert value == known.to_value(x)
    kept = set(problem.chip.constants) - {known.name for known in fit.known}
    for name in kept:
        assert fit.chip.constants[name] == problem.chip.constants[name]


@examples(30)
@given(
    seed=st.integers(0, 1000),
    drawn=st.lists(st.integers(1, 5000), min_size=len(COLUMNS) + 1, max_size=len(COLUMNS) + 1),
    multi=st.booleans(),
)
def test_affine_is_bound_for_any_constants(seed, drawn, multi):
    chip = toy_chip(chips=(2, 1), routers=(2, 2)) if multi else "loihi2-16"
    problem = toy_problem(chip=chip, seed=seed % 7)
    rng = np.random.default_rng(seed)
    mappings = [random_mapping(problem, rng) for _ in range(3)]
    affine = Affine([problem] * 3, mappings)
    costs = dict(zip((*COLUMNS, BARRIER), drawn, strict=True))
    other = problem.chip
    for name, value in costs.items():
        other = other.with_constant(name, value)
    results = make_backend("bound", replace(problem, chip=other)).evaluate_batch(mappings)
    expected = [time for result in results for time in result.step_times_ps]
    assert affine.step_ps(costs).tolist() == expected


def test_parameters_are_what_has_a_range_and_decides_times():
    names = {one.name for one in parameters(load_chip("loihi2"))}
    assert "costs.synop_ps" in names
    assert "network.router_buffer" in names
    assert not any(name.startswith(("energy.", "capacity.", "costs.chip_")) for name in names)
    assert "costs.chip_link_ps" in {one.name for one in parameters(load_chip("kapoho-point"))}
    for one in parameters(load_chip("kapoho-point")):
        low, high = one.bounds
        assert one.to_value(low) == one.low
        assert one.to_value(high) == one.high
        assert one.to_value(low - 9) == one.low
        assert one.to_value(high + 9) == one.high
        middle = one.to_value((low + high) / 2)
        assert one.to_value(one.to_x(middle)) == middle


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """(path of a problem file, the problem on a hidden chip)."""
    problem = toy_problem((24, 40, 30, 10), chip="loihi2-16", steps=3)
    path = tmp_path_factory.mktemp("toy") / "toy.npz"
    save_problem(path, problem)
    return str(path), replace(problem, chip=hidden_chip(problem.chip, np.random.default_rng(3)))


@pytest.fixture(scope="module")
def reported(toy):
    path, problem = toy
    return assess(measurements(problem, path, 24), load_chip("loihi2-16"))


def test_a_report_predicts_what_it_was_not_fitted_to(reported):
    assert reported.held_out == 6
    assert reported.error < 0.05
    assert 0.5 < reported.pearson <= 1.0  # six latencies, close together, with noise
    assert 0.5 < reported.spearman <= 1.0


def test_intervals_hold_the_hidden_constants(toy, reported):
    _, problem = toy
    told = [one for one in reported.intervals if one.told]
    assert told
    inside = [
        one.low <= problem.chip.constants[one.parameter.name].value <= one.high
        for one in reported.intervals
    ]
    # 95 % intervals of eleven constants: two outside would be rare.
    assert sum(inside) >= len(inside) - 2
    for one in reported.intervals:
        assert one.low <= one.value <= one.high


def test_what_the_data_cannot_tell_is_named(tmp_path):
    # Nobody sends: only silent neurons and the barrier take time.
    problem = silent_problem((40, 200, 100))
    save_problem(tmp_path / "silent.npz", problem)
    measured = measurements(problem, str(tmp_path / "silent.npz"), 16)
    found = assess(measured, problem.chip)
    told = {one.parameter.name for one in found.intervals if one.told}
    assert told == {"costs.neuron_inactive_ps", "costs.barrier_ps"}
    unknown = {name for names in found.confused for name in names}
    assert {"costs.synop_ps", "costs.link_ps", "network.receiver_queue"} <= unknown
    assert not unknown & told
    # Nothing is claimed of them: their interval is nearly the whole range.
    for one in found.intervals:
        if not one.told:
            assert one.high - one.low > 0.6 * (one.parameter.high - one.parameter.low)


def test_the_next_mappings_tell_more_than_others_would(toy, reported):
    _, problem = toy
    fit = reported.fit
    chosen = next_mappings(fit, problem, 3)
    assert len(set(chosen)) == 3
    assert not set(chosen) & {one.mapping for one in fit.measured}
    rng = np.random.default_rng(5)
    others = [random_mapping(problem, rng) for _ in range(3)]

    def uncertainty(mappings: list) -> float:
        def predict(x: np.ndarray) -> np.ndarray:
            chip = with_values(fit.chip, fit.known, x)
            return np.log(mesh_step_ps([problem] * 3, mappings, chip))

        more = replace(
            fit,
            jacobian=np.concatenate([fit.jacobian, jacobian(predict, fit.known, fit.x)]),
            residuals=np.concatenate([fit.residuals, np.zeros(9)]),
            measured=[*fit.measured, *fit.measured[:3]],
        )
        return -float(np.linalg.slogdet(information(more, noise_of(fit)))[1])

    known = -float(np.linalg.slogdet(information(fit, noise_of(fit)))[1])
    assert uncertainty(chosen) < uncertainty(others) < known


def test_a_calibrated_chip_says_what_was_calibrated(tmp_path, reported):
    chip = calibrated_chip(reported, "mine", "calibrated to a test")
    path = tmp_path / "mine.toml"
    save_chip(path, chip)
    again = load_chip(str(path))
    assert again == chip
    for one in reported.intervals:
        constant = again.constants[one.parameter.name]
        assert (constant.status == "calibrated") == one.told
        assert constant.value == one.value
        if one.told:
            assert constant.range == (one.low, one.high)
            assert constant.source == "calibrated to a test"
        else:
            assert constant.range == (one.parameter.low, one.parameter.high)
            assert constant.source.startswith(
                reported.fit.chip.constants[one.parameter.name].source
            )


def test_the_same_measurements_give_the_same_chip(toy, reported):
    path, problem = toy
    again = calibrate(measurements(problem, path, 24), load_chip("loihi2-16"))
    assert again.chip == reported.fit.chip


def test_an_outlier_does_not_spoil_the_fit(toy):
    path, problem = toy
    measured = measurements(problem, path, 24)
    slow = tuple(10 * time for time in measured[0].step_times_ps)
    spoilt = [replace(measured[0], step_times_ps=slow), *measured[1:]]
    rng = np.random.default_rng(4)
    others = [random_mapping(problem, rng) for _ in range(40)]
    predicted = latencies(problem, others, calibrate(spoilt, load_chip("loihi2-16")).chip)
    assert np.median(np.abs(predicted / latencies(problem, others, problem.chip) - 1)) < 0.03


def test_too_few_or_foreign_measurements_are_refused(toy):
    path, problem = toy
    measured = measurements(problem, path, 8)
    with pytest.raises(CalibrationError, match="7 measurements are too few"):
        calibrate(measured[:7], problem.chip)
    foreign = [*measured[:7], replace(measured[7], step_times_ps=(1, 2))]
    with pytest.raises(CalibrationError, match=r"measurement 8 has 2 step times; .* has 3 steps"):
        calibrate(foreign, problem.chip)
    shared = Mapping([1, 1, 1, 1], [0, 0, 1, 2])
    with pytest.raises(CalibrationError, match="measurement 9: illegal mapping for toy: "):
        calibrate([*measured, replace(measured[0], mapping=shared)], problem.chip)
    other = [*measured, replace(measured[0], benchmark="mlp-xs")]
    with pytest.raises(CalibrationError, match="measurement 9 has 3 step times; mlp-xs has 4"):
        calibrate(other, problem.chip)
    nobody = [*measured, replace(measured[0], benchmark="mlp-sx")]
    with pytest.raises(UnknownNameError, match="did you mean 'mlp-xs'"):
        calibrate(nobody, problem.chip)
    certain = {name: replace(one, range=None) for name, one in problem.chip.constants.items()}
    with pytest.raises(CalibrationError, match="chip loihi2-16 has no constant to fit"):
        calibrate(measured, replace(problem.chip, constants=certain))


def test_measurements_on_disk(tmp_path, toy):
    path, problem = toy
    measured, file = measurements(problem, path, 4), tmp_path / "m.jsonl"
    append_measured(file, measured[:1])
    append_measured(file, measured[1:])
    assert read_measured(file) == measured


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: no measurement"),
        ('{"benchmark": "a"}', "line 2: no measurement"),
        ('{"benchmark":"a","cores_per_layer":[1],"placement":[0],"step_times_ps":[0]}', "from 1"),
        ('{"benchmark":"a","cores_per_layer":[1],"placement":[0],"step_times_ps":3}', "from 1"),
        ('{"benchmark":"a","cores_per_layer":[1],"placement":[0],"step_times_ps":[NaN]}', "from 1"),
        (
            f'{{"benchmark":"a","cores_per_layer":[1],"placement":[0],"step_times_ps":[{10**30}]}}',
            "from 1 to 1000000000000000",
        ),
        ('{"benchmark":["a"],"cores_per_layer":[1],"placement":[0],"step_times_ps":[1]}', "text"),
        ('{"benchmark":"a","cores_per_layer":[-1],"placement":[0],"step_times_ps":[1]}', "from -1"),
        ('{"benchmark":"a","cores_per_layer":null,"placement":[0],"step_times_ps":[1]}', "object"),
        ("[" * 50_000, "line 2: "),
        ("9" * 5_000, "line 2: "),
        ('{"benchmark":"a","cores_per_layer":"x","placement":[0],"step_times_ps":[1]}', "line 2"),
        (
            '{"benchmark":"a","cores_per_layer":[1],"placement":[1e99],"step_times_ps":[1]}',
            "line 2",
        ),
    ],
)
def test_malformed_measurements_are_named(tmp_path, line, message):
    file = tmp_path / "m.jsonl"
    good = '{"benchmark":"a","cores_per_layer":[1],"placement":[0],"step_times_ps":[1]}'
    file.write_text(f"{good}\n{line}\n")
    with pytest.raises(CalibrationError) as caught:
        read_measured(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_or_empty_files_are_named(tmp_path):
    with pytest.raises(CalibrationError, match="cannot be read"):
        read_measured(tmp_path / "none")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(CalibrationError, match="holds none"):
        read_measured(tmp_path / "empty")
    with pytest.raises(CalibrationError, match="cannot be read: embedded null byte"):
        read_measured("no\0ne")
    for path in (tmp_path / "no" / "where", "no\0ne"):
        with pytest.raises(CalibrationError, match="cannot be written"):
            append_measured(path, [])


def test_from_measuring_to_a_chip_file(tmp_path, toy, capsys, monkeypatch):
    from loihi_gym import calibration
    from loihi_gym.cli import main

    found = []

    def assess_once(*arguments):
        found.extend([] if found else [assess(*arguments)])
        return found[0]

    monkeypatch.setattr(calibration, "assess", assess_once)

    def run(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        assert ended.value.code == 0, captured.err
        return captured.out

    file, chip, path = str(tmp_path / "m.jsonl"), str(tmp_path / "mine.toml"), toy[0]
    assert "measured 18 mappings" in run("measure", path, "--count", "18", "-o", file)
    assert "measured 2 mappings" in run("measure", path, "--count", "20", "-o", file)
    words = ("calibrate", file, "--chip", "loihi2-16", "-o", chip, "--next-to", str(tmp_path / "n"))
    text = run(*words)
    assert "costs.barrier_ps" in text
    assert "Measure next" in text
    assert load_chip(chip).name == "mine"
    run("measure", path, str(tmp_path / "n" / "next-1.json"), "-o", file)
    assert len(read_measured(file)) == 21
    data = json.loads(run(*words[:6], "--as-built", "--json"))
    assert data["constants"]["costs.synop_ps"]["low"] >= 370
    assert len(data["next"]) == 3
