"""loihi_gym: mapping sparse neural networks onto Intel's Loihi 2, as Gymnasium environments.

Importing the package registers its environments with Gymnasium. All else is imported when it is
first asked for, so that the command line answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .registering import register

if TYPE_CHECKING:
    from .backends import Measurement, backend_names, make_backend
    from .benchmarks import benchmark_names, family, family_names, load, make_problem
    from .chip import ChipSpec, chip_names, load_chip
    from .errors import LoihiGymError
    from .mapping import Mapping, Problem, Violation, heuristic, heuristic_names
    from .network import SparseMLP
    from .search import Outcome, solve

__all__ = [
    "ChipSpec",
    "LoihiGymError",
    "Mapping",
    "Measurement",
    "Outcome",
    "Problem",
    "SparseMLP",
    "Violation",
    "backend_names",
    "benchmark_names",
    "chip_names",
    "family",
    "family_names",
    "heuristic",
    "heuristic_names",
    "load",
    "load_chip",
    "make_backend",
    "make_problem",
    "solve",
]

__version__ = "0.1.0"

_ROOMS = ("backends", "benchmarks", "chip", "envs", "errors", "mapping", "network", "search")

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """A name of `__all__`, or a subpackage, at its first use."""
        if name in _ROOMS:
            return import_module(f".{name}", __name__)
        for room in _ROOMS if name in __all__ else ():
            module = import_module(f".{room}", __name__)
            if name in getattr(module, "__all__", vars(module)):
                return globals().setdefault(name, getattr(module, name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_ROOMS})


register()
