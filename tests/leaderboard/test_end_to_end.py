"""From runs to a board: pack, check, build, reproduce, through the command line."""

import json
import shutil
from pathlib import Path

import pytest

from loihi_gym import make_backend
from loihi_gym.benchmarks.bundled import problem_of
from loihi_gym.cli import main
from loihi_gym.leaderboard.score import score_ppm
from loihi_gym.leaderboard.submission import ABOUT, MAPPINGS, TRACE
from loihi_gym.mapping import Mapping, swap
from loihi_gym.search.trace import NAME, read_trace
from tests.leaderboard.boards import ANNEAL, BEST, BUDGET, GA, SEEDS, TRACK


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs a command in this process, where no board is: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["leaderboard", *map(str, words)])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return call


AUTHOR = ("--author", "Ada Lovelace")


def test_three_commands_make_a_checked_submission(world, run, tmp_path):
    out = tmp_path / "2026-11-25-mine"
    packed = run(
        *("pack", world.runs, "--suite", "tiny-v1", "--track", TRACK, "--solver", "anneal"),
        *(*AUTHOR, "-o", out),
    )
    assert packed[0] == 0
    assert f"next: loihi-gym leaderboard check {out}" in packed[1]
    code, text, _ = run("check", out)
    assert code == 0
    assert "accepted, no board to compare with" in text
    assert text.count("seed 1") == 2


def test_the_runs_of_an_archive_make_the_same_submission(world, run, tmp_path):
    thin = Path(shutil.copytree(world.runs / "anneal", tmp_path / "thin"))
    for trace in thin.rglob(NAME):  # as `loihi-gym archive` leaves them
        lines = read_trace(trace)
        kept = [line for line in lines if line.mapping is not None or line is lines[-1]]
        assert len(kept) < len(lines)
        trace.write_text("".join(line.to_json() + "\n" for line in kept))
    words = ("--suite", "tiny-v1", "--track", TRACK, "--solver", "anneal", *AUTHOR, "-o")
    whole, archived = tmp_path / "2026-11-25-whole", tmp_path / "2026-11-25-archived"
    assert run("pack", world.runs / "anneal", *words, whole)[0] == 0
    assert run("pack", thin, *words, archived)[0] == 0
    for name in (ABOUT, MAPPINGS, TRACE):
        assert (archived / name).read_bytes() == (whole / name).read_bytes()


def test_a_board_is_built_to_the_byte(world, run, tmp_path):
    board = world.board(tmp_path, ANNEAL, GA, BEST)
    assert run("build", "--board", board)[0] == 0
    assert run("build", "--board", board, "--check")[0] == 0
    before = (board / "results" / "tiny-v1.json").read_bytes()
    (board / "results" / "tiny-v1.json").write_bytes(before.replace(b'"wins":2', b'"wins":3'))
    code, _, err = run("build", "--board", board, "--check")
    assert code == 2
    assert "tiny-v1.json is stale: run 'loihi-gym leaderboard build'" in err
    assert run("build", "--board", board)[0] == 0
    assert (board / "results" / "tiny-v1.json").read_bytes() == before
    readme = (board / "README.md").read_text()
    (board / "README.md").write_text(readme.replace("| anneal |", "| myself |"))
    assert "README.md is stale" in run("build", "--board", board, "--check")[2]
    (board / "README.md").write_text(readme)
    (board / "results" / "old-v0.json").write_text("{}")
    assert "move it to previous/" in run("build", "--board", board, "--check")[2]


