"""Which native vector environment an id has: the ``vector_entry_point`` of each.

`vector_choice.LoihiPlace` and the like make a vector of that environment.
"""

from functools import partial
from typing import Any

from gymnasium.vector import AutoresetMode

from ..registering import ENVIRONMENTS, environment_class
from .base import LoihiEnv
from .checks import check_names
from .place_vector import BoundPlaceVectorEnv, can_be_compiled
from .vector import LoihiVectorEnv


def make_vector(
    kind: type[LoihiEnv],
    num_envs: int = 1,
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    **given: Any,
) -> LoihiVectorEnv:
    """Environments of one kind, stepped together; by compiled loops where these can.

    Raises:
        LoihiGymError: if an argument is neither one of `kind` nor of `LoihiVectorEnv`, or wrong.
    """
    known = [*kind.Arguments.names(), "num_envs", "autoreset_mode"]
    check_names(f"a vector of {kind.__name__}", given, known)
    first = kind(**given)
    if can_be_compiled(first):
        return BoundPlaceVectorEnv(first, num_envs, autoreset_mode)
    return LoihiVectorEnv(first, num_envs, autoreset_mode)


def __getattr__(name: str) -> partial[LoihiVectorEnv]:
    if f"{name}-v0" not in ENVIRONMENTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return partial(make_vector, environment_class(f"{name}-v0"))
