"""Benchmarks: names for frozen problems."""

from .bundled import Benchmark, benchmark, benchmark_names, load
from .custom import make_problem

__all__ = ["Benchmark", "benchmark", "benchmark_names", "load", "make_problem"]
