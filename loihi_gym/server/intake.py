"""The process that reads uploads first: ``python -m loihi_gym.server.intake BYTES``.

Whatever an upload is made to do (unpack, draw, loop) happens here, in bounded memory, under a
clock that the server holds; it is ended if it takes longer. One JSON object per line on stdin, as
``{"path": …, "digest": …}``, one on stdout for each: ``{"reason": …}``, empty if the file is the
problem of that digest.
"""

import json
import sys
from pathlib import Path

from ..errors import LoihiGymError, one_line
from ..mapping.problem_file import problem_from_bytes

ROOM = 4
"""Memory for an upload, as a multiple of what it may unpack to: indices, digest, copies."""


def main() -> None:
    """Answer until stdin ends."""
    limit = int(sys.argv[1])
    _bound_memory(ROOM * limit)
    _reply("")
    for line in sys.stdin:
        request = json.loads(line)
        _reply(refusal(Path(request["path"]), str(request["digest"]), limit))


def refusal(path: Path, digest: str, limit: int) -> str:
    """Why a file is not the problem of a digest; empty if it is.

    Args:
        path: The file.
        digest: Digest it should have.
        limit: Most bytes that its arrays may take.
    """
    try:
        found = problem_from_bytes(path.read_bytes(), "the upload", limit).digest
    except (LoihiGymError, MemoryError) as error:
        return one_line(str(error) or "the upload takes too much memory")
    if found == digest:
        return ""
    return (
        f"the upload has digest {found[:12]}, not {digest[:12]}: client and server may be of "
        "different versions"
    )


def _bound_memory(room: int) -> None:
    """Let this process map so many bytes more than it has, where the system knows such a bound."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return
    import resource

    mapped = int(statm.read_text().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = mapped + room if hard == resource.RLIM_INFINITY else min(mapped + room, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _reply(reason: str) -> None:
    sys.stdout.write(json.dumps({"reason": reason}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
