"""Mappings: what they are, when they are legal, how to make and change them."""

from .heuristics import fitting, heuristic, heuristic_names, random_mapping, random_placement
from .mapping import Mapping
from .moves import full_order, reorder, swap, with_counts
from .problem import Problem
from .problem_file import load_problem, save_problem
from .traffic import Traffic
from .workload import Violation, Workload

__all__ = [
    "Mapping",
    "Problem",
    "Traffic",
    "Violation",
    "Workload",
    "fitting",
    "full_order",
    "heuristic",
    "heuristic_names",
    "load_problem",
    "random_mapping",
    "random_placement",
    "reorder",
    "save_problem",
    "swap",
    "with_counts",
]
