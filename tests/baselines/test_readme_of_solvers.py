"""baselines/README.md says what there is, and its table is the report's."""

import re
from pathlib import Path

from loihi_gym.search.registry import is_bundled, solver_names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "baselines" / "README.md").read_text(encoding="utf-8")


def test_every_solver_and_every_module_is_in_the_table():
    table = PAGE.split("| solver |")[1].split("\n\n")[0]
    assert {name for name in solver_names() if is_bundled(name)} <= set(
        re.findall(r"`(.*?)`", table)
    )
    modules = (ROOT / "baselines" / "loihi_gym_baselines").glob("[!_]*.py")
    assert all(f"`{module.stem}`" in PAGE for module in modules)


def test_the_results_are_those_of_the_report():
    report = (ROOT / "docs" / "comparison" / "report.md").read_text(encoding="utf-8")
    rows = report.split("## Over all problems")[1].split("##")[0]
    expected = [line for line in rows.splitlines() if line.startswith("|")]
    assert "\n".join(expected) in PAGE
