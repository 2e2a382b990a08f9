"""Boards that cannot be built, ties, and tables."""

import json
import shutil

import pytest

from loihi_gym.benchmarks.bundled import problem_of
from loihi_gym.errors import BoardError, SubmissionError, SuiteError
from loihi_gym.leaderboard.build import build, generate, require_built
from loihi_gym.leaderboard.check import check, read_board
from loihi_gym.leaderboard.pack import write_submission
from loihi_gym.leaderboard.submission import SubmittedRun, read_submission
from loihi_gym.leaderboard.tables import END, START, with_tables
from loihi_gym.mapping import heuristic
from tests.leaderboard.boards import ANNEAL, BEST, GA, TRACK, about_of

TINY = "results/tiny-v1.json"


def rows_of(board, track="mapping"):
    return json.loads(generate(board)[TINY])["tracks"][track]["rows"]


def add(world, board, name, **heuristics):
    """A submission of the mapping track: of the best mappings, or of heuristics."""
    mappings = read_submission(world.made / BEST).mappings
    for problem, chosen in heuristics.items():
        problem = problem.replace("_", "-")
        mappings[SubmittedRun(problem)] = heuristic(problem_of(world.suite.entry(problem)), chosen)
    about = about_of("mapping", name)
    write_submission(board / "submissions" / f"2026-11-26-{name}", about, mappings)


def test_of_equal_mappings_the_older_submission_wins(world, tmp_path):
    board = world.board(tmp_path, BEST)
    add(world, board, "later", mlp_xs="balanced/strided")
    first, second = rows_of(board)
    assert (first["name"], second["name"]) == ("best of both", "later")
    assert (first["wins"], second["wins"]) == (2, 0)
    assert first["problems"][1]["latency_ps"] == second["problems"][1]["latency_ps"]


def test_rows_are_ranked_by_score_and_tracks_do_not_mix(world, tmp_path):
    board = world.board(tmp_path, ANNEAL, GA, BEST)
    add(world, board, "slow", mlp_xs="lava-default/row-major", tiny_gen="lava-default/row-major")
    rows = rows_of(board)
    assert [row["name"] for row in rows] == ["best of both", "slow"]
    assert rows[1]["score_ppm"] < 10**6
    assert rows[1]["problems"][0]["reduction_ppm"] < 0
    assert rows[1]["interval_ppm"] is rows[1]["auc_ppm"] is None
    assert {row["name"] for row in rows_of(board, TRACK)} == {"anneal", "ga"}


def test_a_board_with_a_copy_or_a_broken_submission_is_not_built(world, tmp_path):
    board = world.board(tmp_path, BEST)
    add(world, board, "copy")
    with pytest.raises(
        BoardError, match=r"2026-11-26-copy, on the board since .*: every mapping is on"
    ):
        build(board)
    assert not (board / "results").exists()
    shutil.rmtree(board / "submissions" / "2026-11-26-copy")
    (board / "submissions" / "readme.txt").write_text("hello")
    with pytest.raises(BoardError, match="must be named YYYY-MM-DD-slug"):
        read_board(board)
    with pytest.raises(BoardError, match="it has no directory submissions"):
        read_board(tmp_path)


def test_a_new_submission_is_compared_with_a_board_that_lies_elsewhere(world, tmp_path):
    board = world.board(tmp_path, ANNEAL)
    with pytest.raises(SubmissionError, match=f"name 'anneal' is taken by {ANNEAL}"):
        check(world.copy(ANNEAL, tmp_path / "new"), board)
    check(board / "submissions" / ANNEAL, board)  # which is not a copy of itself
    check(world.copy(GA, tmp_path / "new"), board)


def test_a_board_of_changed_problems_is_not_built(world, tmp_path, monkeypatch):
    board = world.board(tmp_path, BEST)
    old = world.suite.frozen("tiny-gen").sha256
    text = (world.suites / "tiny-v1.toml").read_text().replace(old, "0" * 64)
    suites = tmp_path / "suite_names"
    suites.mkdir()
    (suites / "tiny-v1.toml").write_text(text)
    monkeypatch.setattr("loihi_gym.leaderboard.build.suite_names", lambda: ["tiny-v1"])
    from loihi_gym.benchmarks import suite

    monkeypatch.setattr(suite, "folder", lambda: suites)
    with pytest.raises(SuiteError, match=r"new suite version needed.*tiny-gen: sha256 is"):
        build(board)
    with pytest.raises(SuiteError, match="new suite version needed"):
        check(world.made / BEST)
    (suites / "tiny-v1.toml").write_text(text.replace("scorer = 1", "scorer = 2"))
    with pytest.raises(SuiteError, match="scorer 2; this version has 1"):
        check(world.made / BEST)


def test_an_empty_board_is_built_and_is_not_stale(world, tmp_path):
    board = world.board(tmp_path)
    assert TINY in build(board)
    require_built(board)
    assert "No submission yet." in (board / "README.md").read_text()
    (board / TINY).unlink()
    with pytest.raises(BoardError, match="is stale"):
        require_built(board)


@pytest.mark.parametrize("text", ["", START, END, f"{END}{START}", f"{START}{END}{START}{END}"])
def test_a_readme_needs_its_markers_once(text):
    with pytest.raises(BoardError, match="needs the markers"):
        with_tables(text, [])


def test_what_stands_around_the_tables_is_kept(world, tmp_path):
    board = world.board(tmp_path, GA)
    (board / "README.md").write_text(f"before\n{START}\nold\n{END}\nafter\n")
    build(board)
    text = (board / "README.md").read_text()
    assert text.startswith(f"before\n{START}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "| 1 | ga | ga |" in text
