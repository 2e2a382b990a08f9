"""loihi_gym: mapping sparse neural networks onto Intel's Loihi 2, as Gymnasium environments.

Importing the package registers its environments with Gymnasium.
"""

from .backends import Measurement, backends, make_backend
from .benchmarks import benchmarks, load, make_problem
from .chip import ChipSpec, chips, load_chip
from .envs.registration import register
from .errors import LoihiGymError
from .mapping import Mapping, Problem, Violation, heuristic, heuristics
from .network import SparseMLP

__all__ = [
    "ChipSpec",
    "LoihiGymError",
    "Mapping",
    "Measurement",
    "Problem",
    "SparseMLP",
    "Violation",
    "backends",
    "benchmarks",
    "chips",
    "heuristic",
    "heuristics",
    "load",
    "load_chip",
    "make_backend",
    "make_problem",
]

__version__ = "0.1.0"

register()
