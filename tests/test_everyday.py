"""What runs the tests runs what is there: marks, make, the workflows, the lowest versions."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.conftest import MARKED, marks_of

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FLOWS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in (ROOT / ".github" / "workflows").glob("*.yml")
}
JOBS = {(flow, name): job for flow, it in FLOWS.items() for name, job in it["jobs"].items()}
COMMANDS = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]


def named(pattern: str) -> set[str]:
    """What the workflows' commands name in that place."""
    return {match for command in COMMANDS for match in re.findall(pattern, command)}


@pytest.mark.parametrize("place", [place for places in MARKED.values() for place in places])
def test_what_is_marked_is_there(place):
    file, _, test = place.partition("::")
    assert (ROOT / "tests" / file).exists()
    assert not test or f"\ndef {test}" in (ROOT / "tests" / file).read_text()


def test_a_test_is_marked_by_its_place(request):
    assert marks_of("backends/lava/test_verify.py::test_pairs") == ["lava"]
    assert marks_of("mapping/test_moves.py::test_swap") == []
    assert not any(request.node.get_closest_marker(mark) for mark in MARKED)


def test_make_leaves_out_what_is_marked_and_nothing_else():
    (quick,) = re.findall(r"^QUICK := (.*)$", MAKEFILE, re.M)
    assert quick == " and ".join(f"not {mark}" for mark in ("slow", "lava", "browser"))
    assert any(quick in command for command in COMMANDS)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_workflow_may_read_and_no_more(flow):
    assert FLOWS[flow]["permissions"] == {"contents": "read"}
    assert "cancel-in-progress" in FLOWS[flow]["concurrency"]
    assert not re.search(r"secrets\b|github\.token|GITHUB_TOKEN", str(FLOWS[flow]))


@pytest.mark.parametrize("job", JOBS, ids="-".join)
def test_a_job_ends_and_runs_pinned_actions(job):
    # Trusted publishing asks for an identity; that job checks nothing out.
    publishes = job == ("release", "publish")
    assert JOBS[job].get("permissions") == ({"id-token": "write"} if publishes else None)
    assert not publishes or "checkout" not in str(JOBS[job])
    assert 0 < JOBS[job]["timeout-minutes"] <= 90
    for step in JOBS[job]["steps"]:
        if action := step.get("uses"):
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
            assert "checkout" not in action or step["with"]["persist-credentials"] is False
        assert "github." not in step.get("run", "")  # no text of a request gets into a shell


def test_workflows_run_what_is_there():
    targets = named(r"\bmake (\w+)")
    assert targets == {"check", "site", "test"}
    assert all(re.search(rf"^{target}:", MAKEFILE, re.M) for target in targets)
    assert all(
        (ROOT / path).exists() for path in named(r"(?:-c |\s)([\w-]+\.txt|tests/\w+|tools/\S+)")
    )
    extras = {extra for group in named(r"\"\.\[([\w,]+)\]\"") for extra in group.split(",")}
    assert extras <= set(PROJECT["optional-dependencies"])


def test_requests_are_tested_on_all_pythons_and_systems_and_all_is_tested_at_night():
    jobs = FLOWS["tests"]["jobs"]
    declared = {re.search(r":: (3\.\d+)$", line) for line in PROJECT["classifiers"]}
    assert set(jobs["check"]["strategy"]["matrix"]["python"]) == {m[1] for m in declared if m}
    assert jobs["elsewhere"]["strategy"]["matrix"]["os"] == ["macos-latest", "windows-latest"]
    night = {name for name, job in jobs.items() if job["if"] == "github.event_name == 'schedule'"}
    assert night == {"container", "everything", "wheel"}
    assert jobs["wheel"]["strategy"]["matrix"] == jobs["check"]["strategy"]["matrix"]


def test_the_lowest_versions_are_the_declared_ones():
    text = (ROOT / "constraints-lowest.txt").read_text()
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.M))
    extras = PROJECT["optional-dependencies"]
    wanted = PROJECT["dependencies"] + [
        line for extra in ("plot", "compare", "import", "server") for line in extras[extra]
    ]
    minima = dict(m.groups() for line in wanted if (m := re.match(r"([\w-]+)>=([\d.]+)$", line)))
    assert len(minima) >= 15
    for name, version in minima.items():
        assert re.sub(r"(\.0)+$", "", pinned[name]) == re.sub(r"(\.0)+$", "", version), name
