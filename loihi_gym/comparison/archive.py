"""A comparison in one small file: of every run what its report needs, to publish beside it.

That is the settings, the costs, and of the trace the evaluations that improved, with their
mappings, and the last one. A report made of it is the report of the whole runs, and every figure
can be measured again; what was no improvement is left out, so a run cannot be replayed from it.
"""

import lzma
import tarfile
from io import BytesIO
from pathlib import Path

from ..errors import RunError
from ..files import write_bytes
from ..search.run import CONFIG, COSTS, RESULT
from ..search.storage import reading, writing
from ..search.trace import NAME, read_trace
from .plan import LEFT_OUT, PLAN, Plan
from .results import BOUNDS


def write_archive(made: Plan, out: Path, path: Path) -> int:
    """Write the finished runs of a comparison in `out` to `path`, a ``.tar.xz``; how many they are.

    Equal runs give equal bytes.

    Raises:
        RunError: if no run is finished, a file is missing or malformed, or `path` is not writable.
    """
    finished = [task for task in made.tasks if task.done]
    if not finished:
        raise RunError(f"{out} holds no finished run")
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for top in (PLAN, BOUNDS):
            if (out / top).exists():
                _add(tar, top, _bytes(out / top))
        for task in finished:
            run = task.out.relative_to(out)
            for name in (CONFIG, LEFT_OUT) if task.left_out else (CONFIG, COSTS, RESULT):
                _add(tar, f"{run}/{name}", _bytes(task.out / name))
            if not task.left_out:
                _add(tar, f"{run}/{NAME}", _improvements(task.out / NAME))
    with writing(path):
        write_bytes(path, lzma.compress(packed.getvalue(), preset=9))
    return len(finished)


def _bytes(path: Path) -> bytes:
    with reading(path):
        return path.read_bytes()


def _improvements(path: Path) -> bytes:
    """The lines of a trace that improved, and its last one."""
    lines = read_trace(path, whole=False)
    kept = [line for line in lines if line.mapping is not None or line is lines[-1]]
    return "".join(line.to_json() + "\n" for line in kept).encode()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    tar.addfile(entry, BytesIO(data))
