"""`LoihiRefine-v0`: chains of described moves, measured when the agent says so."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium import spaces

from ..errors import InvalidActionError
from .arguments import HoldingArguments
from .base import LoihiEnv, Mask
from .checks import count, is_bool, word
from .episode_state import EpisodeState
from .measured_mapping import Change, MeasuredMapping, Swap, Unmeasured
from .refine_kernel import MOST, N_MOVE
from .refine_moves import CONTEXT_FEATURES, Offer, context, draw, nothing

PERCENT = 0.01
"""Reduction of the logarithm of the objective that is worth a reward of 1."""
LEAST_REWARD, MOST_REWARD = -3.0, 5.0


@dataclass(frozen=True, kw_only=True, eq=False)
class RefineArguments(HoldingArguments):
    """Arguments of `LoihiRefine`."""

    hold: bool = field(default=True, metadata={"check": is_bool})
    observation: Any = field(default="flat", metadata={"check": word("flat")})
    candidates: int = field(default=16, metadata={"check": count(1024)})
    chain: int = field(default=7, metadata={"check": count()})
    restart: str = field(default="incumbent", metadata={"check": word("incumbent", "best")})
    max_steps: int = field(default=256, metadata={"check": count()})


class LoihiRefine(LoihiEnv):
    """Refine a mapping by chains of described moves, and measure when it seems worth it.

    ## Description
    The agent is shown K moves of the mapping, each with numbers that are known without measuring.
    It applies one, which costs nothing and brings K new ones, or commits: then the whole mapping is
    measured, and a worse one is taken back to where the chain began. Several moves that only
    together make a mapping faster can so be tried with one evaluation. A move exchanges what is on
    two cores, half of them at most two routers apart; the cores per layer stay as they are. What is
    shown does not depend on the size of network or chip, so that one policy serves all.

    ## Action Space
    `Discrete(K + 1)`: k < K applies candidate k, K commits. The mask leaves out candidates that
    could not be drawn, all of them after `chain` moves without a commit, and the commit while
    nothing has been moved, unless nothing else is left. The first two are illegal: `on_illegal`
    says what they do. A commit of what is known already costs no evaluation.

    ## Observation Space
    A Dict of two float32 Boxes within [-5, 5]. `candidates`, (K, 23):

    | column | meaning |
    |---|---|
    | 0-7 | 10 ln (after the move / now) of eight times of the traffic, below |
    | 8-15 | 10 ln (after the move / where the chain began) of the same |
    | 16-18 | piece moved: (layer + 1) / layers, time to send and to receive relative to the most |
    | 19-21 | the same of the piece it changes places with, 0 if that core is free |
    | 22 | h / (h + 4), h the routers between the two cores |

    The times, in us over all steps: of the busiest link; the links' 8-norm; their root mean square;
    their mean; for which two inputs of a router want one output; for which messages for two outputs
    stand in one input; the most of one link for one layer; root mean square of that. A candidate
    that is not there is all 0.

    `context`, (43,): objective x/(1+x), best of the episode x/(1+x), x = 1 being the reference;
    steps taken of `max_steps`; moves since the last commit of `chain`; part of the cores in use;
    send and receive time of the busiest pieces as part of the latency measured last; the eight
    times as part of it; columns 8-15 of the mapping as it is; the 20 constants of the chip.

    ## Rewards
    0 for a move. For a commit ln (objective before / objective measured) / 0.01, no less than -3
    and no more than 5: about 1 for each per cent, and negative for what is taken back. The fall of
    the objective itself is `info["reduction"]`.

    ## Starting State
    The reference mapping, or what `start` and `reset(options={"mapping": ...})` say, as in
    `LoihiPlace`; ``"random"`` is a random mapping, cores per layer included.

    ## Episode End
    Terminates after `max_steps` steps, moves and commits alike; the last one is measured in any
    case. Truncates if a measurement fails.

    ## Info
    As in `LoihiPlace`; `action_mask` is int8, (K + 1,). Between commits latency, reduction and
    bottleneck are those measured last.

    ## Arguments
    - `candidates`: K, 16 by default; sets the actions too.
    - `chain`: moves between two commits, at most; 7 by default.
    - `hold`: whether a worse commit is taken back; on by default.
    - `restart`: where the next chain begins after a commit: ``incumbent`` (default), the mapping
      kept; or ``best``, the best that this environment has measured of the problem, in episodes
      before this one too, at no evaluation.
    - `max_steps`: steps in an episode, 256 by default.
    - `on_illegal`: as in `LoihiPartition`.
    - `observation`: ``flat``, the one form there is.
    - `benchmark`, `backend`, `chips`, `randomize_chip`, `objective`, `start`, `max_layers`,
      `render_mode`: as in `LoihiPlace`. The chip's constants are observed in any case.

    ## Vectorized environment
    As `LoihiPlace`, by `evaluate_batch`: the commits of all environments in a step are one batch.

    ## Version History
    - v0: not released yet.
    """

    Arguments = RefineArguments
    arguments: RefineArguments

    def _make_action_space(self) -> spaces.Discrete:
        return spaces.Discrete(self.arguments.candidates + 1)

    def _make_observation_space(self) -> spaces.Dict:
        shapes = {
            "candidates": (self.arguments.candidates, N_MOVE),
            "context": (len(CONTEXT_FEATURES),),
        }
        return spaces.Dict(
            {name: spaces.Box(-MOST, MOST, shape, np.float32) for name, shape in shapes.items()}
        )

    def _offer(self, state: EpisodeState) -> Offer:
        """New candidates; those of an environment that was never reset are none."""
        arguments = self.arguments
        if self._np_random is None:
            return nothing(arguments.candidates)
        goes_on = isinstance(state.measured, Unmeasured)
        before: Offer | None = self._state.offer if goes_on else None
        if before is not None and state.measured is self._state.measured:
            return before  # nothing was moved
        return draw(state.task, state.measured, before, self.np_random, arguments.candidates)

    def _change(self, action: np.int64) -> Change:
        state = self._state
        if action == self.arguments.candidates:
            return state.measured
        core_a, core_b = state.offer.cores[action].tolist()
        if core_a < 0 or state.offer.chain >= self.arguments.chain:
            raise InvalidActionError(
                f"action {action}: candidate {action} was not drawn"
                if core_a < 0
                else f"action {action}: commit after {self.arguments.chain} moves"
            )
        return Swap(core_a, core_b)

    def _is_illegal(self, action: np.int64) -> bool:
        return bool(action < self.arguments.candidates and not self._applicable()[action])

    def _commits(self, action: Any) -> bool:
        return int(action) == self.arguments.candidates or self._is_last()

    def _is_last(self) -> bool:
        return self._state.steps + 1 >= self.arguments.max_steps

    def _reward(self, before: float, found: float, kept: float, scale: float) -> float:
        if before == found:
            return 0.0
        return min(max(math.log(before / found) / PERCENT, LEAST_REWARD), MOST_REWARD)

    def _restarted(self, state: EpisodeState) -> EpisodeState:
        if self.arguments.restart == "incumbent" or isinstance(state.measured, Unmeasured):
            return state
        if state.least >= state.value:
            return state
        return state._replace(measured=state.lowest, committed=state.lowest, value=state.least)

    def _horizon(self, measured: MeasuredMapping) -> int:
        return self.arguments.max_steps

    def _applicable(self) -> Mask:
        """Which candidates can be applied, (K,)."""
        offer: Offer = self._state.offer
        there: Mask = offer.cores[:, 0] >= 0
        return there & (offer.chain < self.arguments.chain)

    def _mask(self) -> Mask:
        applicable = self._applicable()
        commits = isinstance(self._state.measured, Unmeasured) or not applicable.any()
        return np.append(applicable, commits)

    def _observe(self) -> dict[str, Any]:
        state = self._state
        offer: Offer = state.offer
        value, best = state.value / state.task.scale, state.best / state.task.scale
        rest = [
            value / (1.0 + value),
            best / (1.0 + best),
            state.steps / self.arguments.max_steps,
            offer.chain / self.arguments.chain,
            len(state.measured.placement) / self.layout.mesh.n_cores,
        ]
        return {
            "candidates": offer.features.copy(),
            "context": context(state.task, state.measured, offer, rest),
        }
