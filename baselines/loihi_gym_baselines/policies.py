"""Trained policies in one line: ``loihi_gym_baselines.load_policy("refine-ppo")``."""

from typing import Any

from loihi_gym.errors import unknown

NAMES = ("refine", "refine-ppo")


def load_policy(name: str, weights: str = "", candidates: int = 16) -> Any:
    """A policy for `LoihiRefine-v0` that was trained on other networks.

    Its `predict(observation)` returns an action and None.

    Args:
        name: ``refine-ppo`` for a policy of SB3 (extra ``rl``) that its PPO can go on training;
            ``refine`` for the `Scorer` in it, which needs no PyTorch and takes one observation.
        weights: File of weights as `loihi-gym pretrain refine` writes it; those that come with the
            package if it is empty.
        candidates: The environment's argument of that name.

    Raises:
        UnknownNameError: if there is no such policy.
        LoihiGymError: if the weights cannot be read, or what it needs is not installed.
    """
    if name not in NAMES:
        raise unknown("policy", name, list(NAMES))
    from .scorer import load_scorer

    if name == "refine":
        return load_scorer(weights)
    from loihi_gym.search.registry import check_installed

    check_installed(name)
    from loihi_gym.envs.refine import LoihiRefine

    from .refine_policy import RefinePolicy

    env = LoihiRefine(benchmark="mlp-xs", backend="bound", candidates=candidates)
    spaces = (env.observation_space, env.action_space)
    return RefinePolicy(*spaces, lambda _: 3e-4, scorer=load_scorer(weights))
