"""The solvers that come with loihi_gym, one module each; none of them is imported by it."""

from .policies import load_policy

__all__ = ["load_policy"]
