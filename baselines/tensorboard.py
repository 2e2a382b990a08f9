"""Scalars for TensorBoard, written with what the `tensorboard` package itself ships (no torch)."""

import time
from pathlib import Path


class ScalarLog:
    """Appends scalars to an event file in a directory."""

    def __init__(self, directory: Path) -> None:
        # The writer that torch.utils.tensorboard uses too; imported here since it takes a while.
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._event, self._summary = Event, Summary
        self._writer = EventFileWriter(str(directory))

    def add(self, tag: str, value: float, step: int) -> None:
        """Write one point of the curve `tag`."""
        summary = self._summary(value=[self._summary.Value(tag=tag, simple_value=value)])
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=summary))

    def close(self) -> None:
        """Write what is still queued and close the file."""
        self._writer.close()
