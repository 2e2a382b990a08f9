"""`LoihiPartition-v0`: give cores to layers and take them away; the placement follows."""

import numpy as np

from ..arrays import Int32Array
from ..errors import InvalidActionError, LoihiGymError
from ..mapping import with_counts
from .arguments import SteppedArguments
from .base import LoihiEnv, Mask
from .episode_state import EpisodeState
from .measured_mapping import Change, MeasuredMapping
from .spaces import LegalDiscrete


class LoihiPartition(LoihiEnv):
    """Decide into how many cores each layer is cut.

    ## Description
    At each step the agent gives a core to a layer or takes one away. The placement follows by the
    reordering operator of Pierro et al. (arXiv 2602.04717): every layer keeps the cores it has,
    what it lacks comes from the free cores, what it has too much becomes free. Then the whole
    mapping is measured. L = `max_layers` below.

    ## Action Space
    `Discrete(2L)`: l gives a core to layer l, L + l takes one from it. Illegal are: a layer that
    the network does not have; taking a layer's only core; giving when no core is free or a layer
    has a core per neuron; whatever would break a capacity of a core. `on_illegal` says what such an
    action does; the mask leaves out exactly these, and `action_space.sample()` of a single
    environment draws among the others. If no action is legal, `reset` raises.

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
    - `hold`, `commit_every`: as in `LoihiPlace`.
    - `on_illegal`: what an illegal action does. ``noop`` (default): nothing, which takes a step and
      no evaluation; ``penalty``: the same, and the reward is -0.01; ``raise``: an
      `InvalidActionError` that names the rule, and no step is taken.
    - `benchmark`, `backend`, `chips`, `randomize_chip`, `objective`, `observation`, `start`,
      `render_mode`: as in `LoihiPlace`.

    ## Vectorized environment
    As `LoihiPlace`, by `evaluate_batch`.

    ## Version History
    As `LoihiPlace`.
    """

    action_space: LegalDiscrete
    Arguments = SteppedArguments
    arguments: SteppedArguments

    def _make_action_space(self) -> LegalDiscrete:
        return LegalDiscrete(2 * self.max_layers)

    def _change(self, action: np.int64) -> Change:
        taken, layer = divmod(int(action), self.max_layers)
        problem, measured = self.problem, self._state.measured
        counts, n_cores = measured.partition.counts, problem.topology.n_cores
        if layer >= problem.n_layers:
            raise InvalidActionError(
                f"action {action}: {problem.name} has no layer {layer}, its last is "
                f"{problem.n_layers - 1}"
            )
        if taken and counts[layer] == 1:
            raise InvalidActionError(f"action {action}: layer {layer} must keep its only core")
        if not taken and counts.sum() == n_cores:
            raise InvalidActionError(
                f"action {action}: no core is free to be given to layer {layer}"
            )
        mapping = with_counts(measured.mapping, _changed(counts, layer, taken), n_cores)
        for violation in problem.check(mapping)[:1]:
            verb = "taking a core from" if taken else "giving a core to"
            raise InvalidActionError(f"action {action}: {verb} layer {layer} breaks {violation}")
        return mapping

    def _is_illegal(self, action: np.int64) -> bool:
        return not self._legal()[action]

    def _horizon(self, measured: MeasuredMapping) -> int:
        return self.arguments.max_steps or self.layout.mesh.n_cores

    def _mask(self) -> Mask:
        return self._legal().copy()

    def _legal(self) -> Mask:
        """Which changes of core counts no rule forbids, (2L,); not to be written to."""
        partition = self._state.measured.partition
        if partition.legal_changes is None:
            partition.legal_changes = self._legal_changes(partition.counts)
        return partition.legal_changes

    def _legal_changes(self, counts: Int32Array) -> Mask:
        mask = np.zeros((2, self.max_layers), np.bool_)
        free = counts.sum() < self.problem.topology.n_cores
        for layer, width in enumerate(self.problem.network.widths):
            mask[0, layer] = free and counts[layer] < width and self._fits(counts, layer, 0)
            mask[1, layer] = counts[layer] > 1 and self._fits(counts, layer, 1)
        return mask.reshape(-1)

    def _fits(self, counts: Int32Array, layer: int, taken: int) -> bool:
        """Whether a change keeps every capacity: of the layer's pieces, and axons into them."""
        task, changed = self._state.task, _changed(counts, layer, taken)
        return task.fits(layer, changed) and (layer == 0 or task.fits(layer - 1, changed))

    def go_to(self, state: EpisodeState) -> None:
        """Make an episode's state the current one."""
        super().go_to(state)
        if not self._masks.any():
            raise LoihiGymError(
                f"{state.task.problem.name} fills {state.task.problem.chip.name}: no core can be "
                "given to a layer or taken away"
            )
        self.action_space.follow(self._masks)


def _changed(counts: Int32Array, layer: int, taken: int) -> Int32Array:
    """The counts with a core less for a layer if one is taken, else with one more."""
    changed = counts.copy()
    changed[layer] += 1 - 2 * taken
    return changed
