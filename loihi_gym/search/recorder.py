"""`Recorder`: writes down what a session does, and knows what an interrupted run has measured."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from ..backends import Measurement
from ..errors import RunError
from ..mapping import Mapping
from .curves import Curves
from .session import Listener, Session
from .storage import LineFile
from .trace import NAME, Evaluation, read_trace


class Recorder(Listener):
    """Writes a session's trace and TensorBoard curves, and tells how it stands.

    Args:
        out: Existing directory for them; one that holds the trace of an interrupted run is gone on
            with. None writes nothing.
        on_progress: Called after every few evaluations.
    """

    def __init__(
        self, out: Path | None = None, on_progress: Callable[[Session], None] | None = None
    ) -> None:
        self._out = out
        self._on_progress = on_progress
        self._recorded: list[Evaluation] = []
        self._files = ExitStack()
        self._trace: LineFile | None = None
        self._curves: Curves | None = None

    def begun(self, session: Session) -> dict[str, tuple[int, ...]]:
        """Open the files; returns the recorded step times by digest.

        Raises:
            RunError: if the trace is malformed or not of this problem, or a file cannot be written.
        """
        if self._out is None:
            return {}
        self._recorded = read_trace(self._out / NAME)
        steps = len(session.reference.step_times_ps)
        for line in self._recorded:
            if len(line.step_times_ps) != steps:
                raise RunError(
                    f"trace {self._out / NAME}: evaluation {line.index} has "
                    f"{len(line.step_times_ps)} step times, {session.problem.name} has {steps}"
                )
        with ExitStack() as files:
            self._trace = files.enter_context(closing(LineFile(self._out / NAME)))
            self._curves = files.enter_context(closing(Curves(self._out)))
            self._files = files.pop_all()
        return {line.digest: line.step_times_ps for line in self._recorded}

    def counted(
        self, session: Session, mapping: Mapping, digest: str, result: Measurement, improved: bool
    ) -> None:
        """Note one evaluation, or check it against the recorded one.

        Raises:
            RunError: if the recorded one is of another mapping.
        """
        if self._trace is None or self._curves is None:
            return
        index = session.evaluations
        replayed = index <= len(self._recorded)
        if replayed and (recorded := self._recorded[index - 1].digest) != digest:
            raise RunError(
                f"evaluation {index} of the trace is of mapping {recorded}, but the search now "
                f"asks for {digest}: the run was begun with another version"
            )
        self._curves.log(session, result, improved)
        if index >= len(self._recorded):
            self._curves.replace()
        if not replayed:
            kept = mapping if improved else None
            self._trace.add(Evaluation(index, digest, result.step_times_ps, kept).to_json())

    def measured(self, session: Session) -> None:
        """Write what was noted and tell how the search stands."""
        if self._trace is not None and self._curves is not None:
            self._trace.flush()
            self._curves.flush()
        if self._on_progress is not None:
            self._on_progress(session)

    def ended(self, session: Session, whole: bool) -> None:
        """Draw the best mapping of a whole search, and close the files."""
        with self._files:
            if whole and self._curves is not None:
                self._curves.draw(session)
