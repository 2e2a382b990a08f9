"""`LoihiPartition-v0`: give cores to layers and take them away; the placement follows."""

import numpy as np

from ..errors import LoihiGymError
from .arguments import SteppedArguments
from .base import Change, LoihiEnv, Mask
from .counts import legal_changes, recut
from .episode_state import EpisodeState
from .measured_mapping import MeasuredMapping
from .spaces import LegalDiscrete


class LoihiPartition(LoihiEnv):
    """Decide into how many cores each layer is cut.

    ## Description
    At each step the agent gives a core to a layer or takes one away. The placement follows by the
    reordering operator of Pierro et al. (arXiv 2602.04717): every layer keeps the cores it has,
    what it lacks comes from the free cores, what it has too much becomes free. Then the whole
    mapping is measured. L = `max_layers` below.

    ## Action Space
    `Discrete(2L)`: l gives a core to layer l, L + l takes one from it. Illegal, and refused with an
    `InvalidActionError` that names the rule: a layer that the network does not have; taking a
    layer's only core; giving when no core is free or a layer has a core per neuron; whatever would
    break a capacity of a core. The mask leaves out exactly these, and `action_space.sample()` draws
    among the others: use an algorithm that knows masks. If no action is legal from the start,
    `reset` raises.

    ## Observation Space
    The measured mapping as a flat Dict, an image or a graph; without a cursor.

    ## Rewards
    (objective before - objective after) / objective of the reference mapping.

    ## Starting State
    The reference mapping, or what `start` and `reset(options={"mapping": ...})` say.

    ## Episode End
    Terminates after `max_steps` steps. Truncates if a measurement fails.

    ## Info
    As in `LoihiPlace`; `action_mask` is int8, (2L,).

    ## Arguments
    - `max_steps`: steps in an episode; as many as the chip has cores by default.
    - `max_layers`: L, 32 by default; sets the actions too.
    - `benchmark`, `backend`, `objective`, `observation`, `start`, `render_mode`: as in
      `LoihiPlace`.

    ## Vectorized environment
    As `LoihiPlace`, by `evaluate_batch`.

    ## Version History
    - v0: first release. Since then: unknown arguments and options raise, so does a step before the
      first `reset`; observations, masks and infos are the caller's to write to.
    """

    action_space: LegalDiscrete
    Arguments = SteppedArguments
    arguments: SteppedArguments

    def _make_action_space(self) -> LegalDiscrete:
        return LegalDiscrete(2 * self.max_layers)

    def _change(self, action: np.int64) -> Change:
        state = self._state
        return recut(state.task, state.measured, int(action), self.max_layers)

    def _horizon(self, measured: MeasuredMapping) -> int:
        return self.arguments.max_steps or self.layout.mesh.n_cores

    def _mask(self) -> Mask:
        state = self._state
        return legal_changes(state.task, state.measured, self.max_layers)

    def go_to(self, state: EpisodeState) -> None:
        """Make an episode's state the current one."""
        super().go_to(state)
        if not self._masks.any():
            raise LoihiGymError(
                f"{state.task.problem.name} fills {state.task.problem.chip.name}: no core can be "
                "given to a layer or taken away"
            )
        self.action_space.follow(self._masks, at_start=state.steps == 0)
