"""What a request must pass before the application: token, host, size and time of its body."""

import asyncio
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .auth import Tokens, is_loopback
from .limits import Limits
from .metrics import Counters

OPEN = ("/v1/health", "/v1/openapi.json", "/v1/docs")
"""Paths that need no token."""
CLIENT_HEADER = "x-client"
LONGEST_CLIENT = 64


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection scope."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            name = self._check_token(scope["path"], headers)
            body = await self._read(scope, headers, receive)
        except Refusal as refusal:
            self._counters["refused_total"] += 1
            await _answer(refusal)(scope, receive, send)
            return
        scope.setdefault("state", {})["client"] = _client(name, headers, scope)
        await self._app(scope, _replay(body, receive), send)

    def _check_host(self, headers: Headers) -> None:
        if not self._local:
            return
        host = headers.get("host", "")
        bare = host.rpartition("]")[0] + "]" if "]" in host else host.partition(":")[0]
        if not is_loopback(bare):
            raise Refusal(421, f"this server listens to this machine alone, not as {host[:80]!r}")

    def _check_token(self, path: str, headers: Headers) -> str:
        if not self._tokens.required:
            return ""
        name = self._tokens.name(headers.get("authorization", ""))
        if name is None and path not in self._open:
            raise Refusal(401, "a valid token is needed: Authorization: Bearer ...")
        return name or ""

    async def _read(self, scope: Scope, headers: Headers, receive: Receive) -> bytes:
        limits, put = self._limits, scope["method"] == "PUT"
        limit = limits.problem_bytes if put else limits.body_bytes
        too_large = Refusal(413, f"the body is larger than {limit} bytes")
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(limits.body_s):
                async for part in Request(scope, receive).stream():
                    body += part
                    if len(body) > limit:
                        raise too_large
        except TimeoutError as error:
            raise Refusal(408, f"the body did not arrive within {limits.body_s:g} s") from error
        except ClientDisconnect as error:
            raise Refusal(400, "the connection was closed within the body") from error
        return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands over a body already read, then what else comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _client(name: str, headers: Headers, scope: Scope) -> str:
    """Whose turn a request counts as: the token's name, else what the client calls itself."""
    if name:
        return name
    own = headers.get(CLIENT_HEADER, "")[:LONGEST_CLIENT]
    return own or str((scope.get("client") or ("?",))[0])


def _answer(refusal: Refusal) -> JSONResponse:
    headers = {"connection": "close"}
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse({"detail": str(refusal)}, refusal.status, headers)
