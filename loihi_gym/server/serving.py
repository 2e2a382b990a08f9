"""What ``loihi-gym serve`` runs: a service on a port, with our limits."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from ..backends import load_backend
from ..errors import ServerError
from .auth import Tokens, check_bind, read_tokens
from .http_api import create_app
from .limits import Limits
from .metrics import zeroed
from .protocol import TimedProtocol
from .service import Service
from .store import ProblemStore, ResultStore
from .worker_client import LineProcess, MeasuringProcess

__all__ = ["Limits", "make_server", "make_service", "read_tokens", "serve"]
SHUTDOWN_S = 5
NOISE = ("noise", "seed")
"""Options of `make_backend` itself."""


def make_service(
    backend: str,
    state: Path,
    limits: Limits,
    worker: MeasuringProcess | None = None,
    options: dict[str, Any] | None = None,
) -> Service:
    """A service that stores in the directory `state`, which no other may have at the time.

    Raises:
        UnknownNameError: if there is no such backend, or it has no such option.
        ServerError: if the directory cannot be used.
    """
    own = {name: value for name, value in (options or {}).items() if name not in NOISE}
    load_backend(backend, **own)
    counters = zeroed()
    try:
        state.mkdir(parents=True, exist_ok=True)
        results = ResultStore(state / "results.db", limits.results)  # which is one server's alone
        problems = ProblemStore(
            state / "problems", limits.problems, limits.stored, limits.stored_bytes
        )
    except OSError as error:
        raise ServerError(f"state directory {state}: {error.strerror}") from error
    worker = worker or MeasuringProcess(backend, limits.measure_s, counters, options=options)
    reader = (sys.executable, "-m", "loihi_gym.server.intake", str(limits.unpacked_bytes))
    return Service(worker, LineProcess("reader", reader), problems, results, counters, limits)


def make_server(
    service: Service, host: str, port: int, tokens: Tokens, log_level: str = "warning"
) -> uvicorn.Server:
    """A uvicorn server of a service.

    Raises:
        ServerError: if it would listen to other machines without a token.
    """
    check_bind(host, tokens)
    app = create_app(service, tokens)
    return limited_server(app, host, port, service.limits, log_level)


def limited_server(
    app: ASGIApp, host: str, port: int, limits: Limits, log_level: str
) -> uvicorn.Server:
    """A uvicorn server of an application, with limits on connections and times."""
    protocol = type("Protocol", (TimedProtocol,), {"header_s": limits.header_s})
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol,
        ws="none",
        lifespan="on",
        log_level=log_level,
        access_log=False,
        server_header=False,
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    return uvicorn.Server(config)


def serve(
    backend: str,
    host: str,
    port: int,
    tokens: Tokens,
    state: Path | None = None,
    limits: Limits | None = None,
    options: dict[str, Any] | None = None,
) -> None:
    """Serve until interrupted.

    Args:
        backend: What measures.
        host: Where to listen; other than loopback only with tokens.
        port: Where to listen.
        tokens: Who may ask.
        state: Directory that keeps problems and results over restarts; None keeps nothing.
        limits: Default those of `Limits`.
        options: What the backend takes besides; see `make_backend`.

    Raises:
        LoihiGymError: if the backend is unknown, or the server may not or cannot be.
    """
    check_bind(host, tokens)
    with TemporaryDirectory(prefix="loihi-gym-serve-", ignore_cleanup_errors=True) as scratch:
        service = make_service(backend, state or Path(scratch), limits or Limits(), options=options)
        server = make_server(service, host, port, tokens, log_level="info")
        try:
            server.run()
        except SystemExit as error:  # uvicorn has logged why it could not start
            raise ServerError(f"could not listen on {host} port {port}") from error
