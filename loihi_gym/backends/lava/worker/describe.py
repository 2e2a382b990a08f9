"""What this environment has: versions, the closed parts, SLURM and boards."""

import importlib.metadata
import platform
from typing import Any

from lava.utils import loihi, slurm


def describe() -> dict[str, Any]:
    """A dict that can be written as JSON."""
    return {
        "python": platform.python_version(),
        "lava_nc": _version("lava-nc"),
        "numpy": _version("numpy"),
        "lava_loihi": loihi.is_installed(),
        "slurm": _slurm(),
        "boards": _boards(),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _boards() -> list[list[str]]:
    """[name, partition, state] of each board that SLURM lists.

    Not with Lava's get_boards: it fails on sinfo's last, empty line (lava-nc/lava issue 753).
    """
    if not _slurm():
        return []
    rows = [line.split() for line in slurm.try_run_command(["sinfo", "-N"])[1:]]
    return [[row[0], row[2], row[3]] for row in rows if len(row) >= 4]


def _slurm() -> bool:
    try:
        return slurm.is_available()
    except OSError:  # there is no program called sinfo
        return False
