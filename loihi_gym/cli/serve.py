"""The command that serves measurements to other machines."""

import json
from pathlib import Path
from typing import Any

import click

from ..errors import ServerError
from .app import app
from .options import folder, port, positive

QUICK = {"mesh": 60.0, "bound": 60.0}
"""Seconds that a measurement of these backends may take: thousands of times what one does take."""


@app.command(epilog="Example: loihi-gym serve --backend lava --option host=10.0.0.7 --state served")
@click.option("--backend", default="mesh", show_default=True, metavar="NAME", help="What measures.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@port(8152)
@click.option("--token-file", metavar="FILE", help="Tokens, one a line; needed beyond loopback.")
@folder("--state", "Keeps problems and results over restarts.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="For the backend.")
@positive(
    "--measure-s", None, "Seconds that one measurement may take.  [default: 60 on mesh, else 900]"
)
def serve(
    backend: str,
    host: str,
    port: int,
    token_file: str | None,
    state: str | None,
    options: tuple[str, ...],
    measure_s: float | None,
) -> None:
    """Measure mappings for clients anywhere: their backend is http://HOST:PORT."""
    try:
        from ..server.serving import Limits, read_tokens
        from ..server.serving import serve as run
    except ImportError as error:
        raise ServerError(f'serving needs {error.name}: pip install "loihi-gym[server]"') from error
    tokens = read_tokens(token_file)
    limits = Limits(measure_s=measure_s or QUICK.get(backend, Limits.measure_s))
    folder = None if state is None else Path(state)
    run(backend, host, port, tokens, folder, limits, dict(map(_option, options)))


def _option(text: str) -> tuple[str, Any]:
    """KEY=VALUE; a value is a word unless it is JSON."""
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise ServerError(f"--option {text}: give it as KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
