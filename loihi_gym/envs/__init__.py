"""Gymnasium environments, one module each."""

from .problems import Family

__all__ = ["Family"]
