"""What is played: a problem, where one starts, whom to beat, and where the result goes."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

from ..backends import MeshBackend
from ..errors import one_line
from ..leaderboard.pictures import mapping_picture, mesh_picture
from ..mapping import Mapping, Problem


@dataclass(frozen=True, eq=False)
class Game:
    """A game of one player.

    Attributes:
        problem: Whose mapping is sought.
        start: The mapping that one begins with.
        ghost: The mapping to beat.
        ghost_name: Who found that.
        path: The file that a saved mapping goes to.
    """

    problem: Problem
    start: Mapping
    ghost: Mapping
    ghost_name: str
    path: Path

    @cached_property
    def _backend(self) -> MeshBackend:
        return MeshBackend(self.problem)

    @cached_property
    def _turn(self) -> Lock:
        return Lock()

    def opening(self) -> dict[str, Any]:
        """All that the page needs to begin."""
        reference = self._backend.evaluate(self.problem.reference_mapping)
        return {
            "name": one_line(self.problem.name),
            "chip": one_line(self.problem.chip.name),
            "mesh": mesh_picture(self.problem),
            "reference": self.problem.reference,
            "reference_latency_ps": reference.latency_ps,
            "file": self.path.name,
            "start": self.measured(self.start),
            "ghost": self.measured(self.ghost),
            "ghost_name": self.ghost_name,
        }

    def measured(self, mapping: Mapping) -> dict[str, Any]:
        """A mapping's picture, or why it is none: one of ``picture`` and ``reason``."""
        if violations := self.problem.check(mapping):
            return {"reason": one_line(violations[0])}
        with self._turn:
            found = self._backend.evaluate(mapping)
        return {"picture": mapping_picture(self.problem, mapping, found)}

    def save(self, mapping: Mapping) -> dict[str, Any]:
        """Write a legal mapping to the game's file.

        Raises:
            OSError: if that fails.
        """
        if violations := self.problem.check(mapping):
            return {"reason": one_line(violations[0])}
        mapping.save(self.path)
        return {"file": self.path.name}
