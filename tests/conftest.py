"""Which tests are slow, which need what there is once, and which worker runs them."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
MARKED = {
    "lava": ("backends/lava/", "cli/test_lava.py"),
    "browser": ("leaderboard/page/test_browser.py",),
    "slow": (
        "calibration/",
        "comparison/test_compare.py",
        "envs/test_docs.py",
        "leaderboard/test_board.py",
        "leaderboard/test_workflow.py",
        "search/test_own_solver.py",
        "server/test_faults.py",
        "test_package.py",
        "test_readme.py",
    ),
}
"""Folders and files of `tests/` that are marked as a whole; single slow tests are decorated."""


def marks_of(file: str) -> list[str]:
    """Marks that a file's tests have by its place in `tests/`."""
    return [mark for mark, places in MARKED.items() if file.startswith(places)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark, and put what is marked first: no worker is left alone with it at the end."""
    for item in items:
        for mark in marks_of(item.path.relative_to(HERE).as_posix()):
            item.add_marker(mark)
    items.sort(key=lambda item: not any(map(item.get_closest_marker, MARKED)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Give the tests of a file to one worker, and all those that start Lava.

    Lava takes a core and more, and shared memory: two at once fail by their time limits.
    """
    from xdist.scheduler import LoadFileScheduling

    class ByResource(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "lava" if "lava" in marks_of(file.removeprefix("tests/")) else file

    return ByResource(config, log)
