"""A game on a port of this machine."""

import secrets
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from ..errors import ServerError
from ..server.serving import limited_server
from .game import Game
from .game_http import LIMITS, create_app

HOST = "127.0.0.1"
TOKEN_BYTES = 24


def serve(game: Game, port: int, ready: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Args:
        game: What is played.
        port: Where to listen; 0 lets the system choose.
        ready: Called with the address to open.

    Raises:
        ServerError: if the port cannot be had.
    """
    server, listening, address = prepare(game, port)
    with listening:
        ready(address)
        with suppress(KeyboardInterrupt):  # the way to end it; not always raised by the server
            server.run(sockets=[listening])


def prepare(game: Game, port: int) -> tuple[uvicorn.Server, socket.socket, str]:
    """A server, the socket that it is to listen on, and the address to open.

    What follows the address's ``#`` is the token, which a browser never sends by itself.

    Raises:
        ServerError: if the port cannot be had.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        raise ServerError(f"cannot listen on {HOST} port {port}: {error.strerror}") from error
    bound = listening.getsockname()[1]
    server = limited_server(create_app(game, token), HOST, bound, LIMITS, "warning")
    return server, listening, f"http://{HOST}:{bound}/#{token}"
