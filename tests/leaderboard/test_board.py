"""The board of this repository."""

from pathlib import Path

from loihi_gym.leaderboard.build import require_built
from loihi_gym.leaderboard.check import read_board
from loihi_gym.search.registry import is_bundled, solver_names

BOARD = Path(__file__).parents[2] / "leaderboard"


def test_replaying_all_submissions_gives_the_committed_files():
    require_built(BOARD)


def test_every_bundled_solver_is_on_the_board():
    named = {one.about.name for one in read_board(BOARD)}
    ours = {name for name in solver_names() if is_bundled(name)}
    assert named >= ours
