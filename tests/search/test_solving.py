"""`loihi_gym.solve`: a search in one call."""

import subprocess
import sys
from types import ModuleType

import pytest
from rich.console import Console

import loihi_gym
from loihi_gym.errors import RunError, UnknownNameError
from loihi_gym.mapping import save_problem
from loihi_gym.progress_bar import Rate, progress_bar
from loihi_gym.search import Config, resume, search, solve


def test_one_call_is_the_search_of_the_command_line():
    found = loihi_gym.solve("mlp-xs", 60, seed=3)
    same = search(Config("map", "mlp-xs", 60, 3))
    assert (found.mapping, found.summary()) == (same.mapping, same.summary())
    problem = loihi_gym.load("mlp-xs")
    measured = loihi_gym.make_backend("mesh", problem).evaluate(found.mapping)
    assert measured.latency_ps == found.best.latency_ps
    assert found.reduction == 1 - found.best.latency_ps / found.reference.latency_ps
    assert found.out is None


def test_a_name_a_file_and_a_problem_are_solved_alike(tmp_path):
    problem = loihi_gym.load("mlp-xs")
    file = tmp_path / "problem.npz"
    save_problem(str(file), problem)
    found = {solve(one, 30, "ga", unseeded=True).mapping for one in ("mlp-xs", problem, file)}
    assert len(found) == 1
    assert found != {solve("mlp-xs", 30, "ga").mapping}  # the solver's own option counts


def test_a_network_with_inputs_is_solved_as_make_problem_makes_it():
    problem = loihi_gym.load("mlp-xs")
    given = problem.network, problem.inputs
    assert solve(given, 20).problem.digest == loihi_gym.make_problem(*given).digest


def test_a_run_of_a_problem_can_be_resumed(tmp_path):
    problem, out = loihi_gym.load("mlp-xs"), tmp_path / "runs" / "mine"
    found = solve(problem, 30, "random", out=out)
    (out / "result.json").unlink()
    assert resume(out).mapping == found.mapping
    assert (tmp_path / "runs" / "mine-problem.npz").exists()


def test_a_taken_directory_leaves_nothing_behind(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(RunError, match="is not empty"):
        solve(loihi_gym.load("mlp-xs"), 30, out=tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: solve(3), RunError, "cannot solve a int: give a benchmark's name"),
        (lambda: solve("mlp-xss"), UnknownNameError, "did you mean 'mlp-xs'"),
        (lambda: solve("mlp-xs", solver="gaa"), UnknownNameError, "did you mean 'ga'"),
        (lambda: solve("mlp-xs", 5, "ga", unseded=True), UnknownNameError, "no option 'unseded'"),
        (lambda: solve("mlp-xs", 0), RunError, "budget = 0"),
    ],
)
def test_bad_calls_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_outcome_is_shown_in_words():
    found = solve("mlp-xs", 1, "random")
    slower = found.best.latency_ps / found.reference.latency_ps
    words = f"{slower:.1f} times as slow as" if slower >= 2 else "the reference after 1 evaluation"
    assert words in repr(found)
    assert "-" not in repr(found).split("latency")[1]
    html = found._repr_html_()
    assert "best found" in html
    assert f"{found.best.latency_ps * 1e-6:,.3f}" in html


def test_nothing_is_shown_where_nobody_looks(capsys):
    solve("mlp-xs", 20, "random")
    assert capsys.readouterr() == ("", "")


def test_a_notebook_gets_one_output_that_is_drawn_over(monkeypatch):
    """By IPython's documented `display(..., display_id=True)`, whose handle has `update`."""
    drawn = []

    class Handle:
        def update(self, data, raw):
            drawn.append(data)

    def display(data, raw, display_id):
        drawn.append(data)
        return Handle()

    module = ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr(Console, "is_jupyter", True, raising=False)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    with progress_bar("evaluations") as update:
        update("best <b>", 1200, 1200)
    assert drawn[0]["text/plain"] == "preparing the evaluations"
    assert drawn[-1]["text/plain"] == "1,200 of 1,200 evaluations: best <b>"
    assert '<progress value="1200" max="1200">' in drawn[-1]["text/html"]
    assert "best &lt;b&gt;" in drawn[-1]["text/html"]


def test_a_rate_begins_after_the_first_report(monkeypatch):
    clock = iter([100.0, 102.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    rate = Rate()
    assert rate.words(50) == ""  # what came before compiled, too
    assert rate.words(2050) == "1,000/s, "


def test_solve_is_imported_when_it_is_asked_for():
    code = (
        "import sys, loihi_gym; before = 'loihi_gym.search' in sys.modules; loihi_gym.solve; "
        "print(before, 'loihi_gym.search' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
