"""`LoihiSwap-v0`: exchange what is on two physical cores, as often as one likes."""

from typing import Any

import numpy as np
from gymnasium import spaces

from ..arrays import Int64Array
from .base import Change, LoihiEnv, Mask, check_positive
from .measured_mapping import MeasuredMapping, Swap


class LoihiSwap(LoihiEnv):
    """Improve a placement by swaps: local search as an environment.

    ## Description
    At each step the agent names two physical cores; they exchange what is on them, and the whole
    mapping is measured. The cores per layer stay as they are. Every mapping is legal. C physical
    cores below.

    ## Action Space
    `MultiDiscrete([C, C])`: two physical cores, either of which may be free. Naming one core twice
    takes the last swap back if `undo` is on, which costs a step but no evaluation (one swap deep: a
    second time changes nothing), and changes nothing otherwise. All actions are legal. The mask,
    (2C,) for the first and then the second core, leaves out free cores as the first one; it cannot
    say that the two should differ.

    ## Observation Space
    The measured mapping as a flat Dict, an image or a graph; without a cursor.

    ## Rewards
    (objective before - objective after) / objective of the reference mapping.

    ## Starting State
    The reference mapping, or what `start` and `reset(options={"mapping": ...})` say.

    ## Episode End
    Terminates after `max_steps` steps. Truncates if a measurement fails.

    ## Info
    As in `LoihiPlace`; `action_mask` is int8, (2C,): `np.split(mask, 2)` gives what
    `action_space.sample(mask=...)` takes, as a tuple.

    ## Arguments
    - `max_steps`: steps in an episode; as many as the chip has cores by default.
    - `undo`: whether naming one core twice takes the last swap back; off by default.
    - `benchmark`, `backend`, `objective`, `observation`, `start`, `max_layers`, `render_mode`: as
      in `LoihiPlace`.

    ## Vectorized environment
    As `LoihiPlace`, by `evaluate_batch`.

    ## Version History
    - v0: first release.
    """

    def __init__(
        self, *arguments: Any, max_steps: int | None = None, undo: bool = False, **shared: Any
    ) -> None:
        check_positive("max_steps", max_steps)
        self.max_steps = max_steps
        self.undo = undo
        super().__init__(*arguments, max_steps=max_steps, undo=undo, **shared)

    def _make_action_space(self) -> spaces.MultiDiscrete:
        return spaces.MultiDiscrete([self.layout.mesh.n_cores] * 2)

    def _change(self, action: Int64Array) -> Change:
        state = self._state
        core_a, core_b = int(action[0]), int(action[1])
        if core_a == core_b:
            undone = state.undo if self.undo else None
            return state.measured if undone is None else undone
        occupant = state.measured.occupant
        if occupant[core_a] < 0 and occupant[core_b] < 0:
            return state.measured
        return Swap(core_a, core_b)

    def _horizon(self, measured: MeasuredMapping) -> int:
        return self.max_steps or self.layout.mesh.n_cores

    def _mask(self) -> Mask:
        cores = self.layout.mesh.n_cores
        mask = np.ones(2 * cores, np.bool_)
        mask[:cores] = self._state.measured.occupant >= 0
        return mask
