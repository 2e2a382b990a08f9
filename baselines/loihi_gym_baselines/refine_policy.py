"""`RefinePolicy`: SB3's actor and critic for `LoihiRefine-v0`, with one scorer for all candidates.

The logit of a candidate is what the scorer expects of it, times a factor. To commit is scored like
a move that changes nothing. So neither the number of candidates nor the size of network and chip
matters. What must not be chosen can be seen in the observation: plain PPO needs no masks.
"""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import CombinedExtractor
from torch import nn

from loihi_gym.backends.congestion_kernel import N_FEATURES
from loihi_gym.envs.refine_moves import CONTEXT_FEATURES, MOVE_FEATURES

from .scorer import FARTHEST, SEEN, SIZES, Scorer

SHARPNESS = 3.0
"""What expected rewards are multiplied by at first."""
MOVES = 4.0
"""Moves of a chain, about, where the scorer sees no difference."""
NEVER = -1e9
"""Logit of what must not be chosen."""
CRITIC = 32
"""Units of the critic's layer."""
F, C = len(MOVE_FEATURES), len(CONTEXT_FEATURES)


class ScoredMoves(nn.Module):
    """Logits of all actions, and what the critic sees.

    Args:
        candidates: K.
        scorer: What is known at first.
    """

    usual: torch.Tensor
    spread: torch.Tensor

    def __init__(self, candidates: int, scorer: Scorer) -> None:
        super().__init__()
        self.latent_dim_pi, self.latent_dim_vf = candidates + 1, CRITIC
        self._candidates = candidates
        tensors = {name: torch.from_numpy(part.copy()) for name, part in scorer.tensors.items()}
        self.register_buffer("usual", tensors["mean"])
        self.register_buffer("spread", tensors["spread"])
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(pairwise(SIZES)):
            layer = nn.Linear(before, after)
            layer.weight.data = tensors[f"weight-{i}"].T.contiguous()
            layer.bias.data = tensors[f"bias-{i}"]
            layers += [layer, nn.ReLU()]
        self.scorer = nn.Sequential(*layers[:-1])
        self.sharpness = nn.Parameter(torch.tensor(float(np.log(SHARPNESS))))
        self.commits = nn.Parameter(torch.tensor(float(np.log(candidates / MOVES))))
        self.critic = nn.Sequential(nn.Linear(C + 2, CRITIC), nn.Tanh())

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits, (B, K + 1), and what the critic sees, (B, CRITIC), of flat observations."""
        moves, context = self._parts(features)
        scores = self._scores(moves, context)
        return self._logits(scores, moves, context), self._critic_sees(scores, context)

    def forward_actor(self, features: torch.Tensor) -> torch.Tensor:
        """Logits, (B, K + 1)."""
        return self(features)[0]  # type: ignore[no-any-return]

    def forward_critic(self, features: torch.Tensor) -> torch.Tensor:
        """What the critic sees, (B, CRITIC)."""
        return self(features)[1]  # type: ignore[no-any-return]

    def _parts(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Candidates and the move that changes nothing, (B, K + 1, F), and the context, (B, C)."""
        context = features[:, -C:]
        moves = features[:, :-C].reshape(-1, self._candidates, F)
        at = CONTEXT_FEATURES.index(MOVE_FEATURES[N_FEATURES])
        nothing = self.usual[:F].repeat(len(features), 1)
        nothing[:, :N_FEATURES] = 0.0
        nothing[:, N_FEATURES : 2 * N_FEATURES] = context[:, at : at + N_FEATURES]
        return torch.cat([moves, nothing[:, None]], dim=1), context

    def _scores(self, moves: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """What is expected of each, (B, K + 1)."""
        seen = context[:, None, SEEN].expand(-1, moves.shape[1], -1)
        rows = (torch.cat([moves, seen], dim=2) - self.usual) / self.spread
        return self.scorer(rows.clamp(-FARTHEST, FARTHEST))[..., 0]  # type: ignore[no-any-return]

    def _logits(
        self, scores: torch.Tensor, moves: torch.Tensor, context: torch.Tensor
    ) -> torch.Tensor:
        logits = self.sharpness.exp() * scores
        logits = torch.cat([logits[:, :-1], logits[:, -1:] + self.commits], dim=1)
        chain = context[:, CONTEXT_FEATURES.index("chain")]
        there = (moves[:, :-1] != 0.0).any(dim=2) & (chain < 1.0)[:, None]
        commits = (chain > 0.0) | ~there.any(dim=1)
        return logits.masked_fill(~torch.cat([there, commits[:, None]], dim=1), NEVER)

    def _critic_sees(self, scores: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        best = scores[:, :-1].max(dim=1, keepdim=True).values
        seen = torch.cat([context, best.detach(), scores[:, -1:].detach()], dim=1)
        return self.critic(seen)  # type: ignore[no-any-return]


class RefinePolicy(ActorCriticPolicy):
    """The policy as SB3's algorithms take it.

    Args:
        args: As of `ActorCriticPolicy`.
        scorer: What is known at first.
        named: As of `ActorCriticPolicy`.
    """

    def __init__(self, *args: Any, scorer: Scorer, **named: Any) -> None:
        self._begins_with = scorer
        named |= {"ortho_init": False, "features_extractor_class": CombinedExtractor}
        super().__init__(*args, **named)

    def _build_mlp_extractor(self) -> None:
        assert isinstance(self.action_space, spaces.Discrete)
        module: Any = ScoredMoves(int(self.action_space.n) - 1, self._begins_with)
        self.mlp_extractor = module

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        self.action_net = nn.Identity()  # the logits are there
        kind: Any = self.optimizer_class
        self.optimizer = kind(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)
