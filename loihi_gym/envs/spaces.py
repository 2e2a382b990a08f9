"""`LegalDiscrete`: the action space of environments in which some actions are illegal."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..arrays import BoolArray


class LegalDiscrete(spaces.Discrete):
    """A `Discrete` whose `sample()` draws among the actions that are legal now, unless told others.

    Right after `seed()` it draws, where there are any, among those that are legal both now and at
    the start of an episode: whoever seeds the space may reset the environment before the action is
    taken.
    """

    _legal: BoolArray | None = None
    _at_start: BoolArray | None = None

    def follow(self, legal: BoolArray, at_start: bool) -> None:
        """Take note of which actions are legal now; all are until this is called."""
        self._legal = legal
        if at_start:
            self._at_start = legal

    def seed(self, seed: int | None = None) -> int:
        """Seed the space's generator."""
        if self._legal is not None and self._at_start is not None:
            both = self._legal & self._at_start
            self._legal = both if both.any() else self._legal
        return super().seed(seed)

    def sample(
        self,
        mask: npt.NDArray[np.int8] | None = None,
        probability: npt.NDArray[Any] | None = None,
    ) -> Any:
        """A random action; see `gymnasium.spaces.Discrete.sample`."""
        if mask is None and probability is None and self._legal is not None:
            mask = self._legal.view(np.int8)
        return super().sample(mask, probability)
