"""Tests, in the folders of what they test."""

from loihi_gym.cli import progress

# A busy machine must not make a command say that it is still at work where a test counts lines.
progress.SILENCE_S = 1e6
