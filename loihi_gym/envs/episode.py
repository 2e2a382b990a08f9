"""Saved episodes: every mapping an agent went through, to be replayed or looked into."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium

from ..errors import RunError
from ..files import write_text
from ..mapping import Mapping
from ..mapping.visit import Visit
from .base import LoihiEnv
from .checks import shown, strict

FORMAT = "loihi-gym-episode"
VERSION = 1
HEADER = {"format": str, "version": int, "benchmark": str, "backend": str}
"""Fields of a file's first line."""
VISIT = {"number": int, "step_times_ps": list, "cores_per_layer": list, "placement": list}
"""Fields of every other line."""


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
        lines: list[dict[str, Any]] = [
            dict(zip(HEADER, (FORMAT, VERSION, self.benchmark, self.backend), strict=True))
        ]
        for visit in self.visits:
            lists = visit.mapping.cores_per_layer.tolist(), visit.mapping.placement.tolist()
            values = (visit.number, visit.step_times_ps, *lists)
            lines.append(dict(zip(VISIT, values, strict=True)))
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
            data = _fields(header, HEADER)
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
        times = measured.measurement.step_times_ps
        self._visits.append(Visit(len(self._visits), measured.mapping, times))


def _read_visit(line: str) -> Visit:
    data = _fields(line, VISIT)
    for value in data["step_times_ps"]:
        if type(value) is not int or not 0 <= value < 2**63:
            raise ValueError(f"step_times_ps has {shown(value)}: give whole numbers below 2^63")
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
