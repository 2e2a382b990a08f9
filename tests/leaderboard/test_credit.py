"""First place cannot be copied: near-copies are traced, marked, and count by what they improve."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.benchmarks.bundled import problem_of
from loihi_gym.cli import main
from loihi_gym.leaderboard.build import build, generate
from loihi_gym.leaderboard.check import check
from loihi_gym.leaderboard.credit import Credit, Public
from loihi_gym.leaderboard.merges import MERGED
from loihi_gym.leaderboard.pack import write_submission
from loihi_gym.leaderboard.ranking import _ranked
from loihi_gym.leaderboard.replayer import Played, Replayer
from loihi_gym.leaderboard.submission import read_submission
from loihi_gym.leaderboard.symmetry import elsewhere, picture, symmetries
from loihi_gym.mapping import Mapping, swap
from tests.leaderboard.boards import ANNEAL, BEST, TRACK, about_of
from tests.leaderboard.test_symmetry import moved
from tests.toys import examples, spread_mapping, toy_chip, toy_problem

COPY = "2026-11-26-copy"


def copied(world, rng, swaps: int = 1):
    """Somebody's mappings, with cores exchanged inside routers and so many swaps."""
    found = {}
    for run, mapping in read_submission(world.made / BEST).mappings.items():
        problem = problem_of(world.suite.entry(run.problem))
        for _ in range(swaps):
            while True:
                other = swap(mapping, *rng.choice(len(mapping.placement), 2, replace=False))
                if not problem.check(other):
                    break
            mapping = other
        found[run] = moved(problem, mapping, symmetries(problem.topology)[-1], rng)
    return found


def board_with(world, tmp_path, mappings, **about):
    board = world.board(tmp_path, BEST)
    fields = {"authors": ("A Copier",)} | about
    write_submission(board / "submissions" / COPY, about_of("mapping", "mine", **fields), mappings)
    (board / MERGED).write_text(f"2026-11-25 {BEST}\n2026-11-26 {COPY}\n")
    return board


def rows_of(board):
    return json.loads(generate(board)["results/tiny-v1.json"])["tracks"]["mapping"]["rows"]


@pytest.mark.parametrize("seed", range(3))
def test_a_near_copy_is_derived_and_worth_its_improvement(world, tmp_path, seed):
    mappings = copied(world, np.random.default_rng(seed))
    board = board_with(world, tmp_path, mappings)
    first, second = rows_of(board)
    assert (first["submission"], second["submission"]) == (BEST, COPY)
    assert "derived_from" not in first
    assert second["derived_from"] == [BEST]
    assert second["status"] == f"verified, derived from {BEST}"
    assert second["wins"] == 0
    gains = [max(a["latency_ps"] / b["latency_ps"], 1) for a, b in _cells(first, second)]
    assert second["score_ppm"] == pytest.approx(10**6 * np.prod(gains) ** (1 / len(gains)), abs=1)
    build(board)
    link = f"verified, derived from [{BEST}](submissions/{BEST}), 2026-11-26"
    assert link in (board / "README.md").read_text()


def _cells(first, second):
    return zip(first["problems"], second["problems"], strict=True)


def test_the_one_who_checks_is_told(world, tmp_path, capsys):
    board = board_with(world, tmp_path, copied(world, np.random.default_rng(1)))
    checked = check(board / "submissions" / COPY, board)
    assert set(checked.sources.values()) == {BEST}
    with pytest.raises(SystemExit):
        main(["leaderboard", "check", str(board / "submissions" / COPY)])
    assert f"is nearly a mapping of {BEST}: it is marked as derived" in " ".join(
        capsys.readouterr().out.split()
    )


def test_ones_own_work_is_no_copy_and_neither_is_what_differs(world, tmp_path):
    mappings = copied(world, np.random.default_rng(0))
    board = board_with(world, tmp_path, mappings, authors=about_of("mapping", "x").authors)
    assert all("derived_from" not in row for row in rows_of(board))
    far = copied(world, np.random.default_rng(0), swaps=40)
    board = board_with(world, tmp_path / "far", far)
    assert all("derived_from" not in row for row in rows_of(board))


