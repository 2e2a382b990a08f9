"""`EnvArguments`: what environments are made with, checked once and never swallowed."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np

from ..backends import Backend
from ..chip.hypotheses import Hypotheses
from ..errors import LoihiGymError
from ..mapping import Mapping, Problem
from .checks import check_names, count, is_bool, shown, word
from .objective import Objective
from .observation import FORMS, Form
from .problem_source import Benchmark

BackendChoice = str | Backend | Callable[[Problem], Backend]
"""What the argument `backend` of an environment may be: a name or address, a backend, a maker."""
MAX_LAYERS = 32
"""Layers that observations and actions have room for by default."""
MOST_LAYERS = 4096
"""More layers than any network has that fits a system of Loihi 2."""
RENDER_MODES = ("ansi", "rgb_array", "human")
KEPT_STARTS = ("best", "incumbent")
"""Starts that episodes before this one have left."""
STARTS = ("reference", "random", *KEPT_STARTS)
ON_ILLEGAL = ("noop", "penalty", "raise")
"""What an environment may do with an action that a rule forbids."""


def is_start(name: str, value: Any) -> None:
    """A check: a mapping, or a word that names one."""
    if not isinstance(value, Mapping):
        word(*STARTS)(name, value)


def is_set_of_chips(name: str, value: Any) -> None:
    """A check: a set of hypotheses, or what may be the name of one."""
    if not isinstance(value, str | Hypotheses):
        raise LoihiGymError(
            f"{name} {shown(value)} is neither the name of a set of hypotheses, nor the path of a "
            ".toml file, nor Hypotheses"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class EnvArguments:
    """Arguments that all environments share; `LoihiPlace` explains them.

    Raises:
        LoihiGymError: if a value is wrong; those without a check here are checked when an
            environment looks up what they name.
    """

    benchmark: Benchmark | None = None
    backend: BackendChoice = "mesh"
    chips: str | Hypotheses | None = field(default=None, metadata={"check": is_set_of_chips})
    randomize_chip: bool = field(default=False, metadata={"check": is_bool})
    objective: str | Objective = "latency"
    observation: Form = field(default="flat", metadata={"check": word(*FORMS)})
    start: str | Mapping = field(default="reference", metadata={"check": is_start})
    max_layers: int = field(default=MAX_LAYERS, metadata={"check": count(MOST_LAYERS)})
    render_mode: str | None = field(default=None, metadata={"check": word(*RENDER_MODES)})

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if "check" in one.metadata and not (value is None and one.default is None):
                one.metadata["check"](one.name, value)
        if self.randomize_chip and self.chips is None:
            raise LoihiGymError(
                "randomize_chip draws from a set of chips: pass one, such as "
                "chips='loihi2-hypotheses'"
            )

    @classmethod
    def names(cls) -> list[str]:
        """Names of the arguments."""
        return [one.name for one in fields(cls)]

    @classmethod
    def read(cls, owner: str, given: dict[str, Any]) -> Self:
        """The arguments that a user gave; NumPy's numbers become Python's.

        Raises:
            UnknownNameError: if there is no argument of that name.
            LoihiGymError: if a value is wrong.
        """
        check_names(owner, given, cls.names())
        return cls(**{k: v.item() if isinstance(v, np.generic) else v for k, v in given.items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class HoldingArguments(EnvArguments):
    """Arguments of environments whose actions change a mapping bit by bit."""

    on_illegal: str = field(default="noop", metadata={"check": word(*ON_ILLEGAL)})
    hold: bool = field(default=False, metadata={"check": is_bool})


@dataclass(frozen=True, kw_only=True, eq=False)
class MovingArguments(HoldingArguments):
    """Arguments of environments that measure after so many actions."""

    commit_every: int = field(default=1, metadata={"check": count()})


@dataclass(frozen=True, kw_only=True, eq=False)
class SteppedArguments(MovingArguments):
    """Arguments of environments whose episodes have a number of steps of the user's choice."""

    max_steps: int | None = field(default=None, metadata={"check": count()})
