"""`Recent`: results kept because a search is likely to ask for them again."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """The last `size` results that were asked for.

    Several threads may share one: each operation on the dictionary is whole, and what another
    thread has dropped in between is made again.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """The result for `key`, made now if it is not kept."""
        try:
            value = self._kept[key]
            self._kept.move_to_end(key)
        except KeyError:
            value = self._kept[key] = make()
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return value
