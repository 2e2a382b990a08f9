"""Registering the environments with Gymnasium."""

from typing import Any

import gymnasium
from gymnasium.envs.registration import load_env_creator

from ..errors import unknown

ENVIRONMENTS = {
    "LoihiPlace-v0": "loihi_gym.envs.place:LoihiPlace",
    "LoihiSwap-v0": "loihi_gym.envs.swap:LoihiSwap",
    "LoihiPartition-v0": "loihi_gym.envs.partition:LoihiPartition",
    "LoihiMap-v0": "loihi_gym.envs.map:LoihiMap",
    "LoihiOneShot-v0": "loihi_gym.envs.one_shot:LoihiOneShot",
}
"""Id and class of each environment."""


def register() -> None:
    """Register all environments; a second time changes nothing."""
    for name, entry_point in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            kind = entry_point.split(":")[1]
            gymnasium.register(
                id=name,
                entry_point=entry_point,
                vector_entry_point=f"loihi_gym.envs.vector_choice:{kind}Vector",
            )


def environment_class(env_id: str) -> Any:
    """Class of an environment, imported now.

    Raises:
        UnknownNameError: if there is none of that id.
    """
    name = str(env_id).removeprefix("loihi_gym:")
    if name not in ENVIRONMENTS:
        raise unknown("environment", name, list(ENVIRONMENTS))
    return load_env_creator(ENVIRONMENTS[name])
