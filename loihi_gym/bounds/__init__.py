"""What is proven of all mappings of a problem: a lower bound on their latency."""

from .proof import LowerBound, lower_bound

__all__ = ["LowerBound", "lower_bound"]
