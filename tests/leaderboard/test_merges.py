"""Dates and order come from the merge, whatever a folder is called."""

import json
import os

import pytest

from loihi_gym.errors import BoardError, SubmissionError
from loihi_gym.leaderboard.build import build, generate, require_built
from loihi_gym.leaderboard.check import check, read_board
from loihi_gym.leaderboard.merges import MERGED, completed, merges_text, read_merges
from tests.leaderboard.boards import ANNEAL, BEST, GA
from tests.leaderboard.test_changes import commit, git


def test_what_is_written_is_read(tmp_path):
    merges = {"b": "2026-11-26", "a": "2026-11-27"}
    (tmp_path / MERGED).write_text(merges_text(merges))
    assert list(read_merges(tmp_path).items()) == list(merges.items())
    assert read_merges(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("line", ["a", "2026-13-01 a", "2026-11-25 ", "2026-11-25 b\n2026-11-25 b"])
def test_a_malformed_line_is_named(tmp_path, line):
    (tmp_path / MERGED).write_text(f"2026-11-25 z\n{line}\n")
    with pytest.raises(BoardError, match=r"merged\.txt, line [23]: it takes YYYY-MM-DD FOLDER"):
        read_merges(tmp_path)


def test_what_is_known_stays_and_what_is_gone_goes(tmp_path):
    found = completed({"b": "2026-11-26", "gone": "2026-11-01"}, tmp_path, ["a", "b"])
    assert list(found) == ["b", "a"]
    assert found["b"] == "2026-11-26"


def merge(repository, name: str, day: str) -> None:
    """A request, written long before, that is merged on a day."""
    git(repository, "checkout", "-q", "-b", "request", "main")
    folder = repository / "leaderboard/submissions" / name
    folder.mkdir(parents=True)
    (folder / "submission.toml").write_text("x")
    commit(repository)
    git(repository, "checkout", "-q", "main")
    os.environ["GIT_COMMITTER_DATE"] = f"{day}T23:30:00-0200"  # the next day, in UTC
    try:
        git(repository, "merge", "-q", "--no-ff", "-m", "merge", "request")
    finally:
        del os.environ["GIT_COMMITTER_DATE"]
    git(repository, "branch", "-q", "-D", "request")


def test_new_folders_take_the_days_and_the_order_of_gits_main_line(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    merge(tmp_path, "2026-11-28-original", "2026-12-01")
    merge(tmp_path, "2026-11-25-backdated", "2026-12-04")
    folders = tmp_path / "leaderboard/submissions"
    (folders / "2026-11-25-a-new").mkdir()
    found = completed({}, folders, [path.name for path in folders.iterdir()])
    assert list(found) == ["2026-11-28-original", "2026-11-25-backdated", "2026-11-25-a-new"]
    assert list(found.values())[:2] == ["2026-12-02", "2026-12-05"]


def test_a_backdated_folder_outranks_nobody(world, tmp_path):
    board = world.board(tmp_path, GA, ANNEAL, BEST)
    (board / MERGED).write_text(f"2026-11-26 {GA}\n2026-11-27 {ANNEAL}\n2026-11-28 {BEST}\n")
    assert [one.folder for one in read_board(board)] == [GA, ANNEAL, BEST]
    rows = json.loads(generate(board)["results/tiny-v1.json"])["tracks"]
    assert rows["mapping"]["rows"][0]["date"] == "2026-11-28"
    build(board)
    require_built(board)
    (board / MERGED).write_text("")
    with pytest.raises(BoardError, match="is stale"):
        require_built(board)


@pytest.mark.parametrize("day", ["0001-01-01", "2026-11-24", "9999-12-31", "2999-01-01"])
def test_a_new_folder_is_named_after_a_day_of_the_board(world, tmp_path, day):
    folder = world.copy(BEST, tmp_path).rename(tmp_path / f"{day}-mine")
    with pytest.raises(SubmissionError, match="name it after the day of your request"):
        check(folder)
