"""`Flood`: which of the mappings measured so far is changed next.

Which start is worth most shows only some way down. So lineages race at first: the fastest ones are
given equal numbers of turns, then fewer go on with more. After that the search floods the landscape
like water: it always changes the mapping that lies lowest, but each child has raised its parent a
little. So a fast mapping is searched around for as long as others are not about as fast, no valley
is left for good, and nothing depends on the budget.
"""

from collections.abc import Iterator

import numpy as np

from loihi_gym.benchmarks.references import estimate_ps
from loihi_gym.mapping import Mapping, Problem, fitting, heuristic, random_mapping
from loihi_gym.mapping.heuristics import COARSE, partitions

RACE = ((8, 12), (4, 24), (3, 200), (2, 300))
FATIGUE = 0.006
"""Those of `refine`; `map` has its own."""
BEHIND = 2.0
"""A lineage that is slower than the fastest by this factor is out of the race."""
CUTS = 3
"""Partitionings that searches start from besides the reference's, in every order of cores."""


class Flood:
    """Mappings that were measured, each with its lineage and height.

    Args:
        race: The heats: how many lineages, and how many children each of them gets.
        fatigue: Added to a mapping's height, the logarithm of its latency, for each child.

    Attributes:
        mappings: The mappings.
        latencies_ps: Their latencies.
        lineages: Number of the start that each comes from.
    """

    def __init__(self, race: tuple[tuple[int, int], ...] = RACE, fatigue: float = FATIGUE) -> None:
        self.mappings: list[Mapping] = []
        self.latencies_ps: list[int] = []
        self.lineages: list[int] = []
        self._heights = np.zeros(0)
        self._race, self._fatigue = race, fatigue

    def add(self, mapping: Mapping, latency_ps: int, lineage: int) -> None:
        """Take in a mapping."""
        self.mappings.append(mapping)
        self.latencies_ps.append(latency_ps)
        self.lineages.append(lineage)
        self._heights = np.append(self._heights, np.log(float(latency_ps)))

    def turns(self, batch: int) -> Iterator[int | None]:
        """The lineage that each further batch of children is of, None for any; has no end."""
        for entrants, children in self._race:
            for lineage in self._fastest(entrants):
                for _ in range(children // batch):
                    yield lineage
        while True:
            yield None

    def lowest(self, lineage: int | None) -> int:
        """Index of the mapping that lies lowest, of a lineage or of all; it is raised a little.

        The newest of equals: so the search drifts where changes make no difference.
        """
        heights = self._heights
        if lineage is not None:
            heights = np.where(np.array(self.lineages) == lineage, heights, np.inf)
        at = len(heights) - 1 - int(np.argmin(heights[::-1]))
        self._heights[at] += self._fatigue
        return at

    def _fastest(self, count: int) -> list[int]:
        """The lineages with the fastest mappings, except those far behind."""
        best = np.full(max(self.lineages) + 1, np.inf)
        np.minimum.at(best, self.lineages, np.log(np.array(self.latencies_ps, np.float64)))
        order = np.argsort(best, kind="stable")[:count]
        return [int(one) for one in order if best[one] < best.min() + np.log(BEHIND)]


def first_mappings(problem: Problem, start: str, rng: np.random.Generator) -> list[Mapping]:
    """What a search measures first.

    By default the reference, and the standard partitionings that are fastest by an estimate from
    loads alone, each in every order of cores.

    Args:
        problem: What is solved.
        start: ``default``, ``random`` for a random mapping alone, or a standard heuristic's name.
        rng: Draws the random mapping.

    Raises:
        UnknownNameError: if there is no such start.
    """
    if start == "random":
        return [random_mapping(problem, rng)]
    if start != "default":
        return [heuristic(problem, start)]
    names = {counts.tobytes(): name for name, counts in partitions(problem, COARSE).items()}
    ranked = sorted(names.values(), key=lambda name: estimate_ps(problem, name))[:CUTS]
    return list(dict.fromkeys([problem.reference_mapping, *fitting(problem, ranked).values()]))
