"""loihi_gym: mapping sparse neural networks onto Intel's Loihi 2, as Gymnasium environments.

Importing the package registers its environments with Gymnasium.
"""

from .backends import Measurement, backend_names, make_backend
from .benchmarks import benchmark_names, load, make_problem
from .chip import ChipSpec, chip_names, load_chip
from .envs.registration import register
from .errors import LoihiGymError
from .mapping import Mapping, Problem, Violation, heuristic, heuristic_names
from .network import SparseMLP

__all__ = [
    "ChipSpec",
    "LoihiGymError",
    "Mapping",
    "Measurement",
    "Problem",
    "SparseMLP",
    "Violation",
    "backend_names",
    "benchmark_names",
    "chip_names",
    "heuristic",
    "heuristic_names",
    "load",
    "load_chip",
    "make_backend",
    "make_problem",
]

__version__ = "0.1.0"

register()
