"""Solvers by name, from the entry-point group ``loihi_gym.solvers``.

Another package adds a solver by declaring ``name = "module:function"`` in that group. The function
takes a `Session` and keyword options, and searches until the session raises `BudgetSpent` or it has
nothing left to try.
"""

import inspect
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, cast

from ..errors import LoihiGymError, install_hint
from ..plugins import PluginGroup, check_options_of, described, options_of
from .session import BudgetSpent, Session

SOLVERS = PluginGroup("loihi_gym.solvers", "solver")
OWN = "loihi-gym"
"""The distribution whose solvers everybody has."""
Solver = Callable[..., None]


def solver_names() -> list[str]:
    """Names of all installed solvers."""
    return SOLVERS.names()


def is_bundled(name: str) -> bool:
    """Whether everybody who has loihi_gym has that solver; decided by who declares it."""
    return SOLVERS.owner(name) == OWN


def load_solver(name: str) -> Solver:
    """The solver of that name.

    Raises:
        UnknownNameError: if no installed package has one.
        LoihiGymError: if it is declared but cannot be imported.
    """
    solver = SOLVERS.load(name)
    if not callable(solver):
        raise LoihiGymError(f"solver {name!r} is no function but a {type(solver).__name__}")
    return cast(Solver, solver)


def _marked(name: str, value: Any) -> Callable[[Solver], Solver]:
    def mark(solver: Solver) -> Solver:
        vars(solver)[name] = value
        return solver

    return mark


def anytime_if(**options: Any) -> Callable[[Solver], Solver]:
    """Like `anytime`, of a solver that is so when it is given these options."""
    return _marked("anytime", options)


anytime = anytime_if()
"""Marks a solver as the same search whatever its budget: a smaller one is its beginning."""


def is_anytime(name: str, options: dict[str, Any]) -> bool:
    """Whether a solver with these options is the same search whatever its budget."""
    needed: dict[str, Any] | None = getattr(load_solver(name), "anytime", None)
    return needed is not None and needed.items() <= options.items()


def needs(extra: str, *modules: str) -> Callable[[Solver], Solver]:
    """Mark a solver as needing modules that an extra of this package installs."""
    return _marked("needs", (extra, modules))


def check_installed(name: str) -> None:
    """Raise unless all that a solver needs is installed.

    Raises:
        LoihiGymError: names what is missing, and the extra that installs it.
    """
    extra, modules = getattr(load_solver(name), "needs", ("", ()))
    require(f"solver {name!r}", extra, *modules)


def require(what: str, extra: str, *modules: str) -> None:
    """Raise unless modules that something needs are installed.

    Raises:
        LoihiGymError: names what is missing, and the extra of this package that installs it.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise LoihiGymError(f"{what} needs {', '.join(missing)}: {install_hint(extra)}")


def solver_options(name: str) -> dict[str, inspect.Parameter]:
    """A solver's own options by name, as its function declares them.

    Raises:
        UnknownNameError: if no installed package has such a solver.
    """
    return options_of(load_solver(name))


def parse_options(name: str, words: Sequence[str]) -> dict[str, Any]:
    """A solver's options from words such as ``--unseeded``, ``--lead 20`` or ``--lead=20``.

    Raises:
        UnknownNameError: if no installed package has such a solver.
        LoihiGymError: names the word that is no option of it, or has no such value.
    """
    known = {flag(option): option for option in solver_options(name).values()}
    options: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word, equals, value = rest.pop(0).partition("=")
        if word not in known:
            has = ", ".join(known) or "none"
            raise LoihiGymError(f"No such option or argument: {word} (options of {name}: {has}).")
        option = known[word]
        kind = _kind(option)
        if kind is bool:
            if equals:
                raise LoihiGymError(f"Option {word} takes no value; leave it out to turn it off.")
            options[option.name] = True
            continue
        if not equals:
            if not rest:
                raise LoihiGymError(f"Option {word} needs a value.")
            value = rest.pop(0)
        try:
            options[option.name] = kind(value)
        except ValueError as error:
            raise LoihiGymError(f"Option {word} takes {kind.__name__}, not {value!r}.") from error
    return options


def _kind(option: inspect.Parameter, default: type = str) -> type:
    """Type of an option's value; a module may keep annotations as strings (PEP 563)."""
    name = getattr(option.annotation, "__name__", option.annotation)
    return {"bool": bool, "int": int, "float": float, "str": str}.get(name, default)


def flag(option: inspect.Parameter) -> str:
    """How an option is written on the command line."""
    return "--" + option.name.replace("_", "-")


def check_options(name: str, options: dict[str, Any]) -> None:
    """Raise unless a solver has all these options, and they have values of their types.

    Raises:
        LoihiGymError: names the option.
    """
    check_options_of(f"solver {name!r}", load_solver(name), options)
    known = solver_options(name)
    for option, value in options.items():
        kind = _kind(known[option], default=object) if option in known else object
        if not isinstance(value, (int, float) if kind is float else kind):
            raise LoihiGymError(
                f"option {option!r} of solver {name!r} takes {kind.__name__}, not {value!r}"
            )


def run_solver(name: str, session: Session, options: dict[str, Any]) -> None:
    """Let a solver search until it stops or the session's budget ends it.

    Raises:
        LoihiGymError: if the solver has no such option, or another package's solver fails.
    """
    check_options(name, options)
    solver = load_solver(name)
    try:
        solver(session, **options)
    except BudgetSpent:
        return
    except LoihiGymError:
        raise
    except (Exception, SystemExit) as error:
        if is_bundled(name):
            raise  # our mistake: the traceback is wanted
        raise LoihiGymError(f"solver {name!r} failed: {described(error)}") from error
