"""Mappings: what they are, when they are legal, how to make and change them."""

from .heuristics import heuristic, heuristics, random_mapping
from .mapping import Mapping
from .moves import full_order, reorder, swap, with_counts
from .problem import Problem, Violation
from .traffic import Traffic

__all__ = [
    "Mapping",
    "Problem",
    "Traffic",
    "Violation",
    "full_order",
    "heuristic",
    "heuristics",
    "random_mapping",
    "reorder",
    "swap",
    "with_counts",
]
