"""Comparisons in which a heuristic does not fit one of the problems."""

import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loihi_gym
from loihi_gym.cli import main
from loihi_gym.comparison import statistics
from loihi_gym.comparison.archive import write_archive
from loihi_gym.comparison.plan import Scope, plan, read_plan, write_plan
from loihi_gym.comparison.report import write_report
from loihi_gym.comparison.results import read_results
from loihi_gym.comparison.runner import run_all, run_task
from loihi_gym.errors import DoesNotFitError, RunError
from loihi_gym.leaderboard.pack import find_runs
from loihi_gym.mapping import heuristic
from loihi_gym.mapping.problem_file import save_problem
from tests.toys import examples

TIGHT = "generator://mlp?layers=4&width=512&inputs=512&density=0.4&chip=loihi2-16&seed=1"
"""`packed` takes 14 of 16 cores; `lava-default`, which doubles cores, takes more than there are."""
SCOPE = Scope(
    "toys", "One that fits and one that does not", ("mlp-xs", "tight.npz"), "bound", {6: 2}
)
SOLVERS = ("lava-default", "random", "packed")
LEFT_OUT = "toys/tight.npz/lava-default/6-seed1/does-not-fit.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("left-out")


@pytest.fixture
def there(folder, monkeypatch):
    """In a folder with the tight problem; problems are named by what is in it."""
    monkeypatch.chdir(folder)
    if not (folder / "tight.npz").exists():
        save_problem("tight.npz", loihi_gym.load(TIGHT))
    return folder


@pytest.fixture
def done(there):
    out = there / "toys"
    made = plan(SCOPE, SOLVERS, out)
    if not out.exists():
        write_plan(made, out)
        run_all(made, 1, "local")
    return made, out


def test_the_pair_is_left_out_and_the_others_are_run(done):
    made, out = done
    assert all(task.done for task in made.tasks)
    assert {(t.label, t.config.benchmark) for t in made.tasks if t.left_out} == {
        ("lava-default", "tight.npz")
    }
    results = read_results(made, out)
    fits, tight = results.instances
    assert fits.left_out == {}
    assert "with lava-default, which doubles the cores" in tight.left_out["lava-default"]
    assert (
        results.fitting("lava-default") == results.fitting("random", "lava-default") == ["mlp-xs"]
    )
    assert results.labels[-1] == "lava-default"  # whatever it does on the other one
    assert [len(results.scores(label, 6)) for label in SOLVERS] == [1, 2, 2]
    assert len(results.scores("random", 6, "lava-default")) == 1


def test_resuming_tries_nothing_again(done):
    _, out = done
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.json*")}
    again = []
    run_all(read_plan(out), 1, "local", again.append)
    assert again == []
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_report_says_what_does_not_fit_and_over_what_a_row_is(done):
    made, out = done
    write_report(made, out)
    text = (out / "report.md").read_text()
    assert "| lava-default | tight.npz |" in text.split("## Left out")[1].split("##")[0]
    overall = text.split("## Over all problems")[1].split("##")[0]
    assert "| solver | problems | 6 |" in overall
    assert "| lava-default | 1 of 2 | " in overall
    assert "| random | 2 of 2 | " in overall
    own = text.split("## tight.npz")[1].split("##")[0]
    assert "| lava-default | does not fit |" in own
    better = text.split("## Probability of improvement")[1].split("##")[0]
    assert "| lava-default | 1 of 2 | " in better


def test_an_archive_gives_the_same_report(done, there, tmp_path):
    made, out = done
    write_report(made, out)
    assert write_archive(made, out, tmp_path / "a.tar.xz") == len(made.tasks)
    with tarfile.open(tmp_path / "a.tar.xz") as tar:
        tar.extractall(tmp_path / "again", filter="data")
    again = read_plan(tmp_path / "again")
    assert all(task.done for task in again.tasks)
    write_report(again, tmp_path / "again")
    assert (tmp_path / "again" / "report.md").read_text() == (out / "report.md").read_text()


def test_a_solver_that_fits_nothing_is_told_too(there, tmp_path):
    scope = Scope("tight", "One that does not fit", ("tight.npz",), "bound", {6: 1})
    made = plan(scope, ("lava-default",), tmp_path)
    run_all(made, 1, "local")
    results = read_results(made, tmp_path)
    assert results.instances[0].best_ps == results.instances[0].reference.latency_ps
    write_report(made, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "| lava-default | 0 of 1 | does not fit |" in text
    assert (tmp_path / "report.html").exists()


def test_a_reference_that_does_not_fit_ends_the_comparison(there, tmp_path):
    """Then no solver can be run on the problem: that is no property of one of them."""
    save_problem("bad.npz", loihi_gym.load(TIGHT + "&reference=lava-default/strided"))
    scope = Scope("bad", "Its reference does not fit", ("bad.npz",), "bound", {6: 1})
    (task,) = plan(scope, ("random",), tmp_path).tasks
    with pytest.raises(DoesNotFitError, match="lava-default"):
        run_task(task)
    assert not task.done


def test_a_note_that_says_nothing_is_named(done, there, capsys):
    made, out = done
    note = there / LEFT_OUT
    before = note.read_bytes()
    try:
        for text in ("[]", "{}", '{"does not fit": 1}'):
            note.write_text(text)
            with pytest.raises(RunError, match=r"does-not-fit\.json does not say what"):
                read_results(made, out)
        with pytest.raises(SystemExit) as end:
            main(["report", str(out)])
        assert end.value.code == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
    finally:
        note.write_bytes(before)


def test_a_submission_is_packed_of_the_runs_that_are_there(done):
    made, out = done
    there = {task.out for task in made.tasks if not task.left_out}
    assert find_runs([out]).keys() == there


def test_only_what_does_not_fit_is_forgiven():
    """A solver that asks for an illegal mapping is wrong, and stops the comparison."""
    with pytest.raises(DoesNotFitError):
        heuristic(loihi_gym.load(TIGHT), "lava-default/row-major")
    with pytest.raises(DoesNotFitError, match="one chip"):
        heuristic(loihi_gym.load("mlp-xs"), "by-chip/row-major")


columns = st.integers(1, 4).flatmap(
    lambda problems: st.lists(
        st.lists(st.lists(st.integers(-3, 3), max_size=4), min_size=problems, max_size=problems),
        min_size=1,
        max_size=4,
    )
)


@examples(60)
@given(columns)
def test_wins_are_counted_problem_by_problem(drawn):
    expected = [0] * len(drawn)
    for problem in range(len(drawn[0])):
        medians = {row: np.median(one[problem]) for row, one in enumerate(drawn) if one[problem]}
        for row, value in medians.items():
            expected[row] += value == max(medians.values())
    scores = [[np.array(one, float) for one in row] for row in drawn]
    assert statistics.wins(scores) == expected
