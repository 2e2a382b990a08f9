"""Readers of other tools' networks: netx ``.net``, NIR, PyTorch, and plain ``.npz``."""

from .imported import Imported
from .read import READERS, read_network

__all__ = ["READERS", "Imported", "read_network"]
