"""`bound`: the max-affine lower bound on a mapping's step times, whole or swap by swap."""

from .max_affine import Bound, IncrementalBound, MaxAffine, bound

__all__ = ["Bound", "IncrementalBound", "MaxAffine", "bound"]
