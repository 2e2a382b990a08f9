"""`mesh`: event-driven simulation of the network on chip."""

from .simulation import MeshBackend

__all__ = ["MeshBackend"]
