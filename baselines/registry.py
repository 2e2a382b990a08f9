"""Solvers by name, from the entry-point group ``loihi_gym.solvers``.

Another package adds a solver by declaring ``name = "module:function"`` in that group. The function
takes a `Session` and keyword options, and searches until the session raises `BudgetSpent` or it has
nothing left to try.
"""

import contextlib
import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from loihi_gym.errors import LoihiGymError, unknown

from .session import BudgetSpent, Session

GROUP = "loihi_gym.solvers"
Solver = Callable[..., None]


def solvers() -> list[str]:
    """Names of all installed solvers."""
    return sorted(_entry_points())


def load_solver(name: str) -> Solver:
    """The solver of that name.

    Raises:
        UnknownNameError: if no installed package has one.
        LoihiGymError: if it is declared but cannot be imported.
    """
    found = _entry_points()
    if name not in found:
        raise unknown("solver", name, sorted(found))
    try:
        solver: Solver = found[name].load()
    except (ImportError, AttributeError) as error:
        raise LoihiGymError(f"solver {name!r} cannot be imported: {error}") from error
    return solver


def solver_options(name: str) -> dict[str, inspect.Parameter]:
    """A solver's own options by name, as its function declares them.

    Raises:
        UnknownNameError: if no installed package has such a solver.
    """
    parameters = inspect.signature(load_solver(name)).parameters
    return {key: value for key, value in parameters.items() if key != "session"}


def check_options(name: str, options: dict[str, Any]) -> None:
    """Raise unless a solver has all these options.

    Raises:
        LoihiGymError: names the option.
    """
    known = solver_options(name)
    for option in options:
        if option not in known:
            raise LoihiGymError(
                f"solver {name!r} has no option {option!r}; it has: {', '.join(known) or 'none'}"
            )


def run_solver(name: str, session: Session, options: dict[str, Any]) -> None:
    """Let a solver search until it stops or the session's budget ends it.

    Raises:
        LoihiGymError: if the solver has no such option.
    """
    check_options(name, options)
    with contextlib.suppress(BudgetSpent):
        load_solver(name)(session, **options)


def _entry_points() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
