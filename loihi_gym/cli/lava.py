"""Commands for Lava's own environment."""

import sys

import click

from ..backends.lava import examine, installed
from ..backends.lava import install as make_environment
from .app import app

MARKS = {True: "ok  ", False: "BAD ", None: "--  "}


@app.group()
def lava() -> None:
    """Lava, Intel's framework, in a Python 3.10 environment of its own."""


@lava.command(epilog="Example: loihi-gym lava install")
def install() -> None:
    """Make the environment that Lava runs in: Python 3.10 with lava-nc, about 300 MB."""
    if not installed():
        click.echo("installing lava-nc; this takes about a minute", err=True)
    click.echo(make_environment())


@lava.command(epilog="Example: loihi-gym lava doctor")
def doctor() -> None:
    """Show versions, whether lava-loihi, SLURM and a board are there, and test Lava itself.

    A line that begins with -- is of no matter without a Loihi 2; with BAD, Lava does not work.
    """
    works = True
    for finding in examine():
        works = works and finding.good is not False
        click.echo(f"{MARKS[finding.good]}{finding.what}: {finding.detail}")
    if not works:
        sys.exit(1)
