"""How a command ends: the one place where whatever goes wrong becomes a line and an exit code."""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from typing import Any, TextIO

import click

from ..errors import LoihiGymError, one_line, printable

FAULT = 1
USAGE_ERROR = 2
INTERRUPTED = 130
TRACEBACK_LINES = 60


def ended(run: Callable[[], Any]) -> int:
    """Run a command and return its exit code; say on stderr in one line what was wrong.

    0 if all went well, 2 after trouble that a user can mend, 130 if interrupted. A fault of this
    package's own shows its traceback and is 1; so is, without a word, a reader that went away.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # never fail for what a terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _code_of(run)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = FAULT
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        code = INTERRUPTED
    except Exception as error:
        code = _explain(error)
    _let_go(sys.stdout)
    _let_go(sys.stderr)
    return code


def _code_of(run: Callable[[], Any]) -> int:
    try:
        returned = run()
    except SystemExit as end:
        returned = end.code
    if returned is None:
        return 0
    return returned if isinstance(returned, int) else FAULT


def _explain(error: Exception) -> int:
    line = line_of(error)
    if line is not None:
        _say(line)
        return USAGE_ERROR
    for each in traceback.format_exc().splitlines()[-TRACEBACK_LINES:]:
        _say(printable(each), prefix="")
    _say("this is a fault of loihi_gym itself; please report it, with the lines above")
    return FAULT


def line_of(error: Exception) -> str | None:
    """What a user can mend about an error; None if nothing, because it is a fault in the code."""
    match error:
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "loihi-gym"
            return f"{error.format_message()} See '{command} --help'."
        case click.ClickException():
            return error.format_message()
        case LoihiGymError():
            return str(error)
        case OSError():
            name = error.filename if error.filename is not None else "input or output"
            return f"{os.fsdecode(name)}: {error.strerror or error}"
        case UnicodeError():
            return f"a name or a file is not of the encoding it must have: {error}"
        case ValueError() if "null byte" in str(error) or "null character" in str(error):
            return "the name of a file has a NUL character in it"
        case RecursionError():
            return "an input is nested too deeply to be read"
        case MemoryError():
            return f"not enough memory: {str(error) or 'try a smaller problem'}"
        case BrokenExecutor():
            return "a worker process was killed, perhaps for want of memory; try fewer at a time"
        case ModuleNotFoundError() if not (error.name or "loihi_gym").startswith("loihi_gym"):
            return f"this needs {error.name}, which is not installed"
    return None


def _say(line: str, prefix: str = "loihi-gym: ") -> None:
    with contextlib.suppress(OSError):  # stderr may be gone, too
        click.echo(prefix + (one_line(line) if prefix else line), err=True)


def _let_go(stream: TextIO | None) -> None:
    """Flush a stream, and if that fails, spare Python another attempt at its exit."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
