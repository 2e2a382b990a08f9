"""The workflow of requests: what it may do, and its commands, run here as GitHub would."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from loihi_gym.benchmarks import load
from loihi_gym.benchmarks.suite import MAPPING, load_suite
from loihi_gym.leaderboard.build import build
from loihi_gym.leaderboard.pack import write_submission
from loihi_gym.leaderboard.submission import About, SubmittedRun
from tests.leaderboard.test_changes import commit, git
from tests.pythons import fresh_python

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".github/workflows/leaderboard.yml"
FLOW = yaml.safe_load(FILE.read_text(encoding="utf-8"))
TRIGGERS = FLOW[True]  # YAML 1.1 reads the key `on` as a truth value
STEPS = [step for job in FLOW["jobs"].values() for step in job["steps"]]
SUITE = load_suite("sparse-mlp-v1")


def test_it_runs_on_requests_on_what_is_queued_and_at_night_alone():
    assert set(TRIGGERS) == {"pull_request", "merge_group", "schedule"}
    assert TRIGGERS["pull_request"]["paths"] == ["leaderboard/submissions/**"]
    assert len(TRIGGERS["schedule"]) == 1


def test_only_the_base_is_checked_out():
    refs = [step["with"].get("ref") for step in STEPS if "checkout" in step.get("uses", "")]
    assert refs == ["${{ github.event.pull_request.base.sha }}", None, None]


def test_no_text_of_a_request_gets_into_a_shell():
    assert not any("${{" in step["run"] for step in STEPS if "run" in step)
    values = {value for step in STEPS for value in step.get("env", {}).values()}
    event = "${{ github.event.pull_request."
    assert values == {event + "number }}", event + "base.sha }}", event + "head.sha }}"}


def test_every_supported_python_replays_the_board():
    assert FLOW["jobs"]["replay"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


class Runner:
    """A machine of GitHub: a clone of the repository, and the steps of a job run in it."""

    def __init__(self, folder: Path, origin: Path, python: Path) -> None:
        self.clone = folder / "work"
        self._origin, self._temp = origin, folder / "temp"
        self._temp.mkdir(parents=True)
        self._exported = self._temp / "env"
        self._exported.touch()
        self._python = python

    def run(self, job: str, event: dict[str, str], ref: str) -> tuple[str | None, str]:
        """Name of the step that failed, None if none did, and what it printed."""
        git(self._origin.parent, "clone", "-q", str(self._origin), str(self.clone))
        git(self.clone, "checkout", "-q", ref)
        for step in FLOW["jobs"][job]["steps"]:
            if "run" not in step or ("pip install" in step["run"] and self._installed()):
                continue
            done = self._step(step, event)
            if done.returncode != 0:
                return step["name"], done.stdout + done.stderr
        return None, done.stdout

    def _installed(self) -> bool:
        """Whether a run before has installed the base's code, which is the same for all."""
        return self._python.with_name("loihi-gym").exists()

    def _step(
        self, step: dict[str, Any], event: dict[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        exported = dict(line.split("=", 1) for line in self._exported.read_text().splitlines())
        own = {
            name: re.sub(
                r"\$\{\{ github\.event\.pull_request\.(\S+) \}\}", lambda m: event[m[1]], v
            )
            for name, v in step.get("env", {}).items()
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PYTHON"))}
        places = {
            "PATH": f"{self._python.parent}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_ENV": str(self._exported),
            "RUNNER_TEMP": str(self._temp),
        }
        return subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.clone,
            env={**inherited, **places, **exported, **own},
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """A Python of its own that sees what this one has installed, but not this checkout."""
    return fresh_python(tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A repository of this project with an empty, built board on `main`."""
    project = tmp_path_factory.mktemp("project") / "origin"
    project.mkdir()
    ignore = shutil.ignore_patterns("__pycache__", "submissions")
    for name in ("loihi_gym", "baselines", "leaderboard", ".github"):
        shutil.copytree(ROOT / name, project / name, ignore=ignore)
    built = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE")
    for name in (*built, "constraints.txt", ".gitignore"):
        shutil.copy(ROOT / name, project / name)
    (project / "leaderboard/submissions").mkdir()
    (project / "leaderboard/submissions/.gitkeep").touch()
    build(project / "leaderboard")
    git(project, "init", "-q", "-b", "main")
    commit(project)
    return project


@pytest.fixture(scope="module")
def submission(tmp_path_factory) -> Path:
    """Every problem's reference mapping, as somebody would submit it."""
    out = tmp_path_factory.mktemp("submission") / "2026-11-25-reference"
    about = About(
        SUITE.name, MAPPING, "reference", ("Ada Lovelace",), "heuristics", "", "", "CC0-1.0"
    )
    write_submission(out, about, {SubmittedRun(n): load(n).reference_mapping for n in SUITE.names})
    return out


def request(project: Path, number: int, change) -> dict[str, str]:
    """A request with what `change` does to a checkout, as the event that GitHub would send."""
    git(project, "checkout", "-q", "-b", f"request-{number}", "main")
    change(project)
    commit(project)
    git(project, "update-ref", f"refs/pull/{number}/head", "HEAD")
    event = {"number": str(number), "head.sha": git(project, "rev-parse", "HEAD")}
    git(project, "checkout", "-q", "main")
    git(project, "branch", "-q", "-D", f"request-{number}")
    return {**event, "base.sha": git(project, "rev-parse", "main")}


def add(submission: Path, project: Path) -> Path:
    return Path(shutil.copytree(submission, project / "leaderboard/submissions" / submission.name))


def trap(project: Path, marker: Path) -> None:
    """Code in every place where a careless job would run it."""
    code = f"open({str(marker)!r}, 'w').close()\n"
    for name in ("loihi_gym/__init__.py", "sitecustomize.py", "conftest.py", "setup.py"):
        (project / name).write_text(code)


def test_a_good_request_passes(project, submission, python, tmp_path):
    event = request(project, 1, lambda where: add(submission, where))
    runner = Runner(tmp_path, project, python)
    failed, said = runner.run("submission", event, event["base.sha"])
    assert failed is None, said
    page = (tmp_path / "temp/board/site/index.html").read_text(encoding="utf-8")
    assert "2026-11-25-reference" in page


def test_a_request_that_changes_code_fails_and_runs_none_of_it(
    project, submission, python, tmp_path
):
    marker = tmp_path / "ran"

    def change(where: Path) -> None:
        add(submission, where)
        trap(where, marker)

    event = request(project, 2, change)
    failed, said = Runner(tmp_path, project, python).run("submission", event, event["base.sha"])
    assert failed == "One new folder and nothing else"
    assert "it may only add one folder" in said.strip().splitlines()[-1]
    assert not marker.exists()


def test_a_request_with_an_illegal_mapping_fails(project, submission, python, tmp_path):
    def change(where: Path) -> None:
        mappings = add(submission, where) / "mappings.json"
        text = mappings.read_text()
        mappings.write_text(
            re.sub(r'"placement":\[(\d+),\d+', r'"placement":[\1,\1', text, count=1)
        )

    event = request(project, 3, change)
    failed, said = Runner(tmp_path, project, python).run("submission", event, event["base.sha"])
    assert failed == "Check it"
    assert "mlp-xs" in said
    assert "logical cores per core" in said


def test_the_nightly_replay_finds_a_stale_board(project, python, tmp_path):
    failed, said = Runner(tmp_path / "good", project, python).run("replay", {}, "main")
    assert failed is None, said

    def change(where: Path) -> None:
        results = where / "leaderboard/results/sparse-mlp-v2.json"
        results.write_text(results.read_text().replace("mnist", "mnits"))

    event = request(project, 4, change)
    failed, said = Runner(tmp_path / "bad", project, python).run("replay", {}, event["head.sha"])
    assert failed == "Replay every submission"
    assert "is stale" in said


def test_two_requests_that_pass_alone_are_caught_together(project, submission, python, tmp_path):
    """The merge queue's branch has both: the same mappings, under two names."""
    git(project, "checkout", "-q", "-b", "queue", "main")
    for name in ("reference", "second"):
        copy = project / "leaderboard/submissions" / f"2026-11-25-{name}"
        shutil.copytree(submission, copy)
        about = (
            (copy / "submission.toml").read_text().replace('name = "reference"', f'name = "{name}"')
        )
        (copy / "submission.toml").write_text(about)
        commit(project)
    git(project, "checkout", "-q", "main")
    failed, said = Runner(tmp_path, project, python).run("together", {}, "queue")
    assert failed == "Build the board of all that is to be merged"
    assert "2026-11-25-second" in said
    assert "the last one by 2026-11-25-reference" in said
