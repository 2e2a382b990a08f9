"""The command that serves measurements to other machines."""

from pathlib import Path

import click

from ..errors import ServerError
from .app import app


@app.command(epilog="Example: loihi-gym serve --backend mesh --port 8152")
@click.option("--backend", default="mesh", show_default=True, metavar="NAME", help="What measures.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8152, show_default=True, help="Port to listen on.")
@click.option("--token-file", metavar="FILE", help="Tokens, one a line; needed beyond loopback.")
@click.option("--state", metavar="DIR", help="Keeps problems and results over restarts.")
@click.option(
    "--measure-s", type=float, default=900.0, show_default=True, help="Time limit of one."
)
def serve(
    backend: str,
    host: str,
    port: int,
    token_file: str | None,
    state: str | None,
    measure_s: float,
) -> None:
    """Measure mappings for clients anywhere: their backend is http://HOST:PORT."""
    try:
        from ..server.serve import Limits, read_tokens
        from ..server.serve import serve as run
    except ImportError as error:
        raise ServerError(f"serving needs {error.name}; pip install loihi-gym[server]") from error
    tokens = read_tokens(token_file)
    limits = Limits(measure_s=measure_s)
    run(backend, host, port, tokens, None if state is None else Path(state), limits)
