import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.leaderboard.score import (
    MILLION,
    area_ppm,
    below_ppm,
    interval_ppm,
    lower_median,
    root,
    score_ppm,
    splitmix64,
)
from loihi_gym.leaderboard.tables import fixed
from tests.toys import examples

TIME = st.integers(1, 10**9)
PAIRS = st.lists(st.tuples(TIME, TIME), min_size=1, max_size=20)
RULES = (Path(__file__).parents[2] / "leaderboard" / "RULES.md").read_text(encoding="utf-8")


@examples(200)
@given(st.integers(0, 1 << 300), st.integers(1, 60))
def test_a_root_is_the_largest_that_is_not_above(value, degree):
    found = root(value, degree)
    assert found**degree <= value < (found + 1) ** degree


@examples(100)
@given(PAIRS)
def test_a_score_is_the_geometric_mean(pairs):
    found, ratio = score_ppm(pairs), Fraction(1)
    for reference, latency in pairs:
        ratio *= Fraction(reference, latency)
    assert Fraction(found, MILLION) ** len(pairs) <= ratio
    assert Fraction(found + 1, MILLION) ** len(pairs) > ratio


@examples(50)
@given(PAIRS)
def test_a_score_is_positive_and_does_not_depend_on_the_order(pairs):
    assert score_ppm(pairs) == score_ppm(pairs[::-1])
    assert score_ppm([(reference, 1) for reference, _ in pairs]) >= score_ppm(pairs)
    assert score_ppm([(7, 7)] * len(pairs)) == MILLION


def test_an_interval_lies_about_its_score_and_within_the_runs():
    problems = [[(100, 50 + seed) for seed in range(10)], [(300, 200 + 9 * s) for s in range(10)]]
    low, high = interval_ppm(problems)
    score = score_ppm([pair for runs in problems for pair in runs])
    worst, best = (
        score_ppm([f(runs, key=lambda p: p[1]) for runs in problems]) for f in (max, min)
    )
    assert worst < low < score < high < best
    assert interval_ppm(problems) == (low, high)
    assert interval_ppm([[(100, 50)] * 5]) == (2 * MILLION, 2 * MILLION)


def test_splitmix64_is_the_published_one():
    """First outputs of Vigna's splitmix64.c for the seed 1234567."""
    draws = splitmix64(1234567)
    assert [next(draws) for _ in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


@examples(50)
@given(st.integers(1, 50), st.data())
def test_an_area_is_the_mean_over_evaluations(budget, data):
    first = data.draw(st.sets(st.integers(2, budget), max_size=8)) if budget > 1 else set()
    times = sorted(data.draw(st.sets(TIME, min_size=len(first) + 1, max_size=len(first) + 1)))
    curve = list(zip([1, *sorted(first)], times[::-1], strict=True))
    best = [[lat for when, lat in curve if when <= e][-1] for e in range(1, budget + 1)]
    expected = sum(MILLION * 1000 // latency for latency in best) // budget
    assert area_ppm(curve, 1000, budget) == expected


def test_parts_and_medians_round_down():
    assert below_ppm(3, 2) == 333_333
    assert below_ppm(2, 3) == -500_000
    assert lower_median([(3, 1), (1, 9), (2, 5), (2, 4)]) == (2, 4)


@examples(100)
@given(st.integers(-(10**12), 10**12))
def test_fixed_point_text_is_the_number_rounded(value):
    assert abs(Fraction(fixed(value, 6, 3)) * MILLION - value) <= 500
    assert re.fullmatch(r"-?\d+\.\d{3}", fixed(value, 6, 3))


@pytest.mark.parametrize(
    ("value", "text"), [(1_234_500, "1.235"), (-400, "0.000"), (999_500, "1.000"), (0, "0.000")]
)
def test_fixed_point_text(value, text):
    assert fixed(value, 6, 3) == text


def test_the_worked_example_of_the_rules():
    rows = re.findall(r"^\| (mlp-\S+) \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) \|$", RULES, re.MULTILINE)
    pairs = [tuple(int(n.replace(",", "")) for n in row[1:3]) for row in rows]
    assert len(pairs) == 4
    for (reference, latency), row in zip(pairs, rows, strict=True):
        assert fixed(score_ppm([(reference, latency)]), 6, 3) == row[3]
    (stated,) = re.findall(r"^score_ppm = ([\d,]+)", RULES, re.MULTILINE)
    assert score_ppm(pairs) == int(stated.replace(",", ""))
    (area,) = re.findall(r": ([\d,]+) ppm for the curve", RULES)
    assert area_ppm([(1, 2000), (3, 1600), (9, 1250)], 2000, 10) == int(area.replace(",", ""))
