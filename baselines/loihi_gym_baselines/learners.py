"""Agents before they have learnt anything: algorithms of SB3 with their settings and `MeshCNN`."""

from collections.abc import Callable
from typing import Any

ENV = "LoihiPlace-v0"
"""The environment that agents learn in."""

PPO = {"n_steps": 128, "batch_size": 128, "n_epochs": 4, "ent_coef": 0.01, "learning_rate": 3e-4}
DQN = {
    "learning_starts": 200,
    "buffer_size": 20_000,
    "batch_size": 64,
    "train_freq": 1,
    "gradient_steps": 1,
    "target_update_interval": 250,
    "exploration_fraction": 0.5,
    "exploration_final_eps": 0.05,
    "learning_rate": 5e-4,
}
SETTINGS: dict[str, dict[str, Any]] = {"ppo": PPO, "maskable-ppo": PPO, "dqn": DQN}
"""What differs from SB3's defaults, for budgets of 10^2 to 10^4 steps."""


def make_agent(name: str, envs: Any, mesh: Any, seed: int) -> Any:
    """An untrained agent on vectorised environments."""
    import sb3_contrib
    import stable_baselines3

    from .mesh_cnn import MeshCNN

    algorithms: dict[str, Callable[..., Any]] = {
        "ppo": stable_baselines3.PPO,
        "maskable-ppo": sb3_contrib.MaskablePPO,
        "dqn": stable_baselines3.DQN,
    }
    extractor = {
        "features_extractor_class": MeshCNN,
        "features_extractor_kwargs": {"mesh": mesh},
    }
    return algorithms[name](
        "MultiInputPolicy", envs, seed=seed, policy_kwargs=extractor, device="cpu", **SETTINGS[name]
    )
