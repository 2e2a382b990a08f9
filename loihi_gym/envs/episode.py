"""Saved episodes: every mapping an agent went through, to be replayed or looked into."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium

from ..backends import Measurement
from ..errors import RunError
from ..files import write_text
from ..mapping import Mapping
from ..mapping.mapping import MAX_CORES
from ..mapping.visit import Visit
from .base import LoihiEnv
from .checks import shown, strict

FORMAT = "loihi-gym-episode"
VERSION = 1
LIMITS = {"cores_per_layer": MAX_CORES, "placement": MAX_CORES, "step_times_ps": 2**63}
"""Lists of whole numbers that a saved visit has, and what these stay below."""


@dataclass(frozen=True)
class Episode:
    """What an agent or a search went through.

    Attributes:
        benchmark: Name of the benchmark.
        backend: Name of the backend that measured.
        visits: Mappings in order.
    """

    benchmark: str
    backend: str
    visits: tuple[Visit, ...]

    def save(self, path: str | Path) -> None:
        """Write JSON lines: a header, then a line per mapping; whole or not at all.

        Raises:
            RunError: if the file cannot be written.
        """
        header = {
            "format": FORMAT,
            "version": VERSION,
            "benchmark": self.benchmark,
            "backend": self.backend,
        }
        lines = [header, *(_visit_data(visit) for visit in self.visits)]
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        try:
            write_text(path, text)
        except OSError as error:
            raise RunError(f"episode {path} cannot be written: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | Path) -> "Episode":
        """Read what `save` wrote.

        Raises:
            RunError: if the file cannot be read or is malformed.
        """
        try:
            header, *lines = Path(path).read_text(encoding="utf-8").splitlines()
            data = _fields(
                header, {"format": str, "version": int, "benchmark": str, "backend": str}
            )
            if data["format"] != FORMAT or data["version"] != VERSION:
                raise ValueError(f'its first line is not "format": "{FORMAT}", version {VERSION}')
            visits = tuple(_read_visit(line) for line in lines)
            if not visits:
                raise ValueError("it has no mappings")
            return cls(data["benchmark"], data["backend"], visits)
        except OSError as error:
            raise RunError(f"episode {path} cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise RunError(f"{path} is not a saved episode: {error}") from error


@strict
class SaveEpisodes(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Writes each episode of an environment to ``episode-0.jsonl``, ``episode-1.jsonl``, ….

    Numbers that are taken are passed over: no file is overwritten.

    Wraps an environment of this package; what `loihi-gym replay FILE -o episode.gif` shows.

    Args:
        env: The environment.
        directory: Existing directory for the files.

    Raises:
        RunError: if there is no such directory, or the environment is none of this package's.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], directory: str | Path) -> None:
        super().__init__(env)
        if not isinstance(env.unwrapped, LoihiEnv):
            raise RunError(f"{env} is not an environment of loihi_gym: it has no mappings to save")
        self._loihi: LoihiEnv = env.unwrapped
        if not isinstance(directory, str | Path) or not Path(directory).is_dir():
            raise RunError(f"{shown(directory)} is not a directory to save episodes in")
        self._directory = Path(directory)
        self._visits: list[Visit] = []
        self._saved = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        result = self.env.reset(seed=seed, options=options)
        self._visits = []
        self._visit()
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action; the episode is written when it ends."""
        result = self.env.step(action)
        self._visit()
        if result[2] or result[3]:
            while (path := self._directory / f"episode-{self._saved}.jsonl").exists():
                self._saved += 1
            problem, backend = self._loihi.problem, self._loihi.backend_name
            Episode(problem.name, backend, tuple(self._visits)).save(path)
        return result

    def _visit(self) -> None:
        measured = self._loihi.state.measured
        measurement: Measurement = measured.measurement
        self._visits.append(Visit(len(self._visits), measured.mapping, measurement.step_times_ps))


def _visit_data(visit: Visit) -> dict[str, Any]:
    return {
        "number": visit.number,
        "step_times_ps": visit.step_times_ps,
        "cores_per_layer": visit.mapping.cores_per_layer.tolist(),
        "placement": visit.mapping.placement.tolist(),
    }


def _read_visit(line: str) -> Visit:
    data = _fields(line, {"number": int, **dict.fromkeys(LIMITS, list)})
    for name, limit in LIMITS.items():
        for value in data[name]:
            if type(value) is not int or not 0 <= value < limit:
                raise ValueError(
                    f"{name} has {shown(value)}: whole numbers below {limit} belong there"
                )
    mapping = Mapping(data["cores_per_layer"], data["placement"])
    return Visit(data["number"], mapping, tuple(data["step_times_ps"]))


def _fields(line: str, kinds: dict[str, type]) -> dict[str, Any]:
    """The fields of a line of JSON, each of its kind."""
    data = json.loads(line)
    if not isinstance(data, dict) or data.keys() != kinds.keys():
        raise ValueError(f"{shown(line)} has not the fields {', '.join(kinds)}")
    for name, kind in kinds.items():
        if type(data[name]) is not kind:
            raise ValueError(f"{name} {shown(data[name])} is no {kind.__name__}")
    return data
