"""Things by name that installed packages declare as entry points: solvers, backends."""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from traceback import extract_tb
from typing import Any

from .errors import LoihiGymError, UnknownNameError, one_line, unknown


@dataclass(frozen=True)
class PluginGroup:
    """A group of entry points.

    Attributes:
        group: Name of the group, such as ``loihi_gym.solvers``.
        kind: What an error calls a thing of the group, such as ``solver``.
    """

    group: str
    kind: str

    def names(self) -> list[str]:
        """Names of all that is installed, sorted."""
        return sorted(self._declared())

    def owner(self, name: str) -> str:
        """Name of the distribution that declares a thing."""
        return _distribution(self._entry(name))

    def load(self, name: str) -> Any:
        """The thing of that name.

        Raises:
            UnknownNameError: if no installed package declares it.
            LoihiGymError: if it cannot be imported, or two packages declare it.
        """
        entry = self._entry(name)
        try:
            return entry.load()
        except (Exception, SystemExit) as error:  # whatever another package's module does
            raise LoihiGymError(
                f"{self.kind} {name!r} cannot be imported: {described(error)}; it comes with "
                f"{_distribution(entry)}: install that anew, or what it needs"
            ) from error

    def _declared(self) -> dict[str, list[EntryPoint]]:
        found: dict[str, list[EntryPoint]] = {}
        for entry in dict.fromkeys(entry_points(group=self.group)):  # an editable one comes twice
            found.setdefault(entry.name, []).append(entry)
        return found

    def _entry(self, name: str) -> EntryPoint:
        found = self._declared()
        if name not in found:
            raise unknown(self.kind, name, sorted(found))
        owners = sorted({_distribution(entry) for entry in found[name]})
        if len(owners) > 1:
            both = " and by ".join(owners)
            raise LoihiGymError(
                f"{self.kind} {name!r} is declared by {both}: uninstall one, or rename it"
            )
        return found[name][0]


def options_of(function: Any) -> dict[str, inspect.Parameter]:
    """Options of a plugin's function or class by name: all parameters but the first."""
    return dict(list(inspect.signature(function).parameters.items())[1:])


def check_options_of(what: str, function: Any, given: Iterable[str]) -> None:
    """Raise unless a plugin's function or class takes all these options.

    Raises:
        UnknownNameError: names the option, and those there are.
    """
    known = options_of(function)
    if any(option.kind is option.VAR_KEYWORD for option in known.values()):
        return
    for name in given:
        if name not in known:
            raise UnknownNameError(
                f"{what} has no option {name!r}; it has: {', '.join(known) or 'none'}"
            )


def _distribution(entry: EntryPoint) -> str:
    return "?" if entry.dist is None else entry.dist.name


def described(error: BaseException) -> str:
    """Another package's error in one line, with the place it comes from."""
    where = extract_tb(error.__traceback__)[-1]
    said = one_line(error, 200)
    return f"{type(error).__name__}: {said} ({Path(where.filename).name}, line {where.lineno})"
