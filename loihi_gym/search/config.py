"""`Config`: what a search is asked to do, checked when it is made."""

from dataclasses import dataclass, field
from reprlib import repr as short
from typing import Any

from ..errors import RunError

MOST_EVALUATIONS = 1_000_000_000
LARGEST_SEED = (1 << 32) - 1
"""The largest that every library which the solvers use takes."""
LARGEST = 1 << 63
LONGEST_TEXT = 4096


@dataclass(frozen=True)
class Config:
    """What a search is asked to do.

    Attributes:
        solver: Name of the solver.
        benchmark: Name of the benchmark, a generator URI, or a problem file.
        budget: Evaluations, at most `MOST_EVALUATIONS`.
        seed: Seed of the solver's chance, at most `LARGEST_SEED`.
        backend: Name or address of the backend.
        options: The solver's own options: bools, numbers and texts.
        seconds: Wall time after which it ends, too; None for no limit.
        count_unique: Whether a mapping asked for again is free.

    Raises:
        RunError: names the value that is no such thing.
    """

    solver: str
    benchmark: str
    budget: int
    seed: int = 0
    backend: str = "mesh"
    options: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    count_unique: bool = False

    def __post_init__(self) -> None:
        for name in ("solver", "benchmark", "backend"):
            _require(name, getattr(self, name), "a name", _is_text)
        _require_whole("budget", self.budget, 1, MOST_EVALUATIONS)
        _require_whole("seed", self.seed, 0, LARGEST_SEED)
        if self.seconds is not None:
            _require("seconds", self.seconds, "a number of 0 or more", _is_time)
        _require("count_unique", self.count_unique, "true or false", lambda one: type(one) is bool)
        _require("options", self.options, "names with values", lambda one: isinstance(one, dict))
        for key, value in self.options.items():
            _require("option", key, "a name", _is_text)
            _require(f"option {key}", value, "a bool, a finite number or a text", _is_option)


def _require(name: str, value: Any, what: str, holds: Any) -> None:
    if not holds(value):
        raise RunError(f"{name} = {short(value)}: must be {what}")


def _require_whole(name: str, value: Any, least: int, most: int) -> None:
    what = f"a whole number from {least} to {most:,}"
    _require(name, value, what, lambda one: type(one) is int and least <= one <= most)


def _is_text(value: Any) -> bool:
    """Whether it can name things: a text, not empty, not endless, without control characters."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        return False
    return all(ord(one) >= 32 and not 127 <= ord(one) < 160 for one in value)


def _is_time(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < LARGEST


def _is_option(value: Any) -> bool:
    if type(value) in (int, float):
        return bool(abs(value) < LARGEST)
    return isinstance(value, bool) or value == "" or _is_text(value)
