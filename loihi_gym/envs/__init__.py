"""Gymnasium environments, one module each."""

from .episode import Episode, SaveEpisodes
from .problems import Family

__all__ = ["Episode", "Family", "SaveEpisodes"]
