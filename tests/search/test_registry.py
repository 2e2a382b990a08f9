"""Solvers of other packages: whatever they do wrong is one line that names them."""

import sys
from importlib.metadata import EntryPoint

import pytest

from loihi_gym import load, make_backend, plugins
from loihi_gym.errors import LoihiGymError
from loihi_gym.search import registry
from loihi_gym.search.registry import is_bundled, load_solver, run_solver, solver_names
from loihi_gym.search.run import Config, search
from loihi_gym.search.session import Session

MODULE = __name__


class TheirPackage:
    name = "their-package"


def raises(session) -> None:
    """Divide by nothing."""
    session.evaluate(session.problem.reference_mapping)
    assert 1 // (session.evaluations - 1)


def exits(session) -> None:
    """Leave."""
    sys.exit("good bye")


def idle(session) -> None:
    """Do nothing."""


def greedy_for_results(session) -> None:
    """Index all results, more of them than the budget has."""
    mapping = session.problem.reference_mapping
    assert session.evaluate_batch([mapping] * 10)[9]


NO_FUNCTION = "text"


@pytest.fixture
def declared(monkeypatch):
    """Let another package declare solvers, by name and what they are in this module."""

    def declare(**solvers: str) -> None:
        group_of, real = registry.SOLVERS.group, plugins.entry_points
        theirs = [EntryPoint(name, value, group_of) for name, value in solvers.items()]
        for entry in theirs:
            vars(entry)["dist"] = TheirPackage()
        monkeypatch.setattr(
            plugins,
            "entry_points",
            lambda group: [*real(group=group), *(theirs if group == group_of else [])],
        )

    return declare


def test_a_bundled_name_declared_by_another_package_too_is_refused(declared):
    declared(ga=f"{MODULE}:idle")
    with pytest.raises(LoihiGymError, match="'ga' is declared by loihi-gym and by their-package"):
        search(Config("ga", "mlp-xs", 9))
    assert is_bundled("map")  # the others are as they were
    assert "ga" in solver_names()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (f"{MODULE}:raises", r"failed: ZeroDivisionError: .*\(test_registry\.py, line \d+\)"),
        (f"{MODULE}:exits", "failed: SystemExit: good bye"),
        (f"{MODULE}:idle", "ended without an evaluation"),
        (f"{MODULE}:NO_FUNCTION", "is no function but a str"),
        (f"{MODULE}:absent", "cannot be imported: AttributeError"),
        ("no_such_module:solve", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_solver_that_fails_is_named_in_one_line(declared, value, message):
    declared(theirs=value)
    with pytest.raises(LoihiGymError, match=f"solver 'theirs' {message}") as error:
        search(Config("theirs", "mlp-xs", 9, backend="bound"))
    assert "\n" not in str(error.value)


def test_a_module_that_fails_to_load_is_named(declared, tmp_path, monkeypatch):
    (tmp_path / "their_broken_module.py").write_text("raise RuntimeError('two\\nlines')")
    monkeypatch.syspath_prepend(tmp_path)
    declared(theirs="their_broken_module:solve")
    with pytest.raises(LoihiGymError, match="cannot be imported: RuntimeError: two lines"):
        load_solver("theirs")


def test_our_own_mistakes_keep_their_traceback(monkeypatch):
    monkeypatch.setattr(registry, "load_solver", lambda _: raises)
    session = Session(make_backend("bound", load("mlp-xs")), 9)
    with pytest.raises(ZeroDivisionError):
        run_solver("map", session, {})


def test_a_solver_that_indexes_its_results_ends_with_the_budget(declared):
    declared(theirs=f"{MODULE}:greedy_for_results")
    outcome = search(Config("theirs", "mlp-xs", 4, backend="bound"))
    assert outcome.evaluations == 4
