"""`ppo`, `maskable-ppo` and `dqn`: reinforcement learning on `LoihiPlace-v0`, by SB3.

The environment measures through the session, so that an agent's steps are evaluations like any
other's, and the search ends where the budget does, be it in the middle of a rollout. What counts is
the best mapping met while learning. With ``--pretrained`` the policy has first been trained on
generated networks with `bound`, which costs no evaluations of the target.

Seeded training on one torch thread repeats itself, so a resumed run needs no checkpoint: it trains
again on the recorded evaluations, which takes seconds, and goes on where they end.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from loihi_gym.search.registry import anytime, needs
from loihi_gym.search.session import Session

ENV = "LoihiPlace-v0"
MAX_LAYERS = 16
ENVS = 4
"""Environments stepped together on the target; their mappings are measured as one batch."""
STALLS = 20
"""Steps per evaluation after which a search ends: a policy that changes nothing asks for none."""

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
"""What differs from SB3's defaults, for budgets of 10^2 to 10^4 steps."""

_learning = needs("rl", "stable_baselines3", "sb3_contrib", "torch")


@anytime
@_learning
def ppo(session: Session, pretrained: bool = False) -> None:
    """Proximal policy optimisation (SB3) on LoihiPlace-v0."""
    _search(session, "ppo", pretrained)


@anytime
@_learning
def maskable_ppo(session: Session, pretrained: bool = False) -> None:
    """PPO that leaves out useless swaps by action masks (sb3-contrib)."""
    _search(session, "maskable-ppo", pretrained)


@_learning
def dqn(session: Session, pretrained: bool = False) -> None:
    """Deep Q-learning (SB3) on LoihiPlace-v0."""
    _search(session, "dqn", pretrained)


def _search(session: Session, name: str, pretrained: bool) -> None:
    """Let an agent learn on the session's problem until the budget is spent."""
    from loihi_gym.sb3 import make_vec_env

    from .pretraining import pretrained_policy

    with one_thread():
        layers = max(MAX_LAYERS, session.problem.n_layers)
        # Before the agent, whose constructor seeds torch: so training a policy now changes nothing.
        policy = pretrained_policy(name, session.problem, layers) if pretrained else None
        envs = make_vec_env(
            ENV,
            n_envs=ENVS,
            seed=session.seed,
            benchmark=session.problem,
            backend=session,
            max_layers=layers,
        )
        session.evaluate(session.problem.reference_mapping)
        agent = make_agent(name, envs, session.problem.topology, session.seed)
        if policy is not None:
            session.surrogate.pretraining = policy.cost
            agent.policy.load_state_dict(policy.weights)
        # SB3 schedules what it anneals by the total; the budget ends it before.
        agent.learn(session.budget)
        while session.remaining and agent.num_timesteps < STALLS * session.budget:
            agent.learn(session.budget, reset_num_timesteps=False)


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
        "MultiInputPolicy", envs, seed=seed, policy_kwargs=extractor, device="cpu", **settings(name)
    )


def settings(name: str) -> dict[str, Any]:
    """What differs from SB3's defaults for an algorithm."""
    return DQN if name == "dqn" else PPO


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread: the only way that seeded training repeats itself."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
