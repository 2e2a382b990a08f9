"""What a person sees while a command works, always on stderr: a bar, or a line now and then."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..errors import one_line
from .output import show

SILENCE_S = 2.0
"""Seconds for which a command may say nothing."""
PLAIN_SECONDS = 10.0
"""How often a line is printed where there is no terminal to draw a bar on."""
LONGEST_NOTE = 100

Update = Callable[[str, int, int], None]
"""Called with a note, what is done, and what there is to do."""


@contextmanager
def progress(unit: str, every_s: float = PLAIN_SECONDS) -> Iterator[Update]:
    """A bar on a terminal, else a line every `every_s` seconds, about the `unit` that are done."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    row = bar.add_task(unit, total=None, note="")
    last = time.monotonic()

    def update(note: str, done: int, total: int) -> None:
        nonlocal last
        starting.close()
        note = one_line(note, LONGEST_NOTE)
        bar.update(row, completed=done, total=total, note=note)
        if not console.is_terminal and time.monotonic() - last >= every_s:
            last = time.monotonic()
            show(f"{done:,} of {total:,} {unit}: {note}", error=True)

    with bar, ExitStack() as starting:
        starting.enter_context(patience(f"preparing the {unit}"))
        yield update


@contextmanager
def patience(what: str) -> Iterator[Callable[[str], None]]:
    """Around work without steps to count: a line after `SILENCE_S`, then ever more seldom.

    What is yielded is called with what is being done, for the lines to come.
    """
    done, doing = threading.Event(), [what]

    def speak() -> None:
        begun, pause = time.monotonic(), SILENCE_S
        while not done.wait(pause):
            passed = time.monotonic() - begun
            show(f"{one_line(': '.join(doing))}: {passed:.0f} s so far", error=True)
            pause = max(PLAIN_SECONDS, passed)

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield lambda now: doing.__setitem__(slice(1, None), [now])
    finally:
        done.set()
        speaker.join()
