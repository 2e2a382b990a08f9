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
NAME = f"a name: at most {LONGEST_TEXT:,} characters, none of them a control character"


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
        chips: Set of hypotheses that each mapping is measured on, one evaluation for each; None for
            the problem's chip alone.
        aggregate: How `RobustBackend` joins them.

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
    chips: str | None = None
    aggregate: str = "geometric"

    def __post_init__(self) -> None:
        for name in ("solver", "benchmark", "backend"):
            _require(name, getattr(self, name), NAME, _is_text(getattr(self, name)))
        for name, least, most in (("budget", 1, MOST_EVALUATIONS), ("seed", 0, LARGEST_SEED)):
            value, what = getattr(self, name), f"a whole number from {least} to {most:,}"
            _require(name, value, what, type(value) is int and least <= value <= most)
        timed = self.seconds is None or (_is_number(self.seconds) and self.seconds >= 0)
        _require("seconds", self.seconds, "a number of 0 or more", timed)
        unique = self.count_unique
        _require("count_unique", unique, "true or false", type(unique) is bool)
        _require("chips", self.chips, NAME, self.chips is None or _is_text(self.chips))
        _require("aggregate", self.aggregate, NAME, _is_text(self.aggregate))
        _require("options", self.options, "names with values", isinstance(self.options, dict))
        for key, value in self.options.items():
            _require("option", key, NAME, _is_text(key))
            holds = type(value) is bool or value == "" or _is_number(value) or _is_text(value)
            _require(f"option {key}", value, "a bool, a finite number or a text", holds)


def _require(name: str, value: Any, what: str, holds: bool) -> None:
    if not holds:
        raise RunError(f"{name} = {short(value)}: must be {what}")


def _is_text(value: Any) -> bool:
    """Whether it can name things: a text, not empty, not endless, without control characters."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        return False
    return all(ord(one) >= 32 and not 127 <= ord(one) < 160 for one in value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and bool(abs(value) < LARGEST)
