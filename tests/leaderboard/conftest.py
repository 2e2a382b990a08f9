import pytest

from loihi_gym.benchmarks import suite
from tests.leaderboard.boards import World, make_runs, make_submissions, make_suites


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The world, made once."""
    root = tmp_path_factory.mktemp("world")
    world = World(root / "suites", root / "runs", root / "made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(suite, "folder", lambda: world.suites)
        make_suites(world.suites)
        make_runs(world.runs)
        make_submissions(world)
    return world


@pytest.fixture
def world(built, monkeypatch):
    """A package whose only suite is the tests' own, with runs and submissions on it."""
    monkeypatch.setattr(suite, "folder", lambda: built.suites)
    monkeypatch.setattr("loihi_gym.cli.leaderboard.folder", lambda: built.suites)
    return built
