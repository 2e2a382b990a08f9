"""A bar that shows how far some work is: on a terminal, or in a notebook; elsewhere nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .errors import one_line

LONGEST_NOTE = 100
NOTEBOOK_SECONDS = 0.2
"""How often a notebook's bar is drawn again, at most."""

Update = Callable[[str, int, int], None]
"""Called with a note, what is done, and what there is to do."""


@contextmanager
def progress_bar(unit: str, shown: bool = True) -> Iterator[Update]:
    """A bar about the `unit` that are done; on a terminal it is on stderr and goes when it ends."""
    console = Console(stderr=True)
    if shown and console.is_jupyter:
        yield _in_notebook(unit)
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (shown and console.is_terminal),
    )
    row = bar.add_task(unit, total=None, note="")

    def update(note: str, done: int, total: int) -> None:
        bar.update(row, completed=done, total=total, note=one_line(note, LONGEST_NOTE))

    with bar:
        yield update


def _in_notebook(unit: str) -> Update:
    """One output of the cell, drawn over and over: rich would need ipywidgets for that."""
    from IPython.display import display

    handle = display(_both(unit, "", 0, 0), raw=True, display_id=True)
    drawn = time.monotonic()

    def update(note: str, done: int, total: int) -> None:
        nonlocal drawn
        if done >= total or time.monotonic() - drawn >= NOTEBOOK_SECONDS:
            handle.update(_both(unit, note, done, total), raw=True)
            drawn = time.monotonic()

    return update


def _both(unit: str, note: str, done: int, total: int) -> dict[str, str]:
    """The state of a bar as HTML, and as text for what shows none."""
    text = f"{done:,} of {total:,} {unit}" if total else f"preparing the {unit}"
    text += f": {one_line(note, LONGEST_NOTE)}" if note else ""
    bar = f'<progress value="{done}" max="{total}"></progress> ' if total else ""
    return {"text/plain": text, "text/html": f"{bar}{escape(text)}"}


class Rate:
    """How many a second, from the first report on: what is compiled before it is not counted."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def words(self, done: int) -> str:
        """Like "1,250/s, "; empty at the first report, after which the clock runs."""
        now = time.monotonic()
        if self._first is None:
            self._first = now, done
            return ""
        since, before = self._first
        return f"{(done - before) / max(now - since, 1e-9):,.0f}/s, "
