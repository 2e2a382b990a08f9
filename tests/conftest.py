"""Which tests are slow, which need what there is once, and which worker runs them."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
MARKED = {
    "lava": ("backends/lava/", "cli/test_lava.py"),
    "browser": (
        "leaderboard/page/test_browser.py",
        "play/test_browser.py",
        "site/test_site.py::test_in_a_browser",
    ),
    "slow": (
        "backends/test_own_backend.py",
        "baselines/test_agents.py",
        "baselines/test_nevergrad_search.py",
        "baselines/test_map_search.py::test_each_heat_gives",
        "baselines/test_recipes.py",
        "baselines/test_refine_pretraining.py::test_a_killed_training",
        "baselines/test_zero_shot.py::test_one_evaluation_beats",
        "baselines/test_solvers.py::test_a_killed_run_goes_on",
        "baselines/test_solvers.py::test_a_larger_mesh_is_never_worse",
        "baselines/test_solvers.py::test_a_stochastic_solver_finds_the_optimum",
        "baselines/test_solvers.py::test_search_beats_chance",
        "benchmarks/test_suite.py::test_a_manifest_states",
        "bounds/test_proof.py::test_no_mapping_is_faster_however",
        "calibration/",
        "cli/test_docs_of_learning.py",
        "cli/test_play.py::test_it_searches_a_ghost",
        "comparison/test_compare.py",
        "comparison/test_left_out.py",
        "envs/test_chips.py",
        "envs/test_base.py::test_memory_does_not_grow",
        "envs/test_docs.py",
        "leaderboard/page/test_page.py",
        "leaderboard/test_board.py",
        "leaderboard/test_fuzz.py",
        "leaderboard/test_hostile.py::test_none_takes_much_memory",
        "leaderboard/test_workflow.py",
        "network/readers/test_containers.py::test_a_small_cnn",
        "network/readers/test_lowering.py",
        "network/readers/test_torch_sequential.py",
        "search/test_own_solver.py",
        "search/test_run.py::test_a_killed_run_resumes",
        "server/test_bounds.py",
        "server/test_faults.py",
        "server/test_load.py",
        "site/test_site.py",
        "test_notebooks.py::test_a_notebook_runs",
        "test_package.py",
        "test_readme.py",
        "test_sb3.py",
    ),
}
"""Folders, files and single tests of `tests/`, as the ids of their tests begin."""


def marks_of(test: str) -> list[str]:
    """Marks of a test by its id in `tests/`."""
    return [mark for mark, places in MARKED.items() if test.startswith(places)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark, and put what is marked first: no worker is left alone with it at the end."""
    for item in items:
        file = item.path.relative_to(HERE).as_posix()
        for mark in marks_of(f"{file}::{item.name}"):
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
