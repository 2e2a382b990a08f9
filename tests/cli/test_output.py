import json

import numpy as np
import pytest

from loihi_gym.benchmarks import load
from loihi_gym.cli.output import show, show_json, table
from loihi_gym.errors import one_line
from loihi_gym.mapping import save_problem
from tests.toys import toy_problem

EVIL = "[red]x[/blue] \x1b[2J\x07 :smile: $\\frac$\n" + "y" * 600
PRINTABLE = "[red]x[/blue] [/] :smile: $\\frac$ " + "y" * 100
"""What is left of it for a problem file, whose name must be printable."""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred\x1b[0m", "?[31mred?[0m"),
        ("\x9b31m \u202e \udcff \ufeff", "?31m ? ? ?"),
        ("Größe 語 …", "Größe 語 …"),
        ("x" * 400, "x" * 400),
        ("x" * 401, "x" * 198 + " … " + "x" * 198),
    ],
)
def test_one_line(text, line):
    assert one_line(text) == line


def test_tables_and_lines_show_foreign_text_as_it_is(capsys):
    rows = table(EVIL, "n", title=EVIL)
    rows.add_row(EVIL, EVIL)
    show(rows, EVIL)
    out = capsys.readouterr().out
    assert out.count("[red]x[/blue] ?[2J? :smile: $\\frac$") == 5
    assert "\x1b" not in out
    assert "\x07" not in out


def test_a_number_that_json_has_not_is_null(capsys):
    show_json({"a": [1.5, float("nan")], "b": (float("inf"),)})
    assert json.loads(capsys.readouterr().out) == {"a": [1.5, None], "b": [None]}


@pytest.fixture(scope="module")
def evil_problem(tmp_path_factory) -> str:
    path = str(tmp_path_factory.mktemp("evil") / "problem.npz")
    problem = toy_problem()
    save_problem(path, problem)
    with np.load(path) as archive:
        arrays = dict(archive)
    name = next(key for key in arrays if arrays[key].shape == () and "name" in key.lower())
    arrays[name] = np.array(PRINTABLE)
    np.savez(path, **arrays)
    assert load(path).name == PRINTABLE
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["info"],
        ["evaluate", "packed/hilbert"],
        ["render", "packed/hilbert"],
        ["render", "packed/hilbert", "-o", "a.svg"],
        ["robustness", "-o", "s.svg"],
        ["solve", "random", "--budget", "3", "--out", "run"],
    ],
    ids=lambda words: " ".join(words),
)
def test_an_evil_name_reaches_no_terminal(run, tmp_path, monkeypatch, evil_problem, words):
    monkeypatch.chdir(tmp_path)
    at = 2 if words[0] == "solve" else 1
    code, out, err = run(*words[:at], evil_problem, *words[at:])
    assert code == 0, err
    assert not {"\x1b", "\x07"} & {*out, *err}
    for picture in tmp_path.glob("*.svg"):
        assert not {"\x1b", "\x07"} & {*picture.read_text()}
