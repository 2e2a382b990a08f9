"""What a request must pass before the application: token, host, size and time of its body."""

import asyncio
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .auth import Tokens, is_loopback
from .limits import Limits
from .metrics import Counters
from .models import MOST_MAPPINGS
from .queue import Client

OPEN = ("/v1/health", "/v1/openapi.json")
"""Paths that need no token."""
CLIENT_HEADER = "x-client"
LONGEST_CLIENT = 64
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::[0-9]{1,5})?")
"""A Host header: a name or address, and perhaps a port."""
MOST = {b"{": MOST_MAPPINGS + 1, b"[": 2 * MOST_MAPPINGS + 1, b'"': 8 * MOST_MAPPINGS}
"""Signs in the largest body that means something: all else is refused before JSON makes objects."""


class Refusal(Exception):
    """A request that the application does not get to see."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gate:
    """ASGI middleware; requests that pass have their whole body read and ``state["client"]`` set.

    A server without tokens is for this machine alone. Then the Host header must name it, so that no
    web page can reach the server through a name of its own.

    Args:
        app: What is behind the gate.
        tokens: Who may pass.
        limits: Of a request's body.
        counters: Refusals are counted there.
        open_paths: Paths that need no token.
        loopback: Whether it is for this machine alone although it has tokens.
    """

    def __init__(
        self,
        app: ASGIApp,
        tokens: Tokens,
        limits: Limits,
        counters: Counters,
        open_paths: Sequence[str] = OPEN,
        loopback: bool = False,
    ) -> None:
        self._app = app
        self._open = open_paths
        self._local = loopback or not tokens.required
        self._tokens = tokens
        self._limits = limits
        self._counters = counters
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection scope."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers, body = Headers(scope=scope), bytearray()
        try:
            self._check_host(headers)
            name = self._check_token(scope["path"], headers)
            await self._read(scope, headers, receive, body)
            scope.setdefault("state", {})["client"] = _client(name, headers, scope)
            await self._app(scope, _replay(bytes(body), receive), send)
        except Refusal as refusal:
            self._counters["refused_total"] += 1
            await _answer(refusal)(scope, receive, send)
        finally:
            self._held -= len(body)

    def _check_host(self, headers: Headers) -> None:
        if not self._local:
            return
        host = headers.get("host", "")
        parts = HOST.fullmatch(host)
        if parts is None or not is_loopback(parts[1]):
            raise Refusal(421, f"this server listens to this machine alone, not as {host[:80]!r}")

    def _check_token(self, path: str, headers: Headers) -> str:
        if not self._tokens.required:
            return ""
        name = self._tokens.name(headers.get("authorization", ""))
        if name is None and path not in self._open:
            raise Refusal(401, "a valid token is needed: Authorization: Bearer ...")
        return name or ""

    async def _read(
        self, scope: Scope, headers: Headers, receive: Receive, body: bytearray
    ) -> None:
        """Fill `body` with the request's."""
        limits, put = self._limits, scope["method"] == "PUT"
        limit = limits.problem_bytes if put else limits.body_bytes
        too_large = Refusal(413, f"the body is larger than {limit} bytes")
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or len(declared) > 15 or int(declared) > limit:
            raise too_large
        try:
            async with asyncio.timeout(limits.body_s):
                async for part in Request(scope, receive).stream():
                    if self._held + len(part) > limits.bodies_bytes:
                        raise Refusal(503, "too many bodies at once: ask later")
                    self._held += len(part)
                    body += part
                    if len(body) > limit:
                        raise too_large
        except TimeoutError as error:
            raise Refusal(408, f"the body did not arrive within {limits.body_s:g} s") from error
        except ClientDisconnect as error:
            raise Refusal(400, "the connection was closed within the body") from error
        for sign, most in MOST.items():
            if not put and body.count(sign) > most:
                raise Refusal(422, f"the body holds more than {most} {sign.decode()}")


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands over a body already read, then what else comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _client(name: str, headers: Headers, scope: Scope) -> Client:
    """Whose turn a request counts as: the token's, or the machine's, and of whom on it."""
    machine = str((scope.get("client") or ("?",))[0])
    return Client(name or machine, headers.get(CLIENT_HEADER, "")[:LONGEST_CLIENT])


def _answer(refusal: Refusal) -> JSONResponse:
    headers = {"connection": "close"}
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    if refusal.status == 503:
        headers["retry-after"] = "1"
    return JSONResponse({"detail": str(refusal)}, refusal.status, headers)
