"""A small suite, real runs on it, and the submissions made of them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from loihi_gym.benchmarks.freeze import freeze, manifest
from loihi_gym.benchmarks.suite import MAPPING, Suite, read_suite
from loihi_gym.comparison.plan import contender
from loihi_gym.leaderboard import pack
from loihi_gym.leaderboard.submission import About
from loihi_gym.search.run import Config, search

TRACK, BUDGET, SEEDS = "solver@60", 60, 2
TINY = f"""
description = "Two small problems"
backend = "mesh"
[seeds]
{BUDGET} = {SEEDS}
[tracks]
"{TRACK}" = {{budget = {BUDGET}, seeds = {SEEDS}}}
[[problems]]
name = "mlp-xs"
[[problems]]
name = "tiny-gen"
uri = "generator://mlp?layers=2&width=256&inputs=64&density=0.8&chip=loihi2-16&seed=3"
"""
README = Path(__file__).parents[2] / "leaderboard" / "README.md"


@dataclass(frozen=True)
class World:
    """Where the tests' suite, runs and submissions are.

    Attributes:
        suites: Directory of manifests.
        runs: Directory of runs, by solver.
        made: Directory of one submission for each of `SUBMISSIONS`.
    """

    suites: Path
    runs: Path
    made: Path

    @property
    def suite(self) -> Suite:
        return read_suite(self.suites / "tiny-v1.toml")

    def copy(self, name: str, to: Path) -> Path:
        """A submission of one's own to spoil."""
        return Path(shutil.copytree(self.made / name, to / name))

    def board(self, to: Path, *names: str) -> Path:
        """A board with these submissions."""
        board = to / "leaderboard"
        (board / "submissions").mkdir(parents=True)
        shutil.copy(README, board / "README.md")
        for name in names:
            self.copy(name, board / "submissions")
        return board


ANNEAL, GA, BEST = "2026-11-25-anneal", "2026-11-25-ga", "2026-11-25-best"


def make_suites(folder: Path) -> None:
    folder.mkdir()
    path = folder / "tiny-v1.toml"
    path.write_text(TINY)
    path.write_text(manifest(freeze(read_suite(path))))


def make_runs(folder: Path) -> None:
    for solver in ("anneal", "ga"):
        for problem in ("mlp-xs", "tiny-gen"):
            for seed in range(SEEDS):
                search(Config(solver, problem, BUDGET, seed), folder / solver / f"{problem}-{seed}")


def make_submissions(world: World) -> None:
    suite = world.suite
    for name, solver in ((ANNEAL, "anneal"), (GA, "ga")):
        runs, chosen = pack.find_runs([world.runs / solver]), contender(solver)
        traces = pack.traces(runs, chosen, suite, TRACK)
        mappings = {run: steps[-1].mapping for run, steps in traces.items()}
        about = about_of(TRACK, solver, bundled=pack.bundled(chosen))
        pack.write_submission(world.made / name, about, mappings, traces)
    runs = pack.find_runs([world.runs])
    mappings = pack.best_mappings(runs, {}, suite)
    pack.write_submission(world.made / BEST, about_of(MAPPING, "best of both"), mappings)


def about_of(track: str, name: str, **more: object) -> About:
    fields = {
        "suite": "tiny-v1",
        "track": track,
        "name": name,
        "authors": ("Ada Lovelace", "Émilie du Châtelet"),
        "solver": name,
        "code_url": "https://example.org/solvers",
        "code_commit": "0123abc",
        "licence": "CC0-1.0",
    }
    return About(**(fields | more))
