"""`Recent`: results kept because a search is likely to ask for them again."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from ..threads import filling

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The last `size` results that were asked for; threads take turns (see `threads.filling`)."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The result for `key`, made now if it is not kept."""
        with filling:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            value = self._kept[key] = make()
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
            return value
