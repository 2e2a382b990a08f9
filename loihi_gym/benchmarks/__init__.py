"""Benchmarks: names for frozen problems."""

from .bundled import Benchmark, benchmark, benchmarks, load
from .custom import make_problem

__all__ = ["Benchmark", "benchmark", "benchmarks", "load", "make_problem"]
