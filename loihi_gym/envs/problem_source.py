"""Where an episode's problem comes from: always the same one, or one drawn at each reset."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..benchmarks import load
from ..benchmarks.families import Part, is_part, part
from ..errors import LoihiGymError
from ..mapping import Problem
from ..mapping.recent import Recent
from .checks import shown
from .observation import require_layers

Sampler = Callable[[np.random.Generator], str | Problem]
"""Draws a problem, or the name of one, with the generator it is given."""

Benchmark = str | Problem | Sequence[str | Problem] | Sampler
"""What the argument `benchmark` of an environment may be."""

KEPT = 16
"""Problems drawn by name that a set keeps loaded; a problem takes some MB."""


class Problems:
    """Draws problems; all must be for the same mesh, since that fixes the shapes.

    Args:
        benchmark: What to draw from. The members of a list are checked here and now.
        max_layers: Layers that observations have room for.

    Attributes:
        first: A problem to take the shapes from.
        single: Whether it is the only one.

    Raises:
        LoihiGymError: if problems are for different meshes, or have too many layers.
    """

    def __init__(self, benchmark: Benchmark, max_layers: int) -> None:
        self._loaded: Recent[str, Problem] = Recent(KEPT)
        self._max_layers = max_layers
        self._draw = _sampler(benchmark)
        self.single = isinstance(benchmark, Problem) or (
            isinstance(benchmark, str) and not is_part(benchmark)
        )
        several = isinstance(benchmark, Sequence) and not isinstance(benchmark, str | Part)
        listed: Sequence[Any] = benchmark if several else (self._draw(np.random.default_rng(0)),)  # type: ignore[assignment]
        self.first = self._load(listed[0])
        for one in listed:
            self.named(one)

    def draw(self, rng: np.random.Generator) -> Problem:
        """The next episode's problem.

        Raises:
            LoihiGymError: if it is for another mesh than the first one was.
        """
        return self.first if self.single else self.named(self._draw(rng))

    def named(self, benchmark: str | Problem) -> Problem:
        """A problem by its name, or itself.

        Raises:
            LoihiGymError: if it is for another mesh than the first one, or has too many layers.
        """
        problem, first = self._load(benchmark), self.first
        if problem.topology != first.topology:
            raise LoihiGymError(
                f"benchmarks {first.name!r} (chip {first.chip.name}) and {problem.name!r} (chip "
                f"{problem.chip.name}) have different meshes: one environment needs one"
            )
        require_layers(problem, self._max_layers)
        return problem

    def _load(self, drawn: str | Problem) -> Problem:
        found = _checked(drawn)
        if isinstance(found, Problem):
            return found
        return self._loaded.get(found, partial(load, found))


def _sampler(benchmark: Benchmark) -> Sampler:
    if isinstance(benchmark, str) and is_part(benchmark):
        benchmark = part(benchmark)
    if isinstance(benchmark, Part) and not benchmark.chip:
        raise LoihiGymError(
            f"benchmark {benchmark.address} has systems of different meshes: one environment needs "
            f"one, such as {benchmark.on('loihi2').address}"
        )
    if callable(benchmark):
        return benchmark
    if isinstance(benchmark, str | Problem):
        benchmark = (benchmark,)
    if isinstance(benchmark, Sequence) and len(benchmark):
        among = tuple(map(_checked, benchmark))
        return lambda rng: among[int(rng.integers(len(among)))]
    raise LoihiGymError(
        f"benchmark {shown(benchmark)} is not a name, a Problem, a list of these, a family's part, "
        "or a function that draws one with the generator it is given"
    )


def _checked(one: str | Problem) -> str | Problem:
    if not isinstance(one, str | Problem):
        raise LoihiGymError(f"benchmark {shown(one)} is neither a name nor a Problem")
    return one
