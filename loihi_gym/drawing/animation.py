"""Animations of what a search or an agent went through: the mesh, and the latency beside it.

GIF needs the extra ``plot`` (matplotlib, with it Pillow), MP4 ffmpeg besides: the extra ``video``
(imageio-ffmpeg brings one), or one on the path.
"""

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..backends import Measurement
from ..backends.assembly import restored
from ..errors import LoihiGymError
from ..files import write_bytes
from ..mapping import Problem
from ..mapping.visit import Visit
from .mesh_drawing import MeshDrawing

LINGER = 8
"""Frames for which the last one stays."""
Frame = npt.NDArray[np.uint8]


def animate(
    path: Path,
    problem: Problem,
    reference: Measurement,
    shown: Sequence[Visit],
    latencies_ps: Sequence[int],
    fps: int = 4,
) -> None:
    """Write an animation; the file's ending, ``.gif`` or ``.mp4``, decides the format.

    Args:
        path: File to write, whole or not at all.
        problem: What was mapped.
        reference: Measurement of the reference mapping.
        shown: One frame each.
        latencies_ps: Latency of every evaluation, for the curve.
        fps: Frames per second.

    Raises:
        LoihiGymError: if the format is another, what it needs is missing, or `path` cannot be
            written.
    """
    writers = {".gif": _gif, ".mp4": _mp4}
    if path.suffix.lower() not in writers:
        raise LoihiGymError(f"animation {path}: the name must end in .gif or .mp4")
    if not path.absolute().parent.is_dir():
        raise LoihiGymError(f"animation {path}: there is no such directory")
    try:
        writers[path.suffix.lower()](path, frames(problem, reference, shown, latencies_ps), fps)
    except OSError as error:
        raise LoihiGymError(f"animation {path}: {error.strerror or error}") from error


def frames(
    problem: Problem,
    reference: Measurement,
    shown: Sequence[Visit],
    latencies_ps: Sequence[int],
) -> Iterator[Frame]:
    """RGB pictures, (height, width, 3), both even; all with the heat scale of the problem."""
    for visit in shown:
        problem.require(visit.mapping)
    measured = [restored(problem, one.mapping, one.step_times_ps, reference) for one in shown]
    drawing = MeshDrawing(problem, reference, latencies_ps)
    for visit, result in zip(shown, measured, strict=True):
        drawing.draw(visit.mapping, result, max(visit.number, 1))
        pixels = drawing.pixels()
        frame = pixels[: len(pixels) // 2 * 2, : pixels.shape[1] // 2 * 2]
        yield frame
    for _ in range(LINGER):
        yield frame


def thinned(visits: Sequence[Visit], most: int) -> list[Visit]:
    """At most that many of the visits, evenly chosen, first and last included."""
    if len(visits) <= most:
        return list(visits)
    chosen = np.unique(np.linspace(0, len(visits) - 1, most).round().astype(int))
    return [visits[index] for index in chosen.tolist()]


def _gif(path: Path, pictures: Iterator[Frame], fps: int) -> None:
    from PIL import Image

    first, *others = [
        Image.fromarray(picture).quantize(128, dither=Image.Dither.NONE) for picture in pictures
    ]
    data = io.BytesIO()
    first.save(
        data,
        "GIF",
        save_all=True,
        append_images=others,
        duration=1000 // fps,
        loop=0,
        optimize=True,
    )
    write_bytes(path, data.getvalue())


def _mp4(path: Path, pictures: Iterator[Frame], fps: int) -> None:
    program = _ffmpeg()
    first = next(pictures)
    size = f"{first.shape[1]}x{first.shape[0]}"
    with tempfile.TemporaryDirectory(dir=path.absolute().parent) as directory:
        made = Path(directory) / "animation.mp4"
        command = [program, "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        command += ["-s", size, "-r", str(fps), "-i", "-", "-pix_fmt", "yuv420p", str(made)]
        data = b"".join(picture.tobytes() for picture in (first, *pictures))
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().splitlines()
            raise LoihiGymError(f"animation {path}: ffmpeg failed: {(reason or ['?'])[-1]}")
        made.replace(path)


def _ffmpeg() -> str:
    try:
        import imageio_ffmpeg
    except ImportError:
        found = shutil.which("ffmpeg")
        if found is None:
            raise LoihiGymError(
                'mp4 needs ffmpeg: pip install "loihi-gym[video]", or write a .gif'
            ) from None
        return found
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise LoihiGymError(f"mp4 needs ffmpeg: {error}; or write a .gif") from error
