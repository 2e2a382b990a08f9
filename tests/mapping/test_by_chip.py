"""Counts and borders for several chips."""

from itertools import accumulate, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.chip import topology_of
from loihi_gym.errors import IllegalMappingError
from loihi_gym.mapping import fitting
from loihi_gym.mapping.by_chip import by_chip, lay_out, quiet_positions
from loihi_gym.mapping.fewest import packed
from loihi_gym.mapping.heuristics import PARTITIONINGS
from tests.toys import examples, problem_of, toy_chip, toy_network

CHIPS = toy_chip(chips=(3, 2))
"""Six chips of 16 cores."""
PER_CHIP, N_CHIPS = 16, 6


def problem(seed: int = 0, widths=(20, 60, 40, 60, 30, 10)):
    network = toy_network(widths, 0.5, seed, exponents=(-8,) * (len(widths) - 1))
    return problem_of(network, CHIPS)


def slow_chips(counts: list[int], quiet: list[bool]) -> int | None:
    """The fewest chips, of all ways to set borders; None if there is none."""
    fewest = None
    for borders in product([False, True], repeat=len(counts) - 1):
        if any(border and not free for border, free in zip(borders, quiet, strict=False)):
            continue
        groups: list[list[int]] = [[counts[0]]]
        for border, count in zip(borders, counts[1:], strict=True):
            if border:
                groups.append([count])
            else:
                groups[-1].append(count)
        if any(sum(group) > PER_CHIP and len(group) > 1 for group in groups):
            continue
        chips = sum(-(-sum(group) // PER_CHIP) for group in groups)
        fewest = chips if fewest is None else min(fewest, chips)
    return fewest if fewest is not None and fewest <= N_CHIPS else None


@examples(200)
@given(st.lists(st.tuples(st.integers(1, 36), st.booleans()), min_size=1, max_size=9))
def test_layers_are_laid_over_the_fewest_chips(layers):
    counts, quiet = [count for count, _ in layers], [free for _, free in layers]
    first, chips = lay_out(counts, quiet, topology_of(CHIPS)), slow_chips(counts, quiet)
    assert (first is None) == (chips is None)
    if first is None:
        return
    ends = [start + count for start, count in zip(first, counts, strict=True)]
    assert all(end <= start for end, start in zip(ends, first[1:], strict=False))
    assert -(-ends[-1] // PER_CHIP) == chips
    for layer in range(1, len(counts)):
        last, own = (ends[layer - 1] - 1) // PER_CHIP, first[layer] // PER_CHIP
        assert last == own or quiet[layer - 1]
        assert counts[layer] > PER_CHIP or own == (ends[layer] - 1) // PER_CHIP


@examples(20)
@given(st.integers(0, 50), st.integers(0, 10**8))
def test_the_counts_within_a_limit_are_the_fewest(seed, limit_ps):
    made = problem(seed)
    fewest, most = packed(made), np.array([8, 9, 7, 8, 6, 5], np.int32)
    counts = made.work.within(fewest, most, limit_ps)
    if counts is None:
        assert made.work.survey(most).work_ps.max() > limit_ps
        return
    assert made.work.survey(counts).work_ps.max() <= limit_ps
    for layer in np.flatnonzero(counts > fewest):
        fewer = counts.copy()
        fewer[layer] -= 1
        assert made.work.survey(fewer).work_ps[layer] > limit_ps


def test_more_time_takes_fewer_cores():
    made = problem(widths=(80, 200, 150, 200, 150, 80, 200, 10))
    sizes = [int(by_chip(made, packed(made), percent).sum()) for percent in (100, 125, 200)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1] >= packed(made).sum()


def test_borders_are_where_few_messages_cross():
    """The busiest border carries no more than with any other set of borders."""
    made = problem(3, (60, 60, 20, 60, 60, 20, 60))
    counts = np.array([8, 8, 2, 8, 8, 2, 8], np.int32)
    messages = made.work.survey(counts).messages.sum(axis=1)
    first = quiet_positions(made, counts)[[0, *accumulate(counts.tolist()[:-1])]] // PER_CHIP
    crossed = [int(messages[i]) for i in range(6) if first[i] != first[i + 1]]
    for limit in sorted(set(messages.tolist())):
        if slow_chips(counts.tolist(), (messages <= limit).tolist()) is not None:
            assert max(crossed) == limit
            break


def test_no_layer_straddles_two_chips():
    made = problem()
    names = [name for name in fitting(made) if name.startswith("by-chip")]
    assert len(names) == 5 * 5
    for name in names:
        mapping = fitting(made)[name]
        assert made.check(mapping) == []
        layer = np.repeat(np.arange(6), mapping.cores_per_layer)
        chip = made.topology.core_chip[mapping.placement]
        for own in range(6):
            assert len(set(chip[layer == own].tolist())) == 1


def test_one_chip_is_refused():
    one = problem_of(toy_network((12, 16, 10)), toy_chip())
    with pytest.raises(IllegalMappingError, match="by-chip is for several"):
        PARTITIONINGS["by-chip"](one)
