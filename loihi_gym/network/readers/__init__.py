"""Readers of other tools' networks: netx ``.net``, NIR, PyTorch, and plain ``.npz``."""

from .imported import Imported
from .read import read_network

__all__ = ["Imported", "read_network"]
