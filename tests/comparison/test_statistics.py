import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, mannwhitneyu, trim_mean

from loihi_gym.comparison.statistics import (
    improvement,
    interval,
    iqm,
    median,
    profile,
)
from tests.toys import examples

scores = st.lists(
    st.lists(st.floats(-1, 1), min_size=4, max_size=8).map(np.array), min_size=1, max_size=3
)


@examples(60)
@given(scores)
def test_the_interquartile_mean_is_scipys_trimmed_one(found):
    assert iqm(found) == pytest.approx(trim_mean(np.concatenate(found), 0.25))


@examples(60)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=9),
       st.lists(st.integers(0, 9), min_size=1, max_size=9))  # fmt: skip
def test_improvement_is_the_mann_whitney_statistic(a, b):
    expected = mannwhitneyu(a, b).statistic / (len(a) * len(b))
    assert improvement([np.array(a)], [np.array(b)]) == pytest.approx(expected)
    other = improvement([np.array(b)], [np.array(a)])
    assert improvement([np.array(a)], [np.array(b)]) + other == pytest.approx(1.0)


def test_an_interval_of_one_problem_is_scipys():
    sample = np.random.default_rng(1).normal(size=30)
    ours = interval(median, [sample])
    theirs = bootstrap(
        (sample,), np.median, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert ours.value == np.median(sample)
    assert ours.low == pytest.approx(theirs.low, abs=0.08)
    assert ours.high == pytest.approx(theirs.high, abs=0.08)


def test_strata_are_resampled_each_by_itself():
    """Two problems far apart, no scatter within: nothing to be uncertain about."""
    found = interval(iqm, [np.zeros(5), np.ones(5)])
    assert found == (0.5, 0.5, 0.5)
    assert interval(improvement, [np.ones(3)], [np.zeros(3)]) == (1.0, 1.0, 1.0)


def test_a_profile_counts_runs_within_a_factor():
    ratios = np.array([1.0, 1.1, 1.3, 2.0])
    assert profile(ratios, np.array([0.9, 1.0, 1.2, 3.0])).tolist() == [0.0, 0.25, 0.5, 1.0]
