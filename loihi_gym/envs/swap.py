"""`LoihiSwap-v0`: exchange what is on two physical cores, as often as one likes."""

from dataclasses import dataclass, field

import numpy as np
from gymnasium import spaces

from ..arrays import Int64Array
from ..mapping import Mapping, Problem, random_placement
from .arguments import SteppedArguments
from .base import LoihiEnv, Mask
from .checks import is_bool
from .measured_mapping import Change, MeasuredMapping, Swap


@dataclass(frozen=True, kw_only=True, eq=False)
class SwapArguments(SteppedArguments):
    """Arguments of `LoihiSwap`."""

    undo: bool = field(default=False, metadata={"check": is_bool})


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
    - `hold`, `commit_every`: as in `LoihiPlace`.
    - `on_illegal`: taken, as by all environments of this kind; no action is illegal here.
    - `undo`: whether naming one core twice takes the last swap back; off by default.
    - `benchmark`, `backend`, `chips`, `randomize_chip`, `objective`, `observation`, `start`,
      `max_layers`, `render_mode`: as in `LoihiPlace`.

    ## Vectorized environment
    As `LoihiPlace`, by `evaluate_batch`.

    ## Version History
    As `LoihiPlace`.
    """

    Arguments = SwapArguments
    arguments: SwapArguments

    def _make_action_space(self) -> spaces.MultiDiscrete:
        return spaces.MultiDiscrete([self.layout.mesh.n_cores] * 2)

    def _change(self, action: Int64Array) -> Change:
        state = self._state
        core_a, core_b = int(action[0]), int(action[1])
        if core_a == core_b:
            undone = state.undo if self.arguments.undo else None
            return state.measured if undone is None else undone
        occupant = state.measured.occupant
        if occupant[core_a] < 0 and occupant[core_b] < 0:
            return state.measured
        return Swap(core_a, core_b)

    def _random_start(self, problem: Problem) -> Mapping:
        n_cores = problem.topology.n_cores
        return random_placement(problem.reference_mapping, n_cores, self.np_random)

    def _horizon(self, measured: MeasuredMapping) -> int:
        return self.arguments.max_steps or self.layout.mesh.n_cores

    def _mask(self) -> Mask:
        cores = self.layout.mesh.n_cores
        mask = np.ones(2 * cores, np.bool_)
        mask[:cores] = self._state.measured.occupant >= 0
        return mask
