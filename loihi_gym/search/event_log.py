"""Scalars and pictures for TensorBoard, written with what `tensorboard` itself ships (no torch)."""

import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


class ScalarLog:
    """The event file of a directory.

    One that is there is an interrupted run's, which a kill has left with holes. The search logs
    again what it is given from its trace, and calls `replace` when that is done; a log closed
    before that leaves the old one.
    """

    def __init__(self, directory: Path) -> None:
        # The writer that torch.utils.tensorboard uses too; imported here since it takes a while.
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._event, self._summary = Event, Summary
        self._directory = directory
        self._before = self._files()
        self._writer = EventFileWriter(str(directory))

    def _files(self) -> set[Path]:
        return set(self._directory.glob("events.out.tfevents.*"))

    def replace(self) -> None:
        """Remove what was there before: all of it is written again."""
        for left in self._before:
            left.unlink()
        self._before = set()

    def add(self, tag: str, value: float, step: int) -> None:
        """Write one point of the curve `tag`."""
        self._write(self._summary.Value(tag=tag, simple_value=value), step)

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
        self._write(self._summary.Value(tag=tag, image=image), step)

    def _write(self, value: Any, step: int) -> None:
        summary = self._summary(value=[value])
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=summary))

    def close(self) -> None:
        """Write what is still queued and close the file."""
        self._writer.close()
        if self._before:
            for unfinished in self._files() - self._before:
                unfinished.unlink()
