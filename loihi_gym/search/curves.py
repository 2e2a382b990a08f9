"""`Curves`: a search's latencies and pictures of its best mapping, for TensorBoard."""

from importlib.util import find_spec
from pathlib import Path

from .. import drawing
from ..backends import Measurement
from .event_log import EventLog
from .session import Session

PICTURES = 4.0
"""The best mapping is drawn again after this many times the evaluations; drawing takes a while."""


class Curves(EventLog):
    """The TensorBoard log of a search.

    Args:
        out: The run's directory.
    """

    def __init__(self, out: Path) -> None:
        super().__init__(out)
        self._next_picture = 1.0

    def log(self, session: Session, result: Measurement, improved: bool) -> None:
        """Add an evaluation, the session's latest."""
        at = session.evaluations
        self.add("latency_us", result.latency_ps * 1e-6, at)
        if improved:
            self.add("best/latency_us", result.latency_ps * 1e-6, at)
            self.add("best/reduction", session.reduction, at)
            if result.energy_fj is not None:
                self.add("best/energy_uj", result.energy_fj * 1e-9, at)
            if at >= self._next_picture:
                self.draw(session)

    def draw(self, session: Session) -> None:
        """Add a picture of the best mapping on the mesh; nothing without matplotlib."""
        if session.best is None or session.best_mapping is None:
            return
        self._next_picture = PICTURES * session.evaluations
        if find_spec("matplotlib") is None:
            return
        picture = drawing.picture(
            session.problem, session.best_mapping, session.best, session.reference
        )
        self.add_picture("best/mesh", picture, session.evaluations)
