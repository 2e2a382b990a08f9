"""Gymnasium environments, one module each."""

from .chip_features import CHIP_FEATURES
from .episode import Episode, SaveEpisodes
from .problem_source import Family

__all__ = ["CHIP_FEATURES", "Episode", "Family", "SaveEpisodes"]
