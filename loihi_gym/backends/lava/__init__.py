"""Lava: Intel's framework, for its simulation on the CPU and for a Loihi 2.

Lava needs Python 3.10, so it runs in an environment and processes of its own: `home` makes that
environment, ``worker/`` is what runs in it, `client` talks to it.
"""

from .board import HardwareMeasurement, LavaBackend
from .client import LavaWorker
from .doctor import Finding, examine
from .home import install, installed, worker_python
from .jobs import simulate
from .verification import Comparison, compare, verify

__all__ = [
    "Comparison",
    "Finding",
    "HardwareMeasurement",
    "LavaBackend",
    "LavaWorker",
    "compare",
    "examine",
    "install",
    "installed",
    "simulate",
    "verify",
    "worker_python",
]
