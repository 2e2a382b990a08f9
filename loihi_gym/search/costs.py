"""What a search costs: time, and judgements of mappings without the backend, beside its budget."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import RunError
from .storage import whole_lines


@dataclass(frozen=True)
class Pretraining:
    """The cost of training a policy that a search begins with.

    Attributes:
        policy: Digest of its weights: searches that share a policy share this cost.
        calls: Mappings judged to train it.
        cpu_seconds: CPU time of the training.
    """

    policy: str
    calls: int
    cpu_seconds: float

    def __post_init__(self) -> None:
        _require_amounts(self.calls, self.cpu_seconds)
        if not isinstance(self.policy, str):
            raise TypeError("policy is no text")


@dataclass
class SearchCosts:
    """What one process spends on a search: a line of ``costs.jsonl``.

    Attributes:
        measured: Mappings that the backend measured, the reference left out.
        seconds: Wall time, 0 until the search ends.
        cpu_seconds: CPU time, 0 until the search ends.
        surrogate_calls: Mappings judged by surrogates, those of the pretraining left out.
        surrogate_cpu_seconds: CPU time of that.
        pretraining: The training before the search, None for none.
    """

    measured: int
    seconds: float
    cpu_seconds: float
    surrogate_calls: int
    surrogate_cpu_seconds: float
    pretraining: Pretraining | None = None

    def __post_init__(self) -> None:
        _require_amounts(self.measured, self.seconds, self.cpu_seconds)
        _require_amounts(self.surrogate_calls, self.surrogate_cpu_seconds)

    def to_json(self) -> str:
        """One line, without its end, its times in whole milliseconds."""
        times = ("seconds", "cpu_seconds", "surrogate_cpu_seconds")
        return json.dumps(asdict(self) | {name: round(getattr(self, name), 3) for name in times})


def read_costs(path: Path) -> list[SearchCosts]:
    """The costs of all processes that worked on a search; none if there is no file.

    Raises:
        RunError: if it cannot be read, or a line is malformed.
    """
    found = []
    for number, line in enumerate(whole_lines(path), 1):
        try:
            data = json.loads(line)
            trained = data.pop("pretraining", None)
            found.append(SearchCosts(**data, pretraining=trained and Pretraining(**trained)))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise RunError(f"{path}, line {number} holds no costs: {error}") from error
    return found


def _require_amounts(*values: Any) -> None:
    for value in values:
        if type(value) not in (int, float) or not 0 <= value < 1 << 63:
            raise ValueError(f"{str(value)[:40]!r} is no number of 0 or more")
