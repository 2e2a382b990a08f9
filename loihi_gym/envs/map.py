"""`LoihiMap-v0`: cores per layer and placement, jointly."""

from typing import Any

import numpy as np

from .base import Mask
from .episode_state import EpisodeState
from .measured_mapping import Change, Swap
from .partition import LoihiPartition
from .place import mask_own_layer
from .spaces import LegalDiscrete


class LoihiMap(LoihiPartition):
    """Decide into how many cores each layer is cut and where each of them sits.

    ## Description
    `LoihiPartition` and `LoihiPlace` in one: at each step the agent gives a core to a layer, takes
    one away, or names the physical core for the logical core under the cursor, which then moves on,
    round and round in layer order. After each step the whole mapping is measured. L = `max_layers`
    and C physical cores below.

    ## Action Space
    `Discrete(2L + C)`: l gives a core to layer l, L + l takes one from it, 2L + c puts the piece
    under the cursor on core c, which gets in turn what was there. What is illegal in
    `LoihiPartition` is so here; `on_illegal` says what it does. The mask leaves it out and, as in
    `LoihiPlace`, cores with another piece of the same layer, though they are legal;
    `action_space.sample()` of a single environment draws among what the mask leaves.

    ## Observation Space
    The measured mapping as a flat Dict, an image or a graph; with a cursor.

    ## Rewards
    (objective before - objective after) / objective of the reference mapping.

    ## Starting State
    The reference mapping, or what `start` and `reset(options={"mapping": ...})` say.

    ## Episode End
    Terminates after `max_steps` steps. Truncates if a measurement fails.

    ## Info
    As in `LoihiPlace`; `action_mask` is int8, (2L + C,).

    ## Arguments
    - `max_steps`: steps in an episode; as many as the chip has cores by default.
    - `max_layers`: L, 32 by default; sets the actions too.
    - `hold`, `commit_every`: as in `LoihiPlace`.
    - `on_illegal`: as in `LoihiPartition`.
    - `benchmark`, `backend`, `chips`, `randomize_chip`, `objective`, `observation`, `start`,
      `render_mode`: as in `LoihiPlace`.

    ## Vectorized environment
    As `LoihiPlace`, by `evaluate_batch`.

    ## Version History
    As `LoihiPlace`.
    """

    def _make_action_space(self) -> LegalDiscrete:
        return LegalDiscrete(2 * self.max_layers + self.layout.mesh.n_cores)

    def _change(self, action: np.int64) -> Change:
        state, core = self._state, int(action) - 2 * self.max_layers
        if core < 0:
            return super()._change(action)
        place = int(state.measured.placement[state.cursor])
        return state.measured if place == core else Swap(place, core)

    def _is_illegal(self, action: np.int64) -> bool:
        return int(action) < 2 * self.max_layers and super()._is_illegal(action)

    def _cursor(self, state: EpisodeState, action: Any) -> int:
        """On by one after a placing action, as it was after a change of counts."""
        if action is None:
            return 0
        moved = int(action) >= 2 * self.max_layers
        cursor = self._state.cursor + moved
        return cursor % state.measured.partition.first[-1]

    def _mask(self) -> Mask:
        places = mask_own_layer(self._state, self.layout.mesh.n_cores)
        return np.concatenate([super()._mask(), places])
