"""The browser of the leaderboard's page, for the game's."""

from tests.leaderboard.page.conftest import browser  # noqa: F401