def test_results_are_what_replaying_gives(world, run, tmp_path):
    board = world.board(tmp_path, ANNEAL, GA, BEST)
    run("build", "--board", board)
    made = json.loads((board / "results" / "tiny-v1.json").read_text())
    rows = made["tracks"][TRACK]["rows"]
    assert [row["rank"] for row in rows] == [1, 2]
    assert rows[0]["score_ppm"] >= rows[1]["score_ppm"]
    assert sum(row["wins"] for row in rows) == len(made["problems"])
    assert made["tracks"][TRACK] | {"rows": []} == {
        "budget": BUDGET,
        "seeds": list(range(SEEDS)),
        "rows": [],
    }
    pairs = []
    for cell in rows[0]["problems"]:
        problem = problem_of(world.suite.entry(cell["name"]))
        backend = make_backend("mesh", problem)
        reference = backend.evaluate(problem.reference_mapping)
        frozen = world.suite.frozen(cell["name"])
        assert reference.latency_ps == frozen.reference_latency_ps
        for one in cell["runs"]:
            measured = backend.evaluate(Mapping(one["cores_per_layer"], one["placement"]))
            assert (measured.latency_ps, measured.energy_fj) == (
                one["latency_ps"],
                one["energy_fj"],
            )
            assert one["curve"][0][0] == 1
            assert one["curve"][-1][1] == one["latency_ps"]
            pairs.append((reference.latency_ps, one["latency_ps"]))
    assert rows[0]["score_ppm"] == score_ppm(pairs)
    low, high = rows[0]["interval_ppm"]
    assert low <= rows[0]["score_ppm"] <= high
    assert rows[0]["status"] == "declared"
    assert made["tracks"]["mapping"]["rows"][0]["status"] == "verified"
    best = {one["name"]: one["best_latency_ps"] for one in made["problems"]}
    for cell in made["tracks"]["mapping"]["rows"][0]["problems"]:
        assert cell["latency_ps"] == best[cell["name"]]
        assert cell["gap_best_ppm"] == 0
        assert cell["gap_bound_ppm"] > 0


def test_a_bundled_solver_is_run_again(world, run, tmp_path):
    board = world.board(tmp_path, ANNEAL, GA)
    folder = board / "submissions" / ANNEAL
    code, out, _ = run("reproduce", folder)
    assert code == 0
    assert "reproduced" in out
    run("build", "--board", board)
    rows = json.loads((board / "results" / "tiny-v1.json").read_text())["tracks"][TRACK]["rows"]
    assert {row["submission"]: row["status"] for row in rows} == {
        ANNEAL: "reproduced",
        GA: "declared",
    }
    code, _, err = run("check", folder)
    assert code == 2
    assert "reproduced.toml: is for the maintainers to add" in err
    (board / "submissions" / GA / "reproduced.toml").write_bytes(
        (folder / "reproduced.toml").read_bytes()
    )
    code, _, err = run("build", "--board", board)
    assert code == 2
    assert "was written for another submission" in err


