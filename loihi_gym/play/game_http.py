"""The game over HTTP: the page for everybody on this machine, all else for who has the token."""

import asyncio
from importlib import resources
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse

from ..errors import one_line
from ..leaderboard.page import assemble, part
from ..mapping import Mapping
from ..server.auth import Tokens
from ..server.gate import Gate
from ..server.limits import Limits
from ..server.metrics import zeroed
from ..server.models import Candidate
from .game import Game

SHARED = ("dom", "format", "theme", "mesh")
"""Scripts of the leaderboard's page that draw here, too."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
LIMITS = Limits(body_bytes=4 << 20, problem_bytes=4 << 20, body_s=10.0, connections=32)


def create_app(game: Game, token: str) -> Gate:
    """The game's application, behind a gate: this machine's names only, the token but for ``/``."""
    app = FastAPI(openapi_url=None)
    app.add_exception_handler(RequestValidationError, _malformed)
    text = page()

    @app.get("/", response_class=HTMLResponse)
    async def index() -> HTMLResponse:
        return HTMLResponse(text, headers=HEADERS)

    @app.get("/v1/game")
    async def opening() -> JSONResponse:
        return _answer(await asyncio.to_thread(game.opening))

    @app.post("/v1/measure")
    async def measure(body: Candidate) -> JSONResponse:
        return _answer(await asyncio.to_thread(game.measured, _mapping(body)))

    @app.post("/v1/save")
    async def save(body: Candidate) -> JSONResponse:
        try:
            return _answer(await asyncio.to_thread(game.save, _mapping(body)))
        except OSError as error:
            reason = one_line(f"cannot write {game.path.name}: {error.strerror or error}")
            raise HTTPException(500, reason) from error

    return Gate(app, Tokens({token: "player"}), LIMITS, zeroed(), ("/",), loopback=True)


def page() -> str:
    """The page, the same for every game: what is played it asks for, with the token."""
    own = resources.files(__package__) / "site"
    template, style, script = (
        (own / name).read_text(encoding="utf-8") for name in ("play.html", "play.css", "play.js")
    )
    scripts = [*(part(f"{name}.js") for name in SHARED), script]
    return assemble(template, part("style.css") + style, scripts, "connect-src 'self'; ")


def _mapping(body: Candidate) -> Mapping:
    return Mapping(body.cores_per_layer, body.placement)


def _answer(data: dict[str, Any]) -> JSONResponse:
    return JSONResponse(data, headers=HEADERS)


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return JSONResponse({"detail": one_line(f"{where}: {first['msg']}")}, status_code=422)
