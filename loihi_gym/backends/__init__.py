"""Backends: what measures a mapping."""

from collections.abc import Callable
from typing import Any

from ..errors import unknown
from ..mapping import Problem
from .bound import Bound, IncrementalBound
from .measurement import Backend, Bottleneck, EnergyBreakdown, Measurement
from .mesh import MeshBackend
from .noise import Noisy

__all__ = [
    "Backend",
    "Bottleneck",
    "Bound",
    "EnergyBreakdown",
    "IncrementalBound",
    "Measurement",
    "MeshBackend",
    "Noisy",
    "backend_names",
    "make_backend",
]


def _lava(problem: Problem, **options: Any) -> Backend:
    from .lava import LavaBackend

    return LavaBackend(problem, **options)


def _sanafe(problem: Problem) -> Backend:
    from .sanafe import SanafeBackend

    return SanafeBackend(problem)


_BACKENDS: dict[str, Callable[..., Backend]] = {
    "bound": Bound,
    "lava": _lava,
    "mesh": MeshBackend,
    "sanafe": _sanafe,
}


def backend_names() -> list[str]:
    """Names of all backends."""
    return sorted(_BACKENDS)


def make_backend(
    name: str, problem: Problem, noise: float = 0.0, seed: int = 0, **options: Any
) -> Backend:
    """The backend of that name for a problem.

    Args:
        name: One of `backends()`, or addresses of measurement servers with commas between them, as
            ``http://host:port``.
        problem: Whose mappings it measures.
        noise: Relative scatter of the latency, to practise for hardware; see `Noisy`.
        seed: Of the noise.
        options: What that backend takes besides; see `LavaBackend` and, for `token`, `HttpBackend`.

    Raises:
        UnknownNameError: if there is none.
        LoihiGymError: if `noise` is out of range.
    """
    if name.startswith(("http://", "https://")):
        backend = _http(name, problem, **options)
    elif name in _BACKENDS:
        backend = _BACKENDS[name](problem, **options)
    else:
        raise unknown("backend", name, backend_names())
    return backend if noise == 0.0 else Noisy(backend, noise, seed)


def _http(urls: str, problem: Problem, **options: Any) -> Backend:
    from .http import HttpBackend  # which imports httpx, an extra

    return HttpBackend(problem, urls.split(","), **options)
