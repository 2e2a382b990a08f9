"""The JSON that clients and server exchange, version 1; all numbers are integers."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field

MOST_CORES = 1 << 20
MOST_LAYERS = 1 << 10
MOST_MAPPINGS = 1 << 10
LONGEST_WAIT_S = 60.0


def _whole(value: object) -> object:
    """JSON does not tell 3.0 from 3; pydantic would."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _wholes(value: object) -> object:
    """As `_whole`, of a list; nearly all have no such numbers."""
    if isinstance(value, list) and float in set(map(type, value)):
        return list(map(_whole, value))
    return value


Count = Annotated[int, Field(ge=1, le=MOST_CORES)]
Core = Annotated[int, Field(ge=0, lt=MOST_CORES)]
Wait = Annotated[float, Field(ge=0, le=LONGEST_WAIT_S, allow_inf_nan=False)]


class Strict(BaseModel):
    """Unknown fields and numbers in words are mistakes."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Candidate(Strict):
    """A mapping to be measured."""

    cores_per_layer: Annotated[
        list[Count],
        Field(min_length=1, max_length=MOST_LAYERS),
        FailFast(),
        BeforeValidator(_wholes),
    ]
    placement: Annotated[
        list[Core], Field(min_length=1, max_length=MOST_CORES), FailFast(), BeforeValidator(_wholes)
    ]
    repeat: Annotated[int, Field(ge=0, lt=1 << 31), BeforeValidator(_whole)] = 0
    """Which measurement of this mapping it is. Asking for the same one again measures nothing."""


class EvaluateRequest(Candidate):
    """One mapping."""

    wait_s: Wait = 10.0
    """How long to wait for the result before the answer is ``pending``."""


class BatchRequest(Strict):
    """Several mappings."""

    mappings: Annotated[list[Candidate], Field(min_length=1, max_length=MOST_MAPPINGS), FailFast()]
    wait_s: Wait = 10.0


class Result(BaseModel):
    """What is known of one measurement."""

    mapping: str
    """Digest of the mapping."""
    repeat: int
    state: Literal["done", "pending", "failed", "illegal"]
    """``pending``: ask again. ``failed``: asking again measures again. ``illegal``: do not."""
    step_times_ps: list[int] | None = None
    energy_fj: list[int] | None = None
    """By cause: synaptic operations, neurons, messages, static; null if it was not measured."""
    counted: bool = True
    """Whether it is of a Loihi, whose loads of cores and links follow from the mapping."""
    reason: str | None = None


class BatchResult(BaseModel):
    """What is known of several, in the order they were asked for."""

    results: list[Result]
    settled: int = 0
    """Measurements that the server has ended so far, anybody's: while it grows, waiting helps."""


class ProblemInfo(BaseModel):
    """A stored problem."""

    digest: str
    name: str
    widths: list[int]
    chip: str
    cores: int
    steps: int


class Health(BaseModel):
    """Whether the server is well."""

    status: Literal["ok", "failed"]
    version: str
    backend: str
    repeatable: bool
    """Whether a mapping measured again gives the same."""
    queued: int
    measure_s: float
    """Longest time that a turn may take."""
    reason: str = ""
    """What is wrong, if it has failed."""


class ErrorDetail(BaseModel):
    """Why a request was refused."""

    detail: str
