import json
import shutil

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from loihi_gym.backends import Bound
from loihi_gym.errors import IllegalMappingError, RunError
from loihi_gym.mapping import Mapping, random_mapping
from loihi_gym.search import session as session_module
from loihi_gym.search.recorder import Recorder
from loihi_gym.search.session import BudgetSpent, Session
from loihi_gym.search.trace import read_trace
from tests.toys import toy_problem

EVENTS = "events.out.tfevents.*"


class Counting(Bound):
    """A backend that knows how many mappings it has measured."""

    measured = 0

    def evaluate_batch(self, mappings):
        self.measured += len(mappings)
        return super().evaluate_batch(mappings)


@pytest.fixture
def backend() -> Counting:
    return Counting(toy_problem())


def draws(backend, count: int, seed: int = 0) -> list[Mapping]:
    rng = np.random.default_rng(seed)
    return [random_mapping(backend.problem, rng) for _ in range(count)]


def test_every_mapping_asked_for_is_one_evaluation(backend):
    with Session(backend, budget=10) as session:
        session.evaluate(draws(backend, 1)[0])
        session.evaluate_batch(draws(backend, 4, seed=1))
        assert session.evaluations == 5
        assert session.remaining == 5


def test_a_batch_beyond_the_budget_is_measured_as_far_as_it_goes_and_ends_the_search(backend):
    """A solver that indexes the results never sees fewer than it asked for."""
    mappings = draws(backend, 5)
    with Session(backend, budget=3) as session:
        with pytest.raises(BudgetSpent) as spent:
            session.evaluate_batch(mappings)
        expected = [backend.evaluate(one).latency_ps for one in mappings[:3]]
        assert [one.latency_ps for one in spent.value.measured] == expected
        assert session.evaluations == session.costs.measured == 3
        with pytest.raises(BudgetSpent) as again:
            session.evaluate(mappings[0])
        assert again.value.measured == ()
    with Session(backend, budget=5) as session:
        assert len(session.evaluate_batch(mappings)) == 5  # just enough


def test_the_incumbent_is_the_first_of_the_fastest(backend):
    mappings = draws(backend, 20)
    with Session(backend, budget=20) as session:
        results = session.evaluate_batch(mappings)
    latencies = [result.latency_ps for result in results]
    assert session.best is not None
    assert session.best.latency_ps == min(latencies)
    assert session.best_mapping == mappings[latencies.index(min(latencies))]
    reference = backend.evaluate(backend.problem.reference_mapping).latency_ps
    assert session.reduction == pytest.approx(1 - min(latencies) / reference)


def test_a_repeat_counts_but_is_not_measured_again(backend):
    mapping = draws(backend, 1)[0]
    with Session(backend, budget=5) as session:
        first, again = session.evaluate_batch([mapping, mapping])
        third = session.evaluate(mapping)
    assert session.evaluations == 3
    assert backend.measured == session.costs.measured == 1
    assert first.step_times_ps == again.step_times_ps == third.step_times_ps
    assert third.energy == first.energy
    assert third.bottleneck == first.bottleneck


def test_a_repeat_is_free_when_unique_mappings_are_counted(backend):
    a, b, c = draws(backend, 3)
    with Session(backend, budget=2, count_unique=True) as session:
        with pytest.raises(BudgetSpent) as spent:
            session.evaluate_batch([a, a, b, a, c])
        assert len(spent.value.measured) == 4  # c is beyond the budget
        assert session.evaluations == 2
        with pytest.raises(BudgetSpent):
            session.evaluate(c)


def test_free_repeats_do_not_go_on_for_ever(backend):
    mapping = draws(backend, 1)[0]

    def repeat(session: Session) -> None:
        while True:
            session.evaluate(mapping)

    with Session(backend, budget=2, count_unique=True) as session:
        with pytest.raises(BudgetSpent):
            repeat(session)
        assert session.evaluations == 1


def test_an_illegal_mapping_costs_nothing(backend):
    legal = draws(backend, 1)[0]
    with Session(backend, budget=5) as session:
        with pytest.raises(IllegalMappingError):
            session.evaluate_batch([legal, Mapping([1, 1, 1], [0, 0, 1])])
        assert session.evaluations == backend.measured == 0


def test_time_ends_a_search_too(backend):
    with Session(backend, budget=5, seconds=0.0) as session, pytest.raises(BudgetSpent):
        session.evaluate(draws(backend, 1)[0])


def test_the_trace_has_a_line_per_evaluation(backend, tmp_path):
    mappings = draws(backend, 12)
    with Session(backend, budget=12, listener=Recorder(tmp_path)) as session:
        results = session.evaluate_batch(mappings)
    trace = read_trace(tmp_path / "trace.jsonl")
    assert [line.index for line in trace] == list(range(1, 13))
    assert [line.latency_ps for line in trace] == [result.latency_ps for result in results]
    best = None
    for line, mapping, result in zip(trace, mappings, results, strict=True):
        improved = best is None or result.latency_ps < best
        assert line.mapping == (mapping if improved else None)
        best = result.latency_ps if improved else best


def test_tensorboard_reads_the_curves_back(backend, tmp_path):
    with Session(backend, budget=9, listener=Recorder(tmp_path)) as session:
        results = session.evaluate_batch(draws(backend, 9))
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    points = events.Scalars("latency_us")
    assert [point.step for point in points] == list(range(1, 10))
    assert [point.value for point in points] == pytest.approx(
        [result.latency_ps * 1e-6 for result in results]
    )
    assert events.Scalars("best/reduction")[-1].value == pytest.approx(session.reduction, rel=1e-5)
    assert events.Scalars("best/energy_uj")[-1].value > 0


