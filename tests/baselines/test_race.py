from loihi_gym_baselines.race import ENTRANTS, race

from loihi_gym import load
from loihi_gym.backends import make_backend
from loihi_gym.search.session import Session

BUDGET = 10_000
HEAT = 0.2


def run(
    starts: dict[str, float], gains: dict[str, float], budget: int = BUDGET
) -> tuple[str, list[tuple[str, int]]]:
    """Who wins if each search takes off its part, and who was searched from among how many."""
    latency, searched = dict(starts), []
    session = Session(make_backend("bound", load("mlp-xs")), budget)

    def search(name: str, of: int, end: int) -> str:
        assert end == int(HEAT * budget / of)  # nothing has been spent
        searched.append((name, of))
        latency[name] *= 1 - gains[name]
        return name

    return race(session, list(starts), latency.__getitem__, search, HEAT), searched


def test_a_start_that_begins_slower_can_win():
    won, searched = run({"a": 100.0, "b": 105.0, "c": 110.0}, {"a": 0.01, "b": 0.3, "c": 0.02})
    assert won == "b"
    assert searched == [("a", 3), ("b", 3), ("c", 3)]  # two more are far behind by then


def test_half_of_the_starts_goes_on_from_heat_to_heat():
    names = "abcdefghij"
    starts = {name: 100.0 + k for k, name in enumerate(names)}
    _, searched = run(starts, dict.fromkeys(names, 0.1))
    assert [of for _, of in searched] == [8] * 8 + [4] * 4 + [2] * 2
    assert {name for name, _ in searched} == set(names[:ENTRANTS])


def test_what_is_far_behind_is_not_searched_from():
    won, searched = run({"a": 100.0, "b": 300.0}, {"a": 0.0, "b": 0.9})
    assert won == "a"
    assert searched == []  # no race: the caller goes on


def test_a_small_budget_lets_fewer_start():
    starts = dict.fromkeys("abcdefgh", 100.0)
    for budget, entrants in ((300, 1), (1_000, 2), (3_000, 6), (10_000, ENTRANTS)):
        _, searched = run(starts, dict.fromkeys(starts, 0.1), budget)
        assert len({name for name, _ in searched}) == (entrants if entrants > 1 else 0)
