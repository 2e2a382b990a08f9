"""Step times of `bound` for any constants: the largest of many sums of counts times constants.

The counts are those of a mapping, whatever the constants. So a fit of `bound` needs each mapping's
counts once, and its derivatives are the counts of the place that is busiest.
"""

from collections.abc import Sequence

import numpy as np

from ..arrays import Float64Array
from ..backends.assembly import busy_times
from ..mapping import Mapping, Problem

COLUMNS = (
    "costs.neuron_active_ps",
    "costs.neuron_inactive_ps",
    "costs.spike_ps",
    "costs.synmem_word_ps",
    "costs.synop_ps",
    "costs.link_ps",
    "costs.chip_link_ps",
)


class Affine:
    """What every place (core or link) does in each step of several mappings, counted by `COLUMNS`.

    Attributes:
        steps: Number of steps of all mappings, M.
    """

    def __init__(self, problems: Sequence[Problem], mappings: Sequence[Mapping]) -> None:
        blocks = [
            _thin(places)
            for problem, mapping in zip(problems, mappings, strict=True)
            for places in _places(problem, mapping)
        ]
        self.steps = len(blocks)
        self._places = np.concatenate(blocks)
        self._first = np.cumsum([0, *map(len, blocks[:-1])])

    def step_ps(self, costs: dict[str, float]) -> Float64Array:
        """Time of each step, in the order of mappings, in ps, (M,)."""
        values = np.array([costs[name] for name in COLUMNS])
        longest = np.maximum.reduceat(self._places @ values, self._first)
        return np.asarray(longest + costs["costs.barrier_ps"], np.float64)


def _places(problem: Problem, mapping: Mapping) -> list[Float64Array]:
    """Counts of all places in each step: cores that send, cores that receive, links; (T, P, 7)."""
    busy = busy_times(problem, mapping)
    traffic, mesh = busy.traffic, problem.topology
    steps, cores = traffic.active.shape
    links = busy.link_messages.shape[1]
    places = np.zeros((steps, 2 * cores + links, len(COLUMNS)))
    for column, counts in enumerate((traffic.active, traffic.inactive, traffic.messages_out)):
        places[:, :cores, column] = counts
    places[:, cores : 2 * cores, 3] = traffic.synmem_words
    places[:, cores : 2 * cores, 4] = traffic.synops
    words = busy.link_messages * traffic.link_words
    among_chips = np.zeros(links, bool)
    among_chips[: 4 * mesh.n_routers] = mesh.crosses_chips
    places[:, 2 * cores :, 5] = np.where(among_chips, 0, words)
    places[:, 2 * cores :, 6] = np.where(among_chips, words, 0)
    return list(places)


def _thin(places: Float64Array) -> Float64Array:
    """The places that can be the busiest: none is below another one in all counts."""
    places = np.unique(places[places.any(axis=1)], axis=0)
    if not len(places):
        return np.zeros((1, len(COLUMNS)))
    kept: list[Float64Array] = []
    for place in places[np.argsort(-places.sum(axis=1))]:
        if not any((place <= other).all() for other in kept):
            kept.append(place)
    return np.array(kept)
