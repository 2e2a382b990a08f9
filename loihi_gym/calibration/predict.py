"""Step times of `mesh` and of `bound` for any constants."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..arrays import Float64Array
from ..backends import make_backend
from ..backends.assembly import busy_times
from ..chip import ChipSpec
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
BARRIER = "costs.barrier_ps"


def mesh_step_ps(
    problems: Sequence[Problem], mappings: Sequence[Mapping], chip: ChipSpec
) -> Float64Array:
    """Time of each step of each mapping on a chip, in the order of mappings, in ps, (M,)."""
    times: dict[int, tuple[int, ...]] = {}
    for problem in {id(problem): problem for problem in problems}.values():
        own = [index for index, other in enumerate(problems) if other is problem]
        backend = make_backend("mesh", replace(problem, chip=chip))
        results = backend.evaluate_batch([mappings[index] for index in own])
        times |= zip(own, (result.step_times_ps for result in results), strict=True)
    return np.concatenate([times[index] for index in range(len(problems))], dtype=np.float64)


class Affine:
    """Step times of `bound`: the largest of many sums of counts times constants.

    The counts, by `COLUMNS`, are those of each place (core or link) in each step of each mapping,
    whatever the constants. So a fit needs them once, and its derivatives are the counts of the
    place that is busiest.
    """

    def __init__(self, problems: Sequence[Problem], mappings: Sequence[Mapping]) -> None:
        blocks = [
            _thin(places)
            for problem, mapping in zip(problems, mappings, strict=True)
            for places in _places(problem, mapping)
        ]
        self._places = np.concatenate(blocks)
        self._first = np.cumsum([0, *map(len, blocks[:-1])])

    def step_ps(self, costs: dict[str, float]) -> Float64Array:
        """Time of each step, in the order of mappings, in ps, (M,)."""
        values = np.array([costs[name] for name in COLUMNS])
        longest = np.maximum.reduceat(self._places @ values, self._first)
        return np.asarray(longest + costs[BARRIER], np.float64)


def _places(problem: Problem, mapping: Mapping) -> list[Float64Array]:
    """Counts of all places in each step: cores that send, cores that receive, links; (T, P, 7)."""
    busy = busy_times(problem, mapping)
    traffic, mesh = busy.traffic, problem.topology
    steps, cores = traffic.active.shape
    words = busy.links.words
    links = words.shape[1]
    places = np.zeros((steps, 2 * cores + links, len(COLUMNS)))
    sent = (traffic.active, traffic.inactive, traffic.messages_out)
    places[:, :cores, :3] = np.stack(sent, axis=2)
    places[:, cores : 2 * cores, 3:5] = np.stack((traffic.synmem_words, traffic.synops), axis=2)
    among_chips = np.pad(mesh.crosses_chips, (0, links - 4 * mesh.n_routers))
    places[:, 2 * cores :, 5:] = np.stack((words * ~among_chips, words * among_chips), axis=2)
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
