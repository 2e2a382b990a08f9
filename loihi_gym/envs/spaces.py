"""`LegalDiscrete`: the action space of environments in which some actions are illegal."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..arrays import BoolArray


class LegalDiscrete(spaces.Discrete):
    """A `Discrete` whose `sample()` draws among the actions legal now, unless told others."""

    _legal: BoolArray | None = None

    def follow(self, legal: BoolArray) -> None:
        """Take note of which actions are legal now; all are until this is called."""
        self._legal = legal

    def sample(
        self,
        mask: npt.NDArray[np.int8] | None = None,
        probability: npt.NDArray[Any] | None = None,
    ) -> Any:
        """A random action; see `gymnasium.spaces.Discrete.sample`."""
        if mask is None and probability is None and self._legal is not None:
            mask = self._legal.view(np.int8)
        return super().sample(mask, probability)
