"""Scalars and pictures for TensorBoard, written with what `tensorboard` itself ships (no torch)."""

import os
import time
from io import BytesIO
from itertools import count
from pathlib import Path
from platform import node
from typing import Any

import numpy as np
import numpy.typing as npt

from .storage import writing

PREFIX = "events.out.tfevents."
_number = count()


class EventLog:
    """The event file of a directory.

    A file that is there already is an interrupted run's, which a kill has left with holes. The
    search logs all of it again and calls `replace` when that is done, which removes the old file; a
    log closed before that removes its own.

    Raises:
        RunError: whenever the file cannot be written.
    """

    def __init__(self, directory: Path) -> None:
        # Imported here since it takes a while. TensorBoard's own EventFileWriter is not used: it
        # writes in a thread, and a full disk then shows as that thread's traceback.
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary = Event, Summary
        self._before = set(directory.glob(f"{PREFIX}*"))
        self._path = directory / (
            f"{PREFIX}{int(time.time()):010d}.{node()}.{os.getpid()}.{next(_number)}"
        )
        with writing(self._path):
            self._records = RecordWriter(self._path.open("xb"))
        self._write(file_version="brain.Event:2")

    def replace(self) -> None:
        """Remove the interrupted run's file: all of it is written again."""
        for left in self._before:
            left.unlink()
        self._before = set()

    def add(self, tag: str, value: float, step: int) -> None:
        """Write one point of the curve `tag`."""
        self._write_value(self._summary.Value(tag=tag, simple_value=value), step)

    def add_picture(self, tag: str, picture: npt.NDArray[np.uint8], step: int) -> None:
        """Write an RGB picture, (height, width, 3). Needs matplotlib."""
        from matplotlib.image import imsave

        png = BytesIO()
        imsave(png, picture, format="png")
        image = self._summary.Image(
            height=picture.shape[0],
            width=picture.shape[1],
            colorspace=3,
            encoded_image_string=png.getvalue(),
        )
        self._write_value(self._summary.Value(tag=tag, image=image), step)

    def _write_value(self, value: Any, step: int) -> None:
        self._write(step=step, summary=self._summary(value=[value]))

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
