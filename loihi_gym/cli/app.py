"""The group all commands belong to, and how errors end: one line on stderr, exit code 2."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.table import Table

from .. import __version__
from ..errors import LoihiGymError

USAGE_ERROR = 2
INTERRUPTED = 130


class Commands(click.Group):
    """Lists commands in the order they were added: what a newcomer needs first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in order of definition."""
        return list(self.commands)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: loihi-gym solve ga mlp-xs --budget 500",
)
@click.version_option(__version__, prog_name="loihi-gym")
def app() -> None:
    """Map sparse neural networks onto Intel's Loihi 2, in simulation or on hardware."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 if all went well, 2 after bad input, 130 if interrupted."""
    try:
        app.main(arguments, standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "loihi-gym"
        _fail(f"{error.format_message()} See '{command} --help'.")
    except click.ClickException as error:
        _fail(error.format_message())
    except LoihiGymError as error:
        _fail(str(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("loihi-gym: interrupted", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _fail(message: str) -> NoReturn:
    click.echo(f"loihi-gym: {' '.join(message.split())}", err=True)
    sys.exit(USAGE_ERROR)


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table in the house style: the first column names things, the others are numbers."""
    made = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index else "left", overflow="fold")
    return made


def show(*parts: Any) -> None:
    """Print tables and lines to stdout.

    Colours only on a terminal; what does not fit a line is folded, never cut, and a pipe or a file
    gets lines as long as they need.
    """
    console = Console(soft_wrap=True, highlight=False)
    if not console.is_terminal:
        console.width = 200
    for part in parts:
        console.print(part)
