"""Gymnasium environments, one module each."""

from .episode import Episode, SaveEpisodes
from .problem_source import Family

__all__ = ["Episode", "Family", "SaveEpisodes"]
