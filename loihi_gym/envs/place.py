"""`LoihiPlace-v0`: put one logical core after the other on a physical core of one's choice."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium import spaces

from ..mapping import Mapping, Problem, random_placement
from .arguments import MovingArguments
from .base import LoihiEnv, Mask
from .checks import count
from .episode_state import EpisodeState
from .measured_mapping import Change, MeasuredMapping, Swap


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaceArguments(MovingArguments):
    """Arguments of `LoihiPlace`."""

    passes: int = field(default=1, metadata={"check": count()})


class LoihiPlace(LoihiEnv):
    """Place the pieces of a sparse MLP on the neurocores of a simulated Loihi 2.

    ## Description
    A sparse network is cut into pieces, the logical cores; each must sit on a physical core of the
    chip's mesh, and where they sit decides how messages jam. An episode goes over the logical cores
    in layer order. At each step the agent names the physical core for the one under the cursor; the
    two places swap what is on them, and the whole mapping is measured. Every mapping is legal.
    C physical cores below.

    ## Action Space
    `Discrete(C)`: the physical core, numbered by (chip, router y, router x, port). All are legal;
    naming the core the piece is on already leaves the mapping as it is. The mask (`action_masks()`,
    `info["action_mask"]`) leaves out cores with another piece of the same layer: swapping two
    nearly equal pieces spends an evaluation on next to nothing.

    ## Observation Space
    The measured mapping as a flat Dict, an image or a graph; with a cursor.

    ## Rewards
    (objective before - objective after) / objective of the reference mapping. Over an episode that
    starts from the reference the rewards add up to the fraction by which the objective fell.

    ## Starting State
    The reference mapping: the fastest standard heuristic. Argument `start`, or
    `reset(options={"mapping": ...})`, is one of the words below or a `Mapping`. With
    `randomize_chip` each reset draws a chip; `reset(options={"chip": "NAME"})` chooses it.
    - ``"reference"``, the default.
    - ``"random"``: the reference's cores per layer at random places; in `LoihiPartition`,
      `LoihiMap` and `LoihiOneShot` random cores per layer, too.
    - ``"best"``: the best mapping that this environment has measured of the same problem on the
      same chip. No evaluation: it is known. The reference before there is one.
    - ``"incumbent"``: likewise the mapping that the episode before ended with.

    A `reset` with a seed forgets the episodes before it, so that what follows is repeatable.

    ## Episode End
    Terminates after `passes` passes over the logical cores. Truncates if a measurement fails:
    reward 0, the mapping as before, `info["error"]` says why.

    ## Info
    - `benchmark`: name of the episode's problem.
    - `latency_s`: simulated or measured latency in seconds.
    - `reduction`, `best_reduction`: of the objective, against the reference, now and at best.
    - `evaluations`: mappings measured in this episode. The reference is free, and a mapping that
      stays as it is is not measured again. With `chips` and no `randomize_chip` a mapping is
      measured on each chip and counts as that many.
    - `latencies_s`: only then: latency on each chip by its name, in seconds.
    - `chip`: only with `randomize_chip`: name of the episode's chip.
    - `bottleneck_kind`, `bottleneck_index`, `bottleneck_share`: what the slowest time step waited
      for, as numbers: 0 a core updating neurons and sending, 1 a core taking messages, 2 a link, -1
      if the backend does not say; the number of that core or link; the part of the step during
      which it was busy. `env.unwrapped.describe_bottleneck()` is a sentence.
    - `action_mask`: int8, (C,).
    - `error`: only if a measurement failed.

    ## Arguments
    All by name; any other is an error that names the likely one.
    - `benchmark`: a benchmark's name or a `Problem`; or a set, of which each reset draws one by its
      seed: a list of these, a family's part (``family://sparse-mlp/train?chip=loihi2``), or a
      function of a NumPy generator to one. ``mlp-deep`` by default.
    - `backend`: ``mesh`` (default), ``bound``, another backend's name or address; a `Backend` for
      the one problem it measures, such as a solver's session; or a function from a `Problem` to
      one.
    - `chips`: a set of plausible chips: a name (``loihi-gym hypotheses`` lists them), a .toml file,
      `Hypotheses`; ``SET,NAME`` chooses members, ``SET,-NAME`` leaves them out. It is laid over the
      problem's chip. Each mapping is measured on all of them by `backend`, which must be a name.
      The latency is then the geometric mean of what it takes relative to the reference on each
      chip, times the reference's on the first; bottleneck and observations are of the first. No
      energy is measured. What is legal is legal on every chip.
    - `randomize_chip`: whether each reset draws one chip of `chips` instead; mappings are measured
      on that one alone. Observations then carry its constants. `backend` is a name or a function.
      The reference is the problem's, or the fastest standard heuristic if that does not fit.
    - `objective`: ``latency``, ``energy``, ``edp`` (their product), or a function of a
      `Measurement` to a positive number, less being better.
    - `observation`: ``flat``, ``image`` or ``graph``.
    - `start`: see Starting State.
    - `max_layers`: layers that observations have room for, 32 by default, 4,096 at most.
    - `hold`: whether a step that measures a worse mapping is taken back, at reward 0; off by
      default. It has cost its evaluation.
    - `commit_every`: m, 1 by default: only every m-th step and an episode's last one is measured.
      The steps between have reward 0 and cost no evaluation; their observations show the changed
      mapping and what loads its links get, beside the latency measured last.
    - `on_illegal`: taken, as by all environments of this kind; no action is illegal here.
    - `passes`: passes over the logical cores, 1 by default.
    - `render_mode`: ``ansi`` (text), ``rgb_array``, or ``human`` (a matplotlib window).

    ## Vectorized environment
    `gymnasium.make_vec("LoihiPlace-v0", num_envs=64, vectorization_mode="vector_entry_point")`
    steps all environments at once: compiled with `bound`, by `evaluate_batch` with other backends
    and with `chips`. They are equal, step for step, to single ones; only the compiled ones leave
    the bottleneck out.
    Argument `autoreset_mode`: ``NextStep`` (default), ``SameStep`` or ``Disabled``.
    `loihi_gym.sb3.make_vec_env` gives the same to Stable-Baselines3.

    ## Version History
    - v0: not released yet. What changed: `hold`, `commit_every`, the starts ``"best"`` and
      ``"incumbent"`` are new; ``"random"`` keeps the reference's cores per layer; illegal
      actions do nothing unless `on_illegal` says otherwise; unknown arguments and options raise,
      so does a step before the first `reset`; observations, masks and infos are the
      caller's to write to.
    """

    Arguments = PlaceArguments
    arguments: PlaceArguments

    def _make_action_space(self) -> spaces.Discrete:
        return spaces.Discrete(self.layout.mesh.n_cores)

    def _change(self, action: np.int64) -> Change:
        state = self._state
        place = int(state.measured.placement[state.cursor])
        return state.measured if place == action else Swap(place, int(action))

    def _random_start(self, problem: Problem) -> Mapping:
        n_cores = problem.topology.n_cores
        return random_placement(problem.reference_mapping, n_cores, self.np_random)

    def _horizon(self, measured: MeasuredMapping) -> int:
        return self.arguments.passes * measured.partition.first[-1]

    def _cursor(self, state: EpisodeState, action: Any) -> int:
        return state.steps % state.measured.partition.first[-1]

    def _mask(self) -> Mask:
        return mask_own_layer(self._state, self.layout.mesh.n_cores)


def mask_own_layer(state: EpisodeState, n_cores: int) -> Mask:
    """All physical cores but those with another piece of the cursor's layer, (C,)."""
    mask = np.ones(n_cores, np.bool_)
    if state.cursor >= 0:
        partition, placement = state.measured.partition, state.measured.placement
        layer = partition.table.layer[state.cursor]
        mask[placement[partition.first[layer] : partition.first[layer + 1]]] = False
        mask[placement[state.cursor]] = True
    return mask
