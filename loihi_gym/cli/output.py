"""What commands print: tables, lines and JSON, with nothing foreign that a terminal would obey."""

import errno
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table

from ..errors import one_line, printable

LONGEST_CELL = 2_000


class PlainTable(Table):
    """A table in the house style: text is text, never markup or a terminal's commands."""

    def add_row(self, *cells: str) -> None:  # type: ignore[override]
        """Add a row of plain text."""
        super().add_row(*(one_line(cell, LONGEST_CELL) for cell in cells))


def table(*columns: str, title: str | None = None, left: tuple[int, ...] = ()) -> PlainTable:
    """An empty table: the first column and those of `left` hold words, the others numbers."""
    title = None if title is None else one_line(title)
    made = PlainTable(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        words = index == 0 or index in left
        made.add_column(one_line(column), justify="left" if words else "right", overflow="fold")
    return made


def show(*parts: PlainTable | str, error: bool = False) -> None:
    """Print tables and lines to stdout, or to stderr.

    Colours only on a terminal; what does not fit a line is folded, never cut, and a pipe or a file
    gets lines as long as they need.

    Raises:
        OSError: if that fails, as on a full disk; its `filename` says which output it was.
    """
    console = Console(stderr=error, soft_wrap=True, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 200
    with _named("standard error" if error else "standard output"):
        for part in parts:
            plain = "\n".join(map(printable, part.split("\n"))) if isinstance(part, str) else part
            console.print(plain)


def show_json(data: object) -> None:
    """Print one JSON object, on a line of its own, to stdout; what is no number there is null."""
    with _named("standard output"):
        click.echo(json.dumps(_finite(data), allow_nan=False))


def _finite(data: object) -> object:
    match data:
        case dict():
            return {key: _finite(value) for key, value in data.items()}
        case list() | tuple():
            return [_finite(value) for value in data]
        case float():
            return data if math.isfinite(data) else None
    return data


@contextmanager
def _named(stream: str) -> Iterator[None]:
    """Errors of writing to a stream name no file: this names the stream."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno or errno.EIO, error.strerror, stream) from error
