"""Registering the environments with Gymnasium."""

import gymnasium

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
            gymnasium.register(
                id=name,
                entry_point=entry_point,
                vector_entry_point=f"loihi_gym.envs.vector:{entry_point.split(':')[1]}Vector",
            )
