"""Registering the environments, as soon as Gymnasium is imported, too.

Gymnasium has no entry points for this, and takes longer to import than the command line to answer.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from .errors import unknown

ENVIRONMENTS = {
    "LoihiPlace-v0": "loihi_gym.envs.place:LoihiPlace",
    "LoihiSwap-v0": "loihi_gym.envs.swap:LoihiSwap",
    "LoihiPartition-v0": "loihi_gym.envs.partition:LoihiPartition",
    "LoihiMap-v0": "loihi_gym.envs.map:LoihiMap",
    "LoihiRefine-v0": "loihi_gym.envs.refine:LoihiRefine",
    "LoihiOneShot-v0": "loihi_gym.envs.one_shot:LoihiOneShot",
}
"""Id and class of each environment."""


def register() -> None:
    """Register the environments now if Gymnasium is imported, else as soon as it is.

    A second time changes nothing.
    """
    if "gymnasium" in sys.modules:
        import gymnasium

        for name, entry_point in ENVIRONMENTS.items():
            if name not in gymnasium.registry:
                vector = f"loihi_gym.envs.vector_choice:{name.removesuffix('-v0')}"
                gymnasium.register(name, entry_point, vector_entry_point=vector)
    elif not any(isinstance(finder, GymnasiumFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, GymnasiumFinder())


def environment_class(env_id: str) -> Any:
    """Class of an environment, imported now.

    Raises:
        UnknownNameError: if there is none of that id.
    """
    name = str(env_id).removeprefix("loihi_gym:")
    if name not in ENVIRONMENTS:
        raise unknown("environment", name, list(ENVIRONMENTS))
    module, _, kind = ENVIRONMENTS[name].partition(":")
    return getattr(import_module(module), kind)


class GymnasiumFinder(MetaPathFinder):
    """Finds Gymnasium where Python does, but for a loader that goes on to register."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where Gymnasium is; None for every other module."""
        if name != "gymnasium":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _RegisteringLoader(name, spec.origin)
        return spec


class _RegisteringLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        register()