def run(backend, out, budget: int) -> Session:
    """A search whose steps depend on what was measured."""
    with Session(backend, budget, seed=3, listener=Recorder(out)) as session:
        mapping = backend.problem.reference_mapping
        best = session.evaluate(mapping).latency_ps
        while session.remaining:
            candidate = random_mapping(backend.problem, session.rng)
            latency = session.evaluate(candidate).latency_ps
            if latency < best:
                best = latency
                session.rng.random()
    return session


@pytest.mark.parametrize("kept", [0, 1, 7, 20])
def test_a_run_cut_off_anywhere_goes_on_as_if_it_had_not_been(backend, tmp_path, kept):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    expected = run(backend, whole, 20)
    lines = (whole / "trace.jsonl").read_text().splitlines(keepends=True)
    half = lines[kept][:25] if kept < 20 else ""  # what a kill leaves of the line being written
    (cut / "trace.jsonl").write_text("".join(lines[:kept]) + half)
    for log in whole.glob(EVENTS):
        shutil.copy(log, cut)
    resumed = run(backend, cut, 20)
    assert (cut / "trace.jsonl").read_bytes() == (whole / "trace.jsonl").read_bytes()
    assert resumed.best_mapping == expected.best_mapping
    assert len(list(cut.glob(EVENTS))) == 1
    events = EventAccumulator(str(cut))
    events.Reload()
    assert [point.step for point in events.Scalars("latency_us")] == list(range(1, 21))
    digests = [line.digest for line in read_trace(whole / "trace.jsonl")]
    assert resumed.costs.measured == len(set(digests)) - len(set(digests[:kept]))


def test_a_kill_within_a_batch_loses_what_is_in_flight(backend, tmp_path, monkeypatch):
    monkeypatch.setattr(session_module, "processors", lambda: 3)
    real, calls = backend.evaluate_batch, []

    def killed_at_the_third(mappings):
        calls.append(len(mappings))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(mappings)

    monkeypatch.setattr(backend, "evaluate_batch", killed_at_the_third)
    with (
        Session(backend, budget=20, listener=Recorder(tmp_path)) as session,
        pytest.raises(KeyboardInterrupt),
    ):
        session.evaluate_batch(draws(backend, 20))
    assert calls == [3, 3, 3]
    assert len(read_trace(tmp_path / "trace.jsonl")) == 6


@pytest.mark.parametrize("agreed", [0, 2])
def test_another_search_does_not_go_on_with_a_trace_and_leaves_its_files(backend, tmp_path, agreed):
    mappings = draws(backend, 3)
    with Session(backend, budget=3, listener=Recorder(tmp_path)) as session:
        session.evaluate_batch(mappings)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(before) == 2
    with (
        Session(backend, budget=6, listener=Recorder(tmp_path)) as session,
        pytest.raises(RunError, match=f"evaluation {agreed + 1} of the trace is of mapping"),
    ):
        session.evaluate_batch(mappings[:agreed] + draws(backend, 3, seed=9))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{}", "no evaluation"),
        ("nonsense", "Expecting value"),
        ('{"evaluation":2,"digest":"a","latency_ps":1,"step_times_ps":[1]}', "stands where 1"),
        ('{"evaluation":1,"digest":"a","latency_ps":9,"step_times_ps":[1]}', "not the sum"),
        ('{"evaluation":1,"digest":"a","latency_ps":1,"step_times_ps":["x"]}', "no whole number"),
        ("[1]", "no evaluation"),
        ("[" * 50_000, "recursion"),
        ('{"evaluation":1,"digest":"a","latency_ps":NaN,"step_times_ps":[NaN]}', "no whole number"),
        ('{"evaluation":1e999,"digest":"a","latency_ps":1,"step_times_ps":[1]}', "no whole number"),
        (f'{{"evaluation":1,"digest":"a","latency_ps":1,"step_times_ps":[{10**30}]}}', "no whole"),
        (f'{{"evaluation":1,"digest":"a","latency_ps":{"9" * 5000}}}', "integer string"),
        ('{"evaluation":1,"digest":"a","latency_ps":1,"step_times_ps":[-1, 2]}', "no whole number"),
        ('{"evaluation":1,"digest":"a","latency_ps":1,"step_times_ps":[1]}', "has 1 step times"),
    ],
)
def test_a_malformed_trace_is_named_with_its_line(backend, tmp_path, line, what):
    (tmp_path / "trace.jsonl").write_text(line + "\n")
    with pytest.raises(RunError, match=rf"trace .*trace\.jsonl(, line 1)?: .*{what}"):
        Session(backend, budget=1, listener=Recorder(tmp_path))


def test_trace_lines_are_plain_json(backend, tmp_path):
    with Session(backend, budget=1, listener=Recorder(tmp_path)) as session:
        result = session.evaluate(draws(backend, 1)[0])
    line = json.loads((tmp_path / "trace.jsonl").read_text())
    assert line["latency_ps"] == sum(line["step_times_ps"]) == result.latency_ps
    assert line["evaluation"] == 1
    assert len(line["placement"]) == sum(line["cores_per_layer"])
