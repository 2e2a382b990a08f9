"""Tables that a stranger wrote: their fields described once, and one strict reader that walks them.

A field is read by a function of its value and of what to call it in an error; it returns the value
as it is kept, or raises a `SubmissionError`.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from ..errors import SubmissionError
from .reading import shown

Read = Callable[[Any, str], Any]
NEEDED = object()
"""Default of a field that has none."""


class Field(NamedTuple):
    """One field of a table: how its value is read, and what stands for it where it is left out."""

    read: Read
    default: Any = NEEDED


def read_table(value: object, source: str, fields: dict[str, Field]) -> dict[str, Any]:
    """The values of a table's fields, in the order of their description.

    Raises:
        SubmissionError: names the first field that is missing, unknown, or not what it has to be.
    """
    if not isinstance(value, dict):
        raise SubmissionError(f"{source}: is {shown(value)}, not a table of fields")
    for name in sorted(fields.keys() - value.keys()):
        if fields[name].default is NEEDED:
            raise SubmissionError(f"{source}: field {name!r} is missing")
    for name in sorted(value.keys() - fields.keys()):
        raise SubmissionError(
            f"{source}: unknown field {shown(name)}; scores are computed, never submitted"
        )
    return {
        name: field.read(value[name], f"{source}: {name}") if name in value else field.default
        for name, field in fields.items()
    }


def whole(least: int, most: int) -> Read:
    """Reads a whole number in a range; true and false are none."""

    def read(value: object, source: str) -> int:
        if type(value) is not int or not least <= value <= most:
            raise SubmissionError(
                f"{source} is {shown(value)}, not a whole number from {least} to {most}"
            )
        return value

    return read


def listed(read: Read, what: str, sizes: Collection[int] = range(1 << 30)) -> Read:
    """Reads a list of so many values."""

    def read_list(value: object, source: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) not in sizes:
            raise SubmissionError(f"{source} is {shown(value)}, not a list of {what}")
        return tuple(read(one, f"{source}[{index}]") for index, one in enumerate(value))

    return read_list


def unread(value: object, _: str) -> object:
    """Leaves a value to whoever knows what it may be."""
    return value


def text(what: str, pattern: str = r".*", longest: int = 200) -> Read:
    """Reads text that a pattern matches as a whole; `what` says in errors which text that is."""
    compiled = re.compile(pattern)

    def read(value: object, source: str) -> str:
        if not isinstance(value, str) or len(value) > longest or not compiled.fullmatch(value):
            raise SubmissionError(f"{source} is {shown(value)}, not {what}")
        return value

    return read
