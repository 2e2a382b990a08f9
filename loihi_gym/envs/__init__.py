"""Gymnasium environments, one module each."""

from .chip_features import CHIP_FEATURES
from .episode import Episode, SaveEpisodes

__all__ = ["CHIP_FEATURES", "Episode", "SaveEpisodes"]
