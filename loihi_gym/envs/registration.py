"""Registering the environments with Gymnasium."""

import gymnasium

ENVIRONMENTS = {"LoihiPlace-v0": "loihi_gym.envs.place:LoihiPlace"}
"""Id and class of each environment."""


def register() -> None:
    """Register all environments; a second time changes nothing."""
    for name, entry_point in ENVIRONMENTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(id=name, entry_point=entry_point)
