"""What a person sees while a command works, always on stderr: a bar, or a line now and then."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click
from rich.console import Console

from ..errors import one_line
from ..progress_bar import LONGEST_NOTE, Update, progress_bar
from .app import QUIET
from .output import show

SILENCE_S = 2.0
"""Seconds for which a command may say nothing."""
PLAIN_SECONDS = 10.0
"""How often a line is printed where there is no terminal to draw a bar on."""


def is_quiet() -> bool:
    """Whether the command that runs was told to say nothing but its result."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


@contextmanager
def progress(unit: str, every_s: float = PLAIN_SECONDS) -> Iterator[Update]:
    """A bar on a terminal, else a line every `every_s` seconds, about the `unit` that are done."""
    quiet = is_quiet()
    lines = not quiet and not Console(stderr=True).is_terminal
    last = time.monotonic()

    with progress_bar(unit, shown=not quiet) as draw, ExitStack() as starting:

        def update(note: str, done: int, total: int) -> None:
            nonlocal last
            starting.close()
            draw(note, done, total)
            if lines and time.monotonic() - last >= every_s:
                last = time.monotonic()
                show(f"{done:,} of {total:,} {unit}: {one_line(note, LONGEST_NOTE)}", error=True)

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
    if not is_quiet():
        speaker.start()
    try:
        yield lambda now: doing.__setitem__(slice(1, None), [now])
    finally:
        done.set()
        if speaker.ident is not None:
            speaker.join()
