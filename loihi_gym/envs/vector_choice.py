"""Which native vector environment an id has: the ``vector_entry_point`` of each."""

from functools import partial
from typing import Any

from gymnasium.vector import AutoresetMode

from .base import LoihiEnv
from .checks import check_names
from .map import LoihiMap
from .one_shot import LoihiOneShot
from .partition import LoihiPartition
from .place import LoihiPlace
from .place_vector import BoundPlaceVectorEnv, can_be_compiled
from .swap import LoihiSwap
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


LoihiPlaceVector = partial(make_vector, LoihiPlace)
LoihiSwapVector = partial(make_vector, LoihiSwap)
LoihiPartitionVector = partial(make_vector, LoihiPartition)
LoihiMapVector = partial(make_vector, LoihiMap)
LoihiOneShotVector = partial(make_vector, LoihiOneShot)
