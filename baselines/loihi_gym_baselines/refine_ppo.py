"""`refine-ppo`: PPO (Schulman et al. 2017; SB3) on `LoihiRefine-v0`, from pretrained weights.

A chain of moves that ends with a commit is an episode: its return is what the commit brought, and
every action of it is told that. Where the next chain begins, and when cores per layer change, says
`Chains`, as for `refine`. The policy (`refine_policy`) begins with the same weights as `refine`'s
scorer, and all of it learns.

Seeded training on one torch thread repeats itself, so a resumed run needs no checkpoint.
"""

from typing import Any

from loihi_gym.search.registry import anytime, needs
from loihi_gym.search.session import Session

from .agents import one_thread
from .chains import Chains
from .refine_search import first_scorer

ENVS = 4
"""Chains that run together; their commits are measured as one batch."""
PPO = {
    "n_steps": 32,
    "batch_size": 64,
    "n_epochs": 4,
    "learning_rate": 1e-3,
    "gamma": 1.0,
    "gae_lambda": 1.0,
    "ent_coef": 0.003,
}
"""What differs from SB3's defaults."""
STALLS = 20
"""Steps per evaluation after which a search ends: where all is known nothing is measured."""


@anytime
@needs("rl", "stable_baselines3", "torch")
def solve(
    session: Session, from_scratch: bool = False, weights: str = "", start: str = "default"
) -> None:
    """PPO (SB3) on LoihiRefine-v0 from pretrained weights.

    Args:
        session: The search.
        from_scratch: Whether the policy begins untrained.
        weights: File of a scorer, as `loihi-gym pretrain refine` writes it; that which comes with
            the package if it is empty.
        start: ``default``, ``random``, or the name of a standard heuristic.
    """
    import stable_baselines3

    from .chain_envs import ChainEnvs
    from .refine_policy import RefinePolicy

    scorer = first_scorer(session, from_scratch, weights)
    with one_thread():
        envs = ChainEnvs(Chains(session, start), ENVS)
        settings: dict[str, Any] = {**PPO, "policy_kwargs": {"scorer": scorer}, "device": "cpu"}
        agent = stable_baselines3.PPO(RefinePolicy, envs, seed=session.seed, **settings)
        agent.learn(session.budget)
        while session.remaining and agent.num_timesteps < STALLS * session.budget:
            agent.learn(session.budget, reset_num_timesteps=False)
