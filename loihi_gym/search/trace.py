"""`trace.jsonl`: one line per evaluation, from which a search can be checked and resumed.

A line holds the evaluation's index, the mapping's digest, its step times and latency, and, where
the mapping is the best so far, the mapping itself. Reports are computed from these lines alone.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RunError
from ..mapping import Mapping
from .storage import whole_lines

NAME = "trace.jsonl"
DIGEST_CHARACTERS = 16
"""Enough of the sha256 to tell the mappings of one search apart."""
LONGEST_PS = (1 << 63) - 1
"""The longest time that is counted, in ps: measurements are arrays of 64-bit integers."""


@dataclass(frozen=True)
class Evaluation:
    """One line of a trace.

    Attributes:
        index: From 1 on.
        digest: First characters of the mapping's digest.
        step_times_ps: What the backend measured, (T,).
        mapping: The mapping if it was the best so far, else None.
    """

    index: int
    digest: str
    step_times_ps: tuple[int, ...]
    mapping: Mapping | None = None

    @property
    def latency_ps(self) -> int:
        """Sum of the step times."""
        return sum(self.step_times_ps)

    def to_json(self) -> str:
        """One line, without its end."""
        data: dict[str, Any] = {
            "evaluation": self.index,
            "digest": self.digest,
            "latency_ps": self.latency_ps,
            "step_times_ps": self.step_times_ps,
        }
        if self.mapping is not None:
            data["cores_per_layer"] = self.mapping.cores_per_layer.tolist()
            data["placement"] = self.mapping.placement.tolist()
        return json.dumps(data, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> "Evaluation":
        """Read what `to_json` wrote.

        Raises:
            ValueError: if it is malformed.
        """
        data = json.loads(line)
        try:
            mapping = None
            if "placement" in data:
                mapping = Mapping(_numbers(data["cores_per_layer"]), _numbers(data["placement"]))
            (index,) = _numbers([data["evaluation"]])
            found = cls(index, str(data["digest"]), _numbers(data["step_times_ps"]), mapping)
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"no evaluation: {error!r}") from error
        if found.latency_ps != data.get("latency_ps") or found.latency_ps > LONGEST_PS:
            raise ValueError("latency_ps is not the sum of step_times_ps")
        return found


def _numbers(values: list[Any]) -> tuple[int, ...]:
    for value in values:
        if type(value) is not int or not 0 <= value <= LONGEST_PS:
            raise ValueError(f"no evaluation: {str(value)[:40]!r} is no whole number of 0 or more")
    return tuple(values)


def short_digest(mapping: Mapping) -> str:
    """What a trace calls a mapping."""
    return mapping.digest[:DIGEST_CHARACTERS]


def read_trace(path: Path, whole: bool = True) -> list[Evaluation]:
    """The evaluations of a trace, none if there is no file; see `whole_lines`.

    Args:
        path: The file.
        whole: Whether a line must be there for every evaluation, as an archive's are not.

    Raises:
        RunError: if the file cannot be read or a whole line is malformed.
    """
    found: list[Evaluation] = []
    for number, line in enumerate(whole_lines(path), 1):
        try:
            found.append(Evaluation.from_json(line))
            least = found[-2].index + 1 if number > 1 else 1
            if found[-1].index < least or (whole and found[-1].index > least):
                raise ValueError(f"evaluation {found[-1].index} stands where {least} should")
        except (ValueError, RecursionError) as error:
            raise RunError(f"trace {path}, line {number}: {error}") from error
    return found
