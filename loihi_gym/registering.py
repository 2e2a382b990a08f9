"""Registering the environments as soon as Gymnasium is imported, too.

Gymnasium has no entry points for this, and takes longer to import than the command line to answer.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType


def register() -> None:
    """Register the environments now if Gymnasium is imported, else as soon as it is.

    A second time changes nothing.
    """
    if "gymnasium" in sys.modules:
        _register()
    elif not any(isinstance(finder, GymnasiumFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, GymnasiumFinder())


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
        _register()


def _register() -> None:
    from .envs.registration import register

    register()
