"""Where an episode's problem comes from: always the same one, or one drawn at each reset."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..benchmarks import load
from ..errors import LoihiGymError
from ..mapping import Problem
from ..mapping.recent import Recent
from .checks import shown, strict

Sampler = Callable[[np.random.Generator], str | Problem]
"""Draws a problem, or the name of one, with the generator it is given."""

Benchmark = str | Problem | Sequence[str | Problem] | Sampler
"""What the argument `benchmark` of an environment may be."""

KEPT = 16
"""Problems drawn by name that a set keeps loaded; a problem takes some MB."""

SEED = "{seed}"


@strict
@dataclass(frozen=True)
class Family:
    """A family of generated benchmarks: a name with a place for the seed, and its seeds.

    Training on one range of seeds and testing on another tells whether a policy carries over:

        Family("generator://mlp?layers=6&seed={seed}", range(0, 1000))     # to train on
        Family("generator://mlp?layers=6&seed={seed}", range(1000, 1100))  # held out

    Attributes:
        template: Benchmark name that contains ``{seed}``.
        seeds: What may stand there.
    """

    template: str
    seeds: Sequence[int]

    def __post_init__(self) -> None:
        if not isinstance(self.template, str) or SEED not in self.template:
            raise LoihiGymError(f"benchmark family {self.template!r} has no {SEED} in it")
        if not isinstance(self.seeds, Sequence | np.ndarray) or not len(self.seeds):
            raise LoihiGymError(f"benchmark family {self.template!r} has no seeds")

    def __call__(self, rng: np.random.Generator) -> str:
        """Draw a name."""
        return self.template.replace(SEED, str(self.seeds[int(rng.integers(len(self.seeds)))]))

    def __iter__(self) -> Iterator[str]:
        return (self.template.replace(SEED, str(seed)) for seed in self.seeds)


class Problems:
    """Draws problems; all must be for the same mesh, since that fixes the shapes.

    Attributes:
        first: A problem to take the shapes from.
        single: Whether it is the only one.
    """

    def __init__(self, benchmark: Benchmark) -> None:
        self._loaded: Recent[str, Problem] = Recent(KEPT)
        self._draw = _sampler(benchmark)
        self.single = isinstance(benchmark, Problem) or (
            isinstance(benchmark, str) and SEED not in benchmark
        )
        self.first = self._load(self._draw(np.random.default_rng(0)))

    def draw(self, rng: np.random.Generator) -> Problem:
        """The next episode's problem.

        Raises:
            LoihiGymError: if it is for another mesh than the first one was.
        """
        if self.single:
            return self.first
        problem, first = self._load(self._draw(rng)), self.first
        if problem.topology is not first.topology:
            raise LoihiGymError(
                f"benchmarks {first.name!r} (chip {first.chip.name}) and {problem.name!r} (chip "
                f"{problem.chip.name}) have different meshes: one environment needs one"
            )
        return problem

    def _load(self, drawn: str | Problem) -> Problem:
        found = _checked(drawn)
        if isinstance(found, Problem):
            return found
        return self._loaded.get(found, partial(load, found))


def _sampler(benchmark: Benchmark) -> Sampler:
    if isinstance(benchmark, str) and SEED in benchmark:
        return Family(benchmark, range(2**31))
    if callable(benchmark):
        return benchmark
    if isinstance(benchmark, str | Problem):
        benchmark = (benchmark,)
    if isinstance(benchmark, Sequence) and len(benchmark):
        among = tuple(map(_checked, benchmark))
        return lambda rng: among[int(rng.integers(len(among)))]
    raise LoihiGymError(
        f"benchmark {shown(benchmark)} is not a name, a Problem, a list of these, or a function "
        "that draws one with the generator it is given"
    )


def _checked(one: str | Problem) -> str | Problem:
    if not isinstance(one, str | Problem):
        raise LoihiGymError(f"benchmark {shown(one)} is neither a name nor a Problem")
    return one
