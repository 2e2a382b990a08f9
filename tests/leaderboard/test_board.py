"""The boards of this repository: today's, and that of version 1."""

from pathlib import Path

import pytest

from loihi_gym.leaderboard.build import require_built
from loihi_gym.leaderboard.check import read_board
from loihi_gym.search.registry import is_bundled, solver_names

BOARD = Path(__file__).parents[2] / "leaderboard"
FIRST = BOARD / "previous/v1"

NEWER = {"refine", "refine-ppo", "zero-shot", "random-walk", "nevergrad"}
"""Bundled solvers that came after the first release's board was closed."""


@pytest.mark.parametrize("board", [BOARD, FIRST], ids=["today", "v1"])
def test_replaying_all_submissions_gives_the_committed_files(board):
    require_built(board)


def test_every_solver_of_the_first_release_is_on_the_board_of_version_1():
    named = {one.about.name for one in read_board(FIRST)}
    ours = {name for name in solver_names() if is_bundled(name)}
    assert named >= ours - NEWER
