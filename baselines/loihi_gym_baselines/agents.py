"""`ppo`, `maskable-ppo` and `dqn`: reinforcement learning on `LoihiPlace-v0`, by SB3.

The environment measures through the session, so that an agent's steps are evaluations like any
other's, and the search ends where the budget does, be it in the middle of a rollout. What counts is
the best mapping met while learning. With ``--pretrained`` the policy has first been trained on
generated networks with `bound`, which costs no evaluations of the target.

Seeded training on one torch thread repeats itself, so a resumed run needs no checkpoint: it trains
again on the recorded evaluations, which takes seconds, and goes on where they end.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from loihi_gym.search.registry import anytime, needs
from loihi_gym.search.session import Session

from .learners import ENV, make_agent
from .pretraining import pretrained_policy

MAX_LAYERS = 16
ENVS = 4
"""Environments stepped together on the target; their mappings are measured as one batch."""
STALLS = 20
"""Steps per evaluation after which a search ends: a policy that changes nothing asks for none."""

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
            weights, session.costs.pretraining = policy
            agent.policy.load_state_dict(weights)
        # SB3 schedules what it anneals by the total; the budget ends it before.
        agent.learn(session.budget)
        while session.remaining and agent.num_timesteps < STALLS * session.budget:
            agent.learn(session.budget, reset_num_timesteps=False)


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
