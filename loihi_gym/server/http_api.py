"""The HTTP interface, version 1."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel

from .. import __version__
from ..errors import LoihiGymError, one_line
from ..mapping import Mapping, Problem
from . import models
from .auth import Tokens
from .gate import Gate
from .metrics import prometheus
from .queue import Job, JobOutcome
from .service import BusyError, Service

REFUSALS = {
    400: "The body cannot be read.",
    401: "A token is needed.",
    408: "The body arrived too slowly.",
    413: "The body is too large.",
    421: "The Host header names another machine.",
    422: "Something in the request is not what it should be.",
}
ABSENT = {404: "No such problem is stored: upload it."}
BUSY = {503: "The queue or the disk is full: ask later."}
PENDING = {202: "Some results are pending: ask again."}
NPZ = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
PAUSE_EVERY = 16
"""Mappings that are checked before others have their turn."""

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The problem's digest.")]


def create_app(service: Service, tokens: Tokens) -> Gate:
    """The application of a service, behind its gate."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="loihi-gym measurement server",
        version=__version__,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # FastAPI's page loads its scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(HTTPBearer(auto_error=False))] if tokens.required else [],
        responses=_described(REFUSALS),
    )
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(BusyError, _busy)
    _add_state(app, service)
    _add_problems(app, service)
    _add_evaluations(app, service)
    return Gate(app, tokens, service.limits, service.counters)


def _described(
    meanings: dict[int, str], model: type[BaseModel] = models.ErrorDetail
) -> dict[int | str, dict[str, Any]]:
    """Responses by status, as FastAPI takes them: their meaning and what their JSON is."""
    return {status: {"model": model, "description": said} for status, said in meanings.items()}


async def _busy(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "1"})


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    """What is wrong, in one line; FastAPI's own answer repeats the input, even if it is no JSON."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return JSONResponse({"detail": one_line(f"{where}: {first['msg']}")}, status_code=422)


def _add_state(app: FastAPI, service: Service) -> None:
    @app.get("/v1/health")
    async def health() -> models.Health:
        """Whether the server is well; needs no token."""
        return models.Health(
            status="failed" if service.illness else "ok",
            reason=service.illness,
            measure_s=service.limits.measure_s,
            version=__version__,
            backend=service.worker.backend,
            repeatable=service.worker.repeatable,
            queued=len(service.queue),
        )

    @app.get("/v1/metrics", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        """Counters for Prometheus."""
        text = prometheus(service.metrics())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def _add_problems(app: FastAPI, service: Service) -> None:
    @app.put(
        "/v1/problems/{digest}",
        status_code=201,
        responses=_described(BUSY),
        openapi_extra={"requestBody": {"required": True, "content": NPZ}},
    )
    async def upload(digest: Digest, request: Request) -> models.ProblemInfo:
        """Store a problem file (.npz, no pickle) under its digest."""
        data = await request.body()
        try:
            await service.upload(digest, data)
        except LoihiGymError as error:
            raise HTTPException(400, one_line(error)) from error
        return _info(digest, await _stored(service, digest))

    @app.get("/v1/problems/{digest}", responses=_described(ABSENT))
    async def problem(digest: Digest) -> models.ProblemInfo:
        """What a stored problem is."""
        return _info(digest, await _stored(service, digest))


def _add_evaluations(app: FastAPI, service: Service) -> None:
    refusals = _described(ABSENT | BUSY)

    @app.post(
        "/v1/problems/{digest}/evaluate",
        responses=refusals | _described(PENDING, models.Result),
    )
    async def evaluate(
        digest: Digest, body: models.EvaluateRequest, request: Request, response: Response
    ) -> models.Result:
        """Measure one mapping, or go on waiting for it."""
        results = await _evaluate(service, digest, [body], body.wait_s, request)
        response.status_code = _status(results)
        return results[0]

    @app.post(
        "/v1/problems/{digest}/evaluate_batch",
        responses=refusals | _described(PENDING, models.BatchResult),
    )
    async def evaluate_batch(
        digest: Digest, body: models.BatchRequest, request: Request, response: Response
    ) -> models.BatchResult:
        """Measure several mappings, or go on waiting for them."""
        results = await _evaluate(service, digest, body.mappings, body.wait_s, request)
        response.status_code = _status(results)
        return models.BatchResult(results=results, settled=service.settled)


async def _evaluate(
    service: Service,
    digest: str,
    candidates: Sequence[models.Candidate],
    wait_s: float,
    request: Request,
) -> list[models.Result]:
    problem, client = await _stored(service, digest), request.scope["state"]["client"]
    results: list[models.Result] = []
    asked: list[tuple[models.Result, JobOutcome | Job]] = []
    for index, candidate in enumerate(candidates):
        if index % PAUSE_EVERY == 0:
            await asyncio.sleep(0)
        mapping = Mapping(candidate.cores_per_layer, candidate.placement)
        result = models.Result(mapping=mapping.digest, repeat=candidate.repeat, state="pending")
        results.append(result)
        if violations := problem.check(mapping):
            result.state, result.reason = "illegal", one_line(violations[0])
        else:
            asked.append((result, service.ask(client, digest, mapping, candidate.repeat)))
    outcomes = await service.wait([one for _, one in asked], wait_s)
    for (result, _), outcome in zip(asked, outcomes, strict=True):
        _fill(result, outcome)
    return results


def _fill(result: models.Result, outcome: JobOutcome | None) -> None:
    if outcome is None:
        return
    if outcome.reason:
        result.state, result.reason = "failed", outcome.reason
        return
    result.state = "done"
    result.step_times_ps = list(outcome.step_times_ps)
    result.energy_fj = list(outcome.energy_fj) or None
    result.counted = outcome.counted


def _status(results: Sequence[models.Result]) -> int:
    return 202 if any(result.state == "pending" for result in results) else 200


async def _stored(service: Service, digest: str) -> Problem:
    if digest not in service.problems:
        raise HTTPException(404, f"no problem {digest[:12]} is stored: upload it")
    return await asyncio.to_thread(service.problems.get, digest)


def _info(digest: str, problem: Problem) -> models.ProblemInfo:
    return models.ProblemInfo(
        digest=digest,
        name=one_line(problem.name),
        widths=list(problem.network.widths),
        chip=problem.chip.name,
        cores=problem.topology.n_cores,
        steps=problem.activity.steps,
    )
