"""Choosing reference mappings."""

from ..backends import make_backend
from ..mapping import Problem, fitting


def quick_reference(problem: Problem) -> str:
    """Name of the standard heuristic that is fastest on `bound`."""
    mappings = fitting(problem)
    measured = make_backend("bound", problem).evaluate_batch(list(mappings.values()))
    latencies = {name: m.latency_ps for name, m in zip(mappings, measured, strict=True)}
    return min(latencies, key=lambda name: latencies[name])
