"""Measured mappings on disk, one JSON object per line: benchmark, mapping, step times."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CalibrationError
from ..mapping import Mapping

MAX_STEP_PS = 10**15
"""A quarter of an hour: no step takes as long."""
FIELDS = {"benchmark", "cores_per_layer", "placement", "step_times_ps"}


@dataclass(frozen=True)
class DataPoint:
    """One measured mapping.

    Attributes:
        benchmark: Name of the benchmark, or path of a problem file.
        mapping: The mapping that was measured.
        step_times_ps: Time that each recorded step took.
    """

    benchmark: str
    mapping: Mapping
    step_times_ps: tuple[int, ...]

    @property
    def latency_ps(self) -> int:
        """Sum of the step times."""
        return sum(self.step_times_ps)

    def to_json(self) -> str:
        """The measurement as one line of JSON, without its end; `read_measured` reads it."""
        data = {
            "benchmark": self.benchmark,
            "cores_per_layer": self.mapping.cores_per_layer.tolist(),
            "placement": self.mapping.placement.tolist(),
            "step_times_ps": self.step_times_ps,
        }
        return json.dumps(data, separators=(",", ":"))


def append_measured(path: str | Path, measured: Sequence[DataPoint]) -> None:
    """Add measurements to a file.

    Raises:
        CalibrationError: if it cannot be written.
    """
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.writelines(one.to_json() + "\n" for one in measured)
    except (OSError, ValueError) as error:  # a ValueError is a NUL in the path
        raise CalibrationError(f"measurements {path} cannot be written: {error}") from error


def read_measured(path: str | Path) -> list[DataPoint]:
    """All measurements of a file.

    Raises:
        CalibrationError: names the line that is malformed.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:  # no text, or a NUL in the path
        raise CalibrationError(f"measurements {path} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_measured(json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise CalibrationError(f"measurements {path}, line {number}: {error}") from error
    if not found:
        raise CalibrationError(f"measurements {path} holds none")
    return found


def _measured(data: Any) -> DataPoint:
    if not isinstance(data, dict) or not data.keys() >= FIELDS:
        raise ValueError(f"no measurement: it needs {', '.join(sorted(FIELDS))}")
    name, times = data["benchmark"], data["step_times_ps"]
    if not isinstance(name, str):
        raise ValueError("benchmark is not a text")
    if not isinstance(times, list) or not all(
        type(time) is int and 0 < time <= MAX_STEP_PS for time in times
    ):
        raise ValueError(f"step_times_ps are not a list of whole numbers from 1 to {MAX_STEP_PS}")
    return DataPoint(name, Mapping(data["cores_per_layer"], data["placement"]), tuple(times))
