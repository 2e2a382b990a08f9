"""Benchmarks: names for frozen problems."""

from .bundled import Benchmark, benchmark, benchmark_names, load
from .custom import make_problem
from .families import Family, Part, family, family_names

__all__ = [
    "Benchmark",
    "Family",
    "Part",
    "benchmark",
    "benchmark_names",
    "family",
    "family_names",
    "load",
    "make_problem",
]