def test_with_more_authors_it_is_still_a_copy(world, tmp_path):
    authors = ("A Copier", *about_of("mapping", "x").authors)
    board = board_with(world, tmp_path, copied(world, np.random.default_rng(0)), authors=authors)
    assert rows_of(board)[-1]["derived_from"] == [BEST]


def test_a_copy_of_another_tracks_mapping_is_one(world, tmp_path):
    board = world.board(tmp_path, ANNEAL)
    theirs = read_submission(world.made / ANNEAL).mappings
    mine = {}
    for run, mapping in theirs.items():
        if run.seed == 0:
            mine[type(run)(run.problem)] = mapping
    about = about_of("mapping", "mine", authors=("A Copier",))
    write_submission(board / "submissions" / COPY, about, mine)
    assert rows_of(board)[0]["derived_from"] == [ANNEAL]


def test_on_solver_tracks_most_runs_must_be_copies(world, tmp_path):
    board = world.board(tmp_path, ANNEAL)
    submission = read_submission(world.made / ANNEAL)
    about = about_of(TRACK, "mine", authors=("A Copier",))
    write_submission(board / "submissions" / COPY, about, submission.mappings, submission.traces)
    checked = check(board / "submissions" / COPY, None)
    assert checked.sources == {}
    public = Public(Replayer(submission.suite))
    public.add(submission)
    copy = read_submission(board / "submissions" / COPY)
    assert set(public.sources(copy).values()) == {ANNEAL}
    few = Public(public.replayer)
    few.add(_only(submission, "mlp-xs"))
    assert few.sources(copy) == {}  # half of them: two seeds of one of two problems


def _only(submission, problem):
    kept = {run: one for run, one in submission.mappings.items() if run.problem == problem}
    return replace(submission, mappings=kept)


def test_an_improvement_counts_from_what_was_public(world):
    submission = read_submission(world.made / BEST)
    runs = list(submission.mappings)
    played = Played(submission, dict.fromkeys(runs, (1_000_000, 0)), {})
    public = {run.problem: ps for run, ps in zip(runs, (1_100_000, 900_000), strict=True)}
    credit = Credit(dict.fromkeys(runs, "x"), public)
    assert list(credit.counted_from(played).values()) == [1_100_000, 1_000_000]
    assert Credit({}, public).counted_from(played) == {}


def row(name: str, score: int, latency: int = 1, **more):
    return {
        "submission": name,
        "score_ppm": score,
        "wins": 0,
        "problems": [{"latency_ps": latency}],
        **more,
    }


def test_a_newer_row_must_be_ahead_to_stand_above():
    rows = [row("a", 1_500_000, 5), row("b", 1_501_499, 4), row("c", 1_501_500), row("d", 1)]
    assert [one["submission"] for one in _ranked(rows)] == ["c", "a", "b", "d"]
    assert [one["wins"] for one in rows] == [0, 0, 1, 0]
    derived = [row("a", 2, 5), row("b", 1, 4, derived_from=["a"])]
    assert [one["wins"] for one in _ranked(derived)] == [1, 0]


@examples(30)
@given(st.integers(0, 10**6))
def test_the_distance_forgets_cores_pieces_and_reflections(seed):
    problem = toy_problem(chip=toy_chip(routers=(4, 3)))
    mesh, rng = problem.topology, np.random.default_rng(seed)
    mapping = spread_mapping(problem, seed)
    own, pieces = picture(mesh, mapping), len(mapping.placement)
    assert elsewhere(own, own) == (0, pieces)
    parts = np.split(mapping.placement, np.cumsum(mapping.cores_per_layer)[:-1])
    mixed = Mapping(mapping.cores_per_layer, np.concatenate([rng.permutation(p) for p in parts]))
    for image in symmetries(mesh):
        other = picture(mesh, moved(problem, mixed, image, rng))
        assert elsewhere(own, other) == elsewhere(other, own) == (0, pieces)
    free = sorted(set(range(mesh.n_cores)) - set(mapping.placement.tolist()))
    placement = mapping.placement.copy()
    placement[0] = free[0]
    moved_one, _ = elsewhere(own, picture(mesh, Mapping(mapping.cores_per_layer, placement)))
    assert moved_one <= 1
