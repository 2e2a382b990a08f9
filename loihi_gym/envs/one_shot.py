"""`LoihiOneShot-v0`: the whole mapping in one action, for black-box optimisers and bandits."""

from typing import Any

import numpy as np
from gymnasium import spaces

from ..arrays import Float32Array, Int32Array
from ..mapping import Mapping, heuristic
from .base import LoihiEnv, Mask
from .measured_mapping import Change, MeasuredMapping

Keys = Float32Array


class LoihiOneShot(LoihiEnv):
    """Name a whole mapping by random keys: a contextual bandit, and what black-box search sees.

    ## Description
    One step: the agent gives a vector of keys, from which the cores per layer and the order of the
    physical cores are read; that mapping is measured. Every vector is a legal mapping.
    L = `max_layers` and C physical cores below.

    ## Action Space
    `Box(-1, 1, (L + C,), float32)`. Key l < L says how many cores layer l gets beyond the fewest
    that hold it: with S cores to spare, (key + 1) / 2 of S; if all layers together want more than
    S, all wants are scaled down; if a core's capacity would be exceeded (axons), they are halved
    until it is not. The other keys, one per physical core, sort the cores: logical core i goes on
    the core with the i-th smallest key, equal keys by number. `encode(mapping)` gives keys for a
    mapping, so that a search can start from one. All actions are legal and there is no mask, as for
    any `Box`.

    ## Observation Space
    The measured mapping as a flat Dict, an image or a graph; without a cursor. Before the step it
    is the context: the start, by default the reference mapping of the episode's problem.

    ## Rewards
    (objective before - objective after) / objective of the reference mapping: from the reference,
    the reduction.

    ## Starting State
    The reference mapping, or what `start` and `reset(options={"mapping": ...})` say.

    ## Episode End
    Terminates after one step. Truncates instead if the measurement fails.

    ## Info
    As in `LoihiPlace`, but `action_mask` is empty.

    ## Arguments
    - `benchmark`, `backend`, `chips`, `randomize_chip`, `objective`, `observation`, `start`,
      `max_layers`, `render_mode`: as in `LoihiPlace`; `max_layers` sets the actions too.

    ## Vectorized environment
    As `LoihiPlace`, by `evaluate_batch`.

    ## Version History
    As `LoihiPlace`.
    """

    def encode(self, mapping: Mapping) -> Keys:
        """Keys that stand for a mapping of this episode's problem, (L + C,).

        Exact if no layer has fewer cores than the fewest that hold it, as `packed` counts them.

        Raises:
            IllegalMappingError: if the mapping is illegal.
        """
        self.problem.require(mapping)
        fewest, spare = self._room()
        keys = np.full(self.action_space.shape or (), 1.0)
        extra = mapping.cores_per_layer - fewest
        keys[: len(fewest)] = extra / max(spare, 1) * 2.0 - 1.0
        keys[self.max_layers + mapping.placement] = np.linspace(-1.0, 0.0, mapping.n_logical_cores)
        clipped: Keys = np.clip(keys, -1.0, 1.0).astype(np.float32)
        return clipped

    def _room(self) -> tuple[Int32Array, int]:
        """Fewest cores that hold each layer, and how many cores are left then."""
        fewest = heuristic(self.problem, "packed/row-major").cores_per_layer
        return fewest, self.problem.topology.n_cores - int(fewest.sum())

    def _make_action_space(self) -> spaces.Box:
        size = self.max_layers + self.layout.mesh.n_cores
        return spaces.Box(-1.0, 1.0, (size,), np.float32)

    def _is_action(self, action: Any) -> bool:
        # A Box warns before it refuses what is no array.
        return isinstance(action, np.ndarray) and super()._is_action(action)

    def _change(self, action: Keys) -> Change:
        """The mapping that keys stand for."""
        fewest, spare = self._room()
        wanted = (action[: len(fewest)].astype(np.float64) + 1.0) / 2.0 * spare
        extra = np.rint(wanted)
        if extra.sum() > spare:
            extra = np.floor(wanted * (spare / wanted.sum()))
        counts = np.minimum(fewest + extra, self.problem.network.widths).astype(np.int32)
        while not all(self._state.task.fits(layer, counts) for layer in range(len(counts))):
            counts = fewest + (counts - fewest) // 2
        order = np.argsort(action[self.max_layers :], kind="stable")
        return Mapping(counts, order[: counts.sum()])

    def _horizon(self, measured: MeasuredMapping) -> int:
        return 1

    def _mask(self) -> Mask:
        return np.ones(0, np.bool_)
