"""A race of several starts, since which of them is worth most shows only some way down.

The fastest starts are each searched from for an equal part of the budget, the faster half of them
goes on, and so forth (successive halving, Jamieson and Talwalkar 2016).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from loihi_gym.search.session import Session

ENTRANTS = 8
"""Starts that are searched from in the first heat, at most."""
EACH = 500
"""Evaluations of the budget for each start of the first heat; a small budget has fewer of them."""
BEHIND = 1.2
"""A state that costs more than the best one by this factor is out of the race."""

FROM = 8
"""What `promising` is asked for: some two times as many mappings are started from."""

State = TypeVar("State")


def race(
    session: Session,
    states: Sequence[State],
    cost: Callable[[State], float],
    search: Callable[[State, int, int], State],
    heat: float,
) -> State:
    """Successive halving: search from the fastest states, keep the better half, repeat.

    Returns the winner.

    Args:
        session: The search.
        states: Where to start from.
        cost: Cost of a state, least for the best: its latency, or what a search prefers to it.
        search: Takes a state, the number of states in this heat, and the count of evaluations at
            which to end; returns the state that it has reached.
        heat: Part of the budget that each heat gets.
    """
    states = _cheapest(states, cost, min(max(session.budget // EACH, 1), ENTRANTS))
    while len(states) > 1:
        each = heat * session.budget / len(states)
        states = [search(one, len(states), int(session.evaluations + each)) for one in states]
        states = _cheapest(states, cost, (len(states) + 1) // 2)
    return states[0]


def _cheapest(states: Sequence[State], cost: Callable[[State], float], count: int) -> list[State]:
    """The `count` best states, except those far behind."""
    ranked = sorted(states, key=cost)[:count]
    return [one for one in ranked if cost(one) < BEHIND * cost(ranked[0])]
