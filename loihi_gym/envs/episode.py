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
from ..mapping.visit import Visit
from .base import LoihiEnv

FORMAT = "loihi-gym-episode"
VERSION = 1


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
            data = json.loads(header)
            if data["format"] != FORMAT or data["version"] != VERSION:
                raise ValueError(f'its first line is not "format": "{FORMAT}", version {VERSION}')
            visits = tuple(_read_visit(json.loads(line)) for line in lines)
            if not visits:
                raise ValueError("it has no mappings")
            return cls(str(data["benchmark"]), str(data["backend"]), visits)
        except OSError as error:
            raise RunError(f"episode {path} cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise RunError(f"{path} is not a saved episode: {error}") from error


class SaveEpisodes(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Writes each episode of an environment to ``episode-0.jsonl``, ``episode-1.jsonl``, ….

    Wraps an environment of this package; what `loihi-gym replay FILE -o episode.gif` shows.

    Args:
        env: The environment.
        directory: Existing directory for the files.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], directory: str | Path) -> None:
        super().__init__(env)
        if not isinstance(env.unwrapped, LoihiEnv):
            raise RunError(f"{env} is not an environment of loihi_gym: it has no mappings to save")
        self._loihi: LoihiEnv = env.unwrapped
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
            name = f"episode-{self._saved}.jsonl"
            problem, backend = self._loihi.problem, self._loihi.backend_name
            Episode(problem.name, backend, tuple(self._visits)).save(self._directory / name)
            self._saved += 1
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


def _read_visit(data: dict[str, Any]) -> Visit:
    return Visit(
        int(data["number"]),
        Mapping(data["cores_per_layer"], data["placement"]),
        tuple(int(time) for time in data["step_times_ps"]),
    )
