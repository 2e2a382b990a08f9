"""`EnvArguments`: what environments are made with, checked once and never swallowed."""

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np

from ..errors import LoihiGymError, unknown
from ..mapping import Mapping
from .checks import check_names, count, optional, shown
from .objective import Objective
from .observation import FORMS, Form
from .problem_source import Benchmark
from .task import BackendChoice

MAX_LAYERS = 32
"""Layers that observations and actions have room for by default."""
MOST_LAYERS = 4096
"""More layers than any network has that fits a system of Loihi 2."""
RENDER_MODES = ("ansi", "rgb_array", "human")
STARTS = ("reference", "random")

Made = TypeVar("Made", bound="EnvArguments")


def is_start(name: str, value: Any) -> None:
    """A check: a mapping, or a word that names one."""
    if not isinstance(value, Mapping) and not (isinstance(value, str) and value in STARTS):
        raise LoihiGymError(f"{name} {shown(value)} is neither a Mapping nor one of {STARTS}")


def is_form(name: str, value: Any) -> None:
    """A check: a form of observation."""
    if not isinstance(value, str):
        raise LoihiGymError(f"{name} {shown(value)} is none of {FORMS}")
    if value not in FORMS:
        raise unknown(name, value, list(FORMS))


def is_render_mode(name: str, value: Any) -> None:
    """A check: one of `RENDER_MODES`."""
    if not isinstance(value, str) or value not in RENDER_MODES:
        raise LoihiGymError(f"{name} {shown(value)} is none of {RENDER_MODES}")


@dataclass(frozen=True, kw_only=True, eq=False)
class EnvArguments:
    """Arguments that all environments share; `LoihiPlace` explains them.

    Raises:
        LoihiGymError: if a value is wrong; those without a check here are checked when an
            environment looks up what they name.
    """

    benchmark: Benchmark | None = None
    backend: BackendChoice = "mesh"
    objective: str | Objective = "latency"
    observation: Form = field(default="flat", metadata={"check": is_form})
    start: str | Mapping = field(default="reference", metadata={"check": is_start})
    max_layers: int = field(default=MAX_LAYERS, metadata={"check": count(MOST_LAYERS)})
    render_mode: str | None = field(default=None, metadata={"check": optional(is_render_mode)})

    def __post_init__(self) -> None:
        for one in fields(self):
            if "check" in one.metadata:
                one.metadata["check"](one.name, getattr(self, one.name))

    @classmethod
    def names(cls) -> list[str]:
        """Names of the arguments."""
        return [one.name for one in fields(cls)]

    @classmethod
    def read(cls: type[Made], owner: str, given: dict[str, Any]) -> Made:
        """The arguments that a user gave; NumPy's numbers become Python's.

        Raises:
            UnknownNameError: if there is no argument of that name.
            LoihiGymError: if a value is wrong.
        """
        check_names(owner, given, cls.names())
        return cls(
            **{
                name: value.item() if isinstance(value, np.generic) else value
                for name, value in given.items()
            }
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class SteppedArguments(EnvArguments):
    """Arguments of environments whose episodes have a number of steps of the user's choice."""

    max_steps: int | None = field(default=None, metadata={"check": optional(count())})
