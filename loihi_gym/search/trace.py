"""`trace.jsonl`: one line per evaluation, from which a search can be checked and resumed.

A line holds the evaluation's index, the mapping's digest, its step times and latency, and, where
the mapping is the best so far, the mapping itself. Reports are computed from these lines alone.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from ..errors import RunError
from ..mapping import Mapping

NAME = "trace.jsonl"
DIGEST_CHARACTERS = 16
"""Enough of the sha256 to tell the mappings of one search apart."""


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
            found = cls(
                index=int(data["evaluation"]),
                digest=str(data["digest"]),
                step_times_ps=tuple(int(time) for time in data["step_times_ps"]),
                mapping=Mapping(data["cores_per_layer"], data["placement"])
                if "placement" in data
                else None,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no evaluation: {error!r}") from error
        if found.latency_ps != data.get("latency_ps"):
            raise ValueError("latency_ps is not the sum of step_times_ps")
        return found


def short_digest(mapping: Mapping) -> str:
    """What a trace calls a mapping."""
    return mapping.digest[:DIGEST_CHARACTERS]


def read_trace(path: Path, whole: bool = True) -> list[Evaluation]:
    """All whole lines of a trace, none if there is no file; a last line cut off is left out.

    Args:
        path: The file.
        whole: Whether a line must be there for every evaluation, as an archive's are not.

    Raises:
        RunError: if the file cannot be read or a whole line is malformed.
    """
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"trace {path} cannot be read: {error}") from error
    found: list[Evaluation] = []
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            found.append(Evaluation.from_json(line))
            least = found[-2].index + 1 if number > 1 else 1
            if found[-1].index < least or (whole and found[-1].index > least):
                raise ValueError(f"evaluation {found[-1].index} stands where {least} should")
        except ValueError as error:
            raise RunError(f"trace {path}, line {number}: {error}") from error
    return found


def append_to(path: Path) -> TextIO:
    """Open a trace to add lines; a last line that a crash cut off is dropped first.

    Raises:
        RunError: if the file cannot be written.
    """
    try:
        with path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
        return path.open("a", encoding="utf-8")
    except OSError as error:
        raise RunError(f"trace {path} cannot be written: {error.strerror}") from error
