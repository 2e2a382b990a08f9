"""Backends: what measures a mapping. They come by name from the entry points `BACKENDS`."""

from typing import Any

from ..errors import LoihiGymError, UnknownNameError, one_line
from ..mapping import Problem
from ..plugins import PluginGroup, check_options_of
from .bound import Bound, IncrementalBound
from .measurement import Backend, Bottleneck, EnergyBreakdown, Measurement, Placed
from .mesh import MeshBackend
from .noise import Noisy

__all__ = [
    "BACKENDS",
    "Backend",
    "Bottleneck",
    "Bound",
    "EnergyBreakdown",
    "IncrementalBound",
    "Measurement",
    "MeshBackend",
    "Noisy",
    "Placed",
    "backend_names",
    "load_backend",
    "make_backend",
]

BACKENDS = PluginGroup("loihi_gym.backends", "backend")
"""What installed packages declare: each a class or function from a `Problem` to a `Backend`."""
REMOTE = "http"
"""The backend that addresses go to."""


def backend_names() -> list[str]:
    """Names of all installed backends."""
    return BACKENDS.names()


def load_backend(name: str, /, **options: Any) -> Any:
    """The class or function that makes the backend of that name; it takes all these options.

    Raises:
        UnknownNameError: if there is none, or it lacks an option.
        LoihiGymError: if it cannot be imported.
    """
    if "://" not in name and name != REMOTE:
        maker = BACKENDS.load(name)
    elif name != REMOTE or "urls" in options:
        maker = BACKENDS.load(REMOTE)
    else:
        raise UnknownNameError("backend 'http' is chosen by an address: http://HOST:PORT")
    if not callable(maker):
        raise LoihiGymError(f"backend {name!r} is {maker!r}, no class or function that makes one")
    check_options_of(f"backend {one_line(name)!r}", maker, options)
    return maker


def make_backend(
    name: str, problem: Problem, noise: float = 0.0, seed: int = 0, **options: Any
) -> Backend:
    """The backend of that name for a problem.

    Args:
        name: One of `backend_names()`, or addresses of measurement servers with commas between
            them, as ``http://host:port``.
        problem: The problem whose mappings it measures.
        noise: Relative scatter of the latency, to practise for hardware; see `Noisy`.
        seed: Seed of the noise.
        options: What that backend takes besides; see `LavaBackend` and, for `token`, `HttpBackend`.

    Raises:
        UnknownNameError: if there is no such backend, or it has no such option.
        LoihiGymError: if it cannot be imported, does not fit the problem, or `noise` is out of
            range.

    Example:
        >>> import loihi_gym
        >>> problem = loihi_gym.load("mlp-xs")
        >>> measured = make_backend("mesh", problem).evaluate(problem.reference_mapping)
        >>> measured.latency_ps, len(measured.step_times_ps)
        (2691530, 4)
    """
    maker = load_backend(name, **options)
    if "://" in name:
        options = {"urls": name, **options}
    backend: Backend = maker(problem, **options)
    if not callable(getattr(backend, "evaluate_batch", None)):
        raise LoihiGymError(f"backend {name!r} made {backend!r}, which has no evaluate_batch")
    return backend if noise == 0.0 else Noisy(backend, noise, seed)
