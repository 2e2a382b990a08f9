"""`PerLayer`: what a layer's count and the next one's decide, worked out once."""

from collections.abc import Callable
from itertools import pairwise
from typing import Generic, TypeVar

from ..arrays import Int32Array

Value = TypeVar("Value")


class PerLayer(Generic[Value]):
    """What a layer's count and the next one's decide, worked out once: it is asked all the time.

    Args:
        make: Works it out for a layer of a partitioning, given by its cores per layer.
    """

    def __init__(self, make: Callable[[int, Int32Array], Value]) -> None:
        self._make = make
        self._kept: dict[tuple[int, int, int], Value] = {}

    def of(self, counts: Int32Array) -> list[Value]:
        """The values of all layers of a partitioning."""
        keys = [(layer, *two) for layer, two in enumerate(pairwise([*counts.tolist(), 0]))]
        for key in keys:
            if key not in self._kept:
                self._kept[key] = self._make(key[0], counts)
        return [self._kept[key] for key in keys]
