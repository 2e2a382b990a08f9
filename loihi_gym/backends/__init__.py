"""Backends: what measures a mapping."""

from collections.abc import Callable

from ..errors import unknown
from ..mapping import Problem
from .bound import Bound, Placed
from .lower_bound import LowerBound, lower_bound
from .measurement import Backend, Bottleneck, EnergyBreakdown, Measurement
from .mesh import MeshBackend

__all__ = [
    "Backend",
    "Bottleneck",
    "Bound",
    "EnergyBreakdown",
    "LowerBound",
    "Measurement",
    "MeshBackend",
    "Placed",
    "backends",
    "lower_bound",
    "make_backend",
]

_BACKENDS: dict[str, Callable[[Problem], Backend]] = {"bound": Bound, "mesh": MeshBackend}


def backends() -> list[str]:
    """Names of all backends."""
    return sorted(_BACKENDS)


def make_backend(name: str, problem: Problem) -> Backend:
    """The backend of that name for a problem.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in _BACKENDS:
        raise unknown("backend", name, backends())
    return _BACKENDS[name](problem)
