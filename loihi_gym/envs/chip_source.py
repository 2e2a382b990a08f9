"""Where an episode's chip comes from: a set of hypotheses, of which each reset draws one."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..backends.robust import hypotheses_of, on_each
from ..benchmarks.references import fastest_heuristic
from ..chip import ChipSpec
from ..chip.hypotheses import Hypotheses, Hypothesis
from ..errors import IllegalMappingError
from ..mapping import Problem
from ..mapping.recent import Recent
from .checks import word
from .problem_source import KEPT


class Chips:
    """Draws chips for problems: those of a set, laid over the problem's own.

    Args:
        hypotheses: The set.
    """

    def __init__(self, hypotheses: Hypotheses) -> None:
        self._set = hypotheses
        self._over: Recent[Problem, dict[str, Hypothesis]] = Recent(KEPT)

    def of(self, problem: Problem) -> dict[str, Hypothesis]:
        """The chips that a problem may be on, by name.

        Raises:
            IllegalMappingError: if one of them cannot hold the network; names it.
        """
        return self._over.get(problem, partial(self._laid_over, problem))

    def name(self, problem: Problem, wanted: Any, rng: np.random.Generator) -> str:
        """The name wanted, or one that is drawn if that is None.

        Raises:
            LoihiGymError: if no chip has that name.
        """
        names = list(self.of(problem))
        if wanted is None:
            return names[int(rng.integers(len(names)))]
        word(*names)("chip", wanted)
        return str(wanted)

    def _laid_over(self, problem: Problem) -> dict[str, Hypothesis]:
        over = hypotheses_of(problem, self._set)
        on_each(problem, over)  # raises unless all hold it
        return {one.name: one for one in over.members}


def on_chip(problem: Problem, chip: ChipSpec) -> Problem:
    """The problem on another chip, with its own reference, or the fastest if that does not fit."""
    moved = replace(problem, chip=chip)
    with suppress(IllegalMappingError):
        moved.require(moved.reference_mapping)
        return moved
    return moved.with_reference(fastest_heuristic(moved))
