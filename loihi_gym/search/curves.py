"""`Curves`: a search's latencies and pictures of its best mapping, for TensorBoard.

Written with what `tensorboard` itself ships (no torch). Its own EventFileWriter is not used: it
writes in a thread, and a full disk then shows as that thread's traceback.
"""

import os
import time
from importlib.util import find_spec
from io import BytesIO
from itertools import count
from pathlib import Path
from platform import node
from typing import Any

from .. import drawing
from ..backends import Measurement
from .session import Session
from .storage import writing

PREFIX = "events.out.tfevents."
PICTURES = 4.0
"""The best mapping is drawn again after this many times the evaluations; drawing takes a while."""
_number = count()


class Curves:
    """The TensorBoard log of a search.

    A file that is there already is an interrupted run's, which a kill has left with holes. The
    search logs all of it again and calls `replace` when that is done, which removes the old file; a
    log closed before that removes its own.

    Args:
        out: The run's directory.

    Raises:
        RunError: whenever the file cannot be written.
    """

    def __init__(self, out: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event  # imported here: it takes a while
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary = Event, Summary
        self._before = set(out.glob(f"{PREFIX}*"))
        self._path = out / f"{PREFIX}{int(time.time()):010d}.{node()}.{os.getpid()}.{next(_number)}"
        self._next_picture = 1.0
        with writing(self._path):
            self._records = RecordWriter(self._path.open("xb"))
        self._write(file_version="brain.Event:2")

    def replace(self) -> None:
        """Remove the interrupted run's file: all of it is written again."""
        for left in self._before:
            left.unlink()
        self._before = set()

    def log(self, session: Session, result: Measurement, improved: bool) -> None:
        """Add an evaluation, the session's latest."""
        values = {"latency_us": result.latency_ps * 1e-6}
        if improved:
            values["best/latency_us"] = result.latency_ps * 1e-6
            values["best/reduction"] = session.reduction
            if result.energy_fj is not None:
                values["best/energy_uj"] = result.energy_fj * 1e-9
        for tag, value in values.items():
            self._add(session, tag=tag, simple_value=value)
        if improved and session.evaluations >= self._next_picture:
            self.draw(session)

    def draw(self, session: Session) -> None:
        """Add a picture of the best mapping on the mesh; nothing without matplotlib."""
        if session.best is None or session.best_mapping is None:
            return
        self._next_picture = PICTURES * session.evaluations
        if find_spec("matplotlib") is None:
            return
        from matplotlib.image import imsave

        picture = drawing.picture(
            session.problem, session.best_mapping, session.best, session.reference
        )
        png = BytesIO()
        imsave(png, picture, format="png")
        height, width, colours = picture.shape
        image = self._summary.Image(
            height=height, width=width, colorspace=colours, encoded_image_string=png.getvalue()
        )
        self._add(session, tag="best/mesh", image=image)

    def _add(self, session: Session, **value: Any) -> None:
        summary = self._summary(value=[self._summary.Value(**value)])
        self._write(step=session.evaluations, summary=summary)

    def _write(self, **fields: Any) -> None:
        event = self._event(wall_time=time.time(), **fields)
        with writing(self._path):
            self._records.write(event.SerializeToString())

    def flush(self) -> None:
        """Write what is still buffered."""
        with writing(self._path):
            self._records.flush()

    def close(self) -> None:
        """Close the file."""
        try:
            with writing(self._path):
                self._records.close()
        finally:
            if self._before:
                self._path.unlink()
