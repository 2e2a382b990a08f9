"""What is proven of all mappings of a problem: a lower bound on their latency."""

from .proof import LowerBound, known_lower_bound, lower_bound

__all__ = ["LowerBound", "known_lower_bound", "lower_bound"]
