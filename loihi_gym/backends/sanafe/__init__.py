"""`sanafe`: a peer simulator, SANA-FE, in a process of its own."""

from .peer import SanafeBackend

__all__ = ["SanafeBackend"]
