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
class SurrogateUse:
    """What one search has asked of surrogates.

    Attributes:
        calls: Mappings judged, those of the pretraining left out.
        cpu_seconds: CPU time of this process spent on these.
        pretraining: The training before the search, None for none.
    """

    calls: int = 0
    cpu_seconds: float = 0.0
    pretraining: Pretraining | None = None


@dataclass(frozen=True)
class SearchCosts:
    """What one process spent on a search: a line of ``costs.jsonl``.

    Attributes:
        measured: Mappings that the backend measured.
        seconds: Wall time.
        cpu_seconds: CPU time.
        surrogate_calls: Mappings judged by surrogates.
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
        """One line, without its end."""
        return json.dumps(asdict(self))


def read_costs(path: Path) -> list[SearchCosts]:
    """The costs of all processes that worked on a search; none if there is no file.

    Raises:
        RunError: if it cannot be read, or a line is malformed.
    """
    found = []
    for number, line in enumerate(whole_lines(path) if path.exists() else [], 1):
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
