"""Checks of what users give: each raises one line that names the thing and what to do."""

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from ..errors import LoihiGymError, UnknownNameError, unknown

MOST = 2**31 - 1
"""Largest count that the compiled environments add up without overflow."""
SHOWN = 80
"""Characters of a wrong value that an error repeats."""

Strict = TypeVar("Strict", bound=type)
Check = Callable[[str, Any], None]
"""Raises unless the argument of that name may have that value."""


def count(most: int = MOST) -> Check:
    """A check: a whole number from 1 to `most`."""

    def check(name: str, value: Any) -> None:
        if type(value) is not int or not 1 <= value <= most:
            raise LoihiGymError(f"{name} = {shown(value)}: give a whole number from 1 to {most}")

    return check


def word(*known: str) -> Check:
    """A check: one of some words."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, str):
            raise LoihiGymError(f"{name} {shown(value)} is none of {', '.join(known)}")
        if value not in known:
            raise unknown(name, value, list(known))

    return check


def is_bool(name: str, value: Any) -> None:
    """A check: True or False."""
    if type(value) is not bool:
        raise LoihiGymError(f"{name} = {shown(value)}: give True or False")


def check_names(owner: str, given: Iterable[Any], known: list[str], kind: str = "argument") -> None:
    """Raise unless all names are known ones.

    Raises:
        UnknownNameError: names the owner, the first unknown name, the likely one and all others.
    """
    for name in given:
        if name not in known:
            near = get_close_matches(str(name), known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise UnknownNameError(
                f"{owner} has no {kind} {shown(name)}{hint}; it takes {', '.join(known)}"
            )


def strict(made: Strict) -> Strict:
    """Decorator of a class: its constructor refuses unknown arguments as `check_names` does."""
    init = made.__init__  # type: ignore[misc]
    known = list(inspect.signature(made).parameters)

    @wraps(init)
    def checked(self: Any, *arguments: Any, **named: Any) -> None:
        check_names(made.__name__, named, known)
        init(self, *arguments, **named)

    made.__init__ = checked  # type: ignore[misc]
    return made


def check_options(owner: str, options: Any, known: list[str]) -> dict[str, Any]:
    """A copy of what is given to `reset(options=)`.

    Raises:
        UnknownNameError: if there is no option of that name.
        LoihiGymError: if it is no dict.
    """
    if not isinstance(options, dict | None):
        raise LoihiGymError(f"options {shown(options)} is not a dict of {', '.join(known)}")
    check_names(owner, options or {}, known, "reset option")
    return dict(options or {})


def check_seed(seed: Any) -> int | None:
    """A seed as Gymnasium takes it: a Python int, or None.

    Raises:
        LoihiGymError: if it is neither None nor a whole number from 0 on.
    """
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise LoihiGymError(f"seed {shown(seed)} is not a whole number from 0 on")
    return int(seed)


def shown(value: Any) -> str:
    """A wrong value as an error repeats it: one line, of bounded length."""
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