def test_what_was_not_found_so_is_not_reproduced(world, run, tmp_path):
    folder = world.copy(ANNEAL, tmp_path)
    lines = (folder / "trace.jsonl").read_text().splitlines(keepends=True)
    rows = [json.loads(line) for line in lines]
    later = next(i for i, row in enumerate(rows) if row["evaluation"] > 2)
    rows[later]["evaluation"] -= 1  # a solver that needs one evaluation less, it says
    (folder / "trace.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("check", folder)[0] == 0
    code, _, err = run("reproduce", folder)
    assert code == 2
    assert f"not reproduced: evaluation {rows[later]['evaluation']} is stated where" in err
    assert not (folder / "reproduced.toml").exists()
    assert "no [bundled] solver" in run("reproduce", world.copy(BEST, tmp_path))[2]


def test_a_copy_is_no_submission_of_its_own(world, run, tmp_path):
    board = world.board(tmp_path, BEST)
    copy = world.copy(BEST, tmp_path / "new").rename(tmp_path / "2026-11-26-copy")
    about = (copy / "submission.toml").read_text()
    code, _, err = run("check", copy, "--board", board)
    assert code == 2
    assert f"name 'best of both' is taken by {BEST}" in err
    (copy / "submission.toml").write_text(about.replace('name = "best of both"', 'name = "me"'))
    code, _, err = run("check", copy, "--board", board)
    assert code == 2
    assert f"every mapping is on the board already, the last one by {BEST}" in err
    data = json.loads((copy / "mappings.json").read_text())
    for one in data["mappings"]:  # the cores of the first router, exchanged: the same work
        place = one["placement"]
        one["placement"] = [{0: 1, 1: 0}.get(core, core) for core in place]
    (copy / "mappings.json").write_text(json.dumps(data))
    assert "up to symmetries" in run("check", copy, "--board", board)[2]
    problem = problem_of(world.suite.entry("mlp-xs"))
    first = data["mappings"][0]
    other = swap(Mapping(first["cores_per_layer"], first["placement"]), 0, 5)
    first["placement"] = other.placement.tolist()
    assert problem.check(other) == []
    (copy / "mappings.json").write_text(json.dumps(data))
    assert run("check", copy, "--board", board)[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--track", "solver@9k"), "track 'solver@9k' is none of tiny-v1's: mapping, solver@60"),
        (("--suite", "tiny-v2"), "unknown suite 'tiny-v2'"),
        (("--track", TRACK), "several solvers; choose by --solver: anneal, ga"),
        (("--track", TRACK, "--solver", "greedy"), "no run is of solver greedy"),
        (("-o", "elsewhere"), "must be named YYYY-MM-DD-slug"),
        (("--author", "Ada\u202e"), "U+202E"),
        (("nothing=mapping.json",), "unknown problem 'nothing'"),
        (("--track", TRACK, "mlp-xs=mapping.json", "--solver", "ga"), "not single mappings"),
    ],
)
def test_what_cannot_be_packed_is_named(world, run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    defaults = ("pack", world.runs, "--suite", "tiny-v1", *AUTHOR, "-o", "2026-11-25-a")
    code, _, err = run(*defaults, *words)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_missing_and_unfinished_runs_are_named(world, run, tmp_path):
    some = world.runs / "ga" / "mlp-xs-0"
    words = ("--suite", "tiny-v1", *AUTHOR, "-o", tmp_path / "2026-11-25-a")
    code, _, err = run("pack", some, "--track", TRACK, *words)
    assert code == 2
    assert "3 of 4 runs are missing, the first is mlp-xs, seed 1: loihi-gym solve ga mlp-xs" in err
    assert "tiny-gen: no run and no mapping of it" in run("pack", some, *words)[2]
    half = tmp_path / "half"
    half.mkdir()
    (half / "config.json").write_bytes((some / "config.json").read_bytes())
    assert "half is not finished" in run("pack", half, *words)[2]
    assert "holds no run" in run("pack", tmp_path / "half2", *words)[2]


def test_what_another_solver_has_not_finished_is_no_matter(world, run, tmp_path):
    config = json.loads((world.runs / "ga" / "mlp-xs-0" / "config.json").read_text())
    config["config"]["solver"] = "hillclimb"
    (tmp_path / "config.json").write_text(json.dumps(config))
    words = ("--suite", "tiny-v1", "--track", TRACK, *AUTHOR, "-o", tmp_path / "2026-11-25-a")
    assert run("pack", world.runs, tmp_path, "--solver", "ga", *words)[0] == 0
    assert (
        "is not finished" in run("pack", world.runs, tmp_path, "--solver", "hillclimb", *words)[2]
    )


def test_single_mappings_make_a_submission_of_the_mapping_track(world, run, tmp_path):
    files = [
        f"{name}={world.runs / 'ga' / f'{name}-1' / 'mapping.json'}"
        for name in ("mlp-xs", "tiny-gen")
    ]
    out = tmp_path / "2026-11-25-own"
    code, _, err = run("pack", *files, "--suite", "tiny-v1", *AUTHOR, "-o", out)
    assert (code, err) == (0, "")
    assert run("check", out)[0] == 0
    assert sorted(path.name for path in out.iterdir()) == ["mappings.json", "submission.toml"]
