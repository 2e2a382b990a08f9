"""PPO in one file on LoihiRefine-v0: trained on networks of a family, looked at on others.

    python baselines/recipes/refine_ppo.py --steps 30000
    tensorboard --logdir runs/refine-recipe

It needs torch alone (extra `rl`). One network scores every candidate, so that the policy serves any
number of them and any system. A commit ends what its chain of moves is told.
"""

import argparse
import time
from pathlib import Path

import gymnasium
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical
from torch.utils.tensorboard import SummaryWriter

import loihi_gym

ENVS, ROLLOUT = 8, 64
BATCH, EPOCHS, RATE, CLIP, ENTROPY, VALUE = 128, 4, 1e-3, 0.2, 0.003, 0.5
CHAIN = 3  # where the context says how long the chain is


class Agent(nn.Module):
    """Logits of all actions and a value."""

    def __init__(self, features: int, context: int) -> None:
        super().__init__()
        self.scorer = nn.Sequential(
            nn.Linear(features + context, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()
        )
        self.score, self.value = nn.Linear(64, 1), nn.Linear(64, 1)
        self.commit = nn.Linear(context, 1)
        for layer in (self.score, self.value, self.commit):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, seen: dict[str, torch.Tensor]) -> tuple[Categorical, torch.Tensor]:
        """The policy and the value of a batch of observations."""
        candidates, context = seen["candidates"], seen["context"]
        beside = context[:, None].expand(-1, candidates.shape[1], -1)
        hidden = self.scorer(torch.cat([candidates, beside], dim=2))
        logits = torch.cat([self.score(hidden)[..., 0], self.commit(context) + 1.0], dim=1)
        chain = context[:, CHAIN : CHAIN + 1]
        moves = (candidates != 0.0).any(dim=2) & (chain < 1.0)
        commits = (chain > 0.0) | ~moves.any(dim=1, keepdim=True)
        logits = logits.masked_fill(~torch.cat([moves, commits], dim=1), -1e9)
        return Categorical(logits=logits), self.value(hidden.mean(dim=1))[:, 0]


def tensors(observation: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """An observation for the agent."""
    return {name: torch.from_numpy(part) for name, part in observation.items()}


def returns_of(rewards: torch.Tensor, commits: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """What each action's chain brings: its commit's reward, or `last` if it is not over yet."""
    found, ahead = torch.zeros_like(rewards), last
    for t in reversed(range(len(rewards))):
        ahead = torch.where(commits[t], rewards[t], rewards[t] + ahead)
        found[t] = ahead
    return found


def play(agent: Agent, problems: list[str], steps: int, seed: int) -> float:
    """Mean reduction of a policy's best mapping over problems."""
    found = []
    for name in problems:
        env = gymnasium.make("LoihiRefine-v0", benchmark=name, max_steps=steps)
        observation, info = env.reset(seed=seed)
        over = False
        while not over:
            seen = {name: part[None] for name, part in tensors(observation).items()}
            with torch.no_grad():
                action = int(agent(seen)[0].sample())
            observation, _, over, _, info = env.step(action)
        found.append(info["best_reduction"])
    return float(np.mean(found))


def learn(agent: Agent, optimizer: torch.optim.Optimizer, kept: dict[str, torch.Tensor]) -> float:
    """A few epochs of clipped policy gradients on a rollout; the mean entropy."""
    entropies = []
    for _ in range(EPOCHS):
        for some in torch.randperm(len(kept["actions"])).split(BATCH):
            policy, values = agent({name: kept[name][some] for name in ("candidates", "context")})
            ratio = (policy.log_prob(kept["actions"][some]) - kept["logs"][some]).exp()
            advantages = kept["returns"][some] - kept["values"][some]
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
            clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
            gain = torch.min(ratio * advantages, clipped * advantages).mean()
            error = ((values - kept["returns"][some]) ** 2).mean()
            entropy = policy.entropy().mean()
            optimizer.zero_grad()
            (VALUE * error - gain - ENTROPY * entropy).backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()
            entropies.append(float(entropy.detach()))
    return float(np.mean(entropies))


def main() -> None:
    """Train, and say what it is worth on networks that were not trained on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=30_000, help="steps of all environments")
    parser.add_argument("--problems", type=int, default=4, help="networks that it is judged by")
    parser.add_argument("--out", type=Path, default=Path("runs/refine-recipe"))
    given = parser.parse_args()

    torch.set_num_threads(1)  # the same result on every run
    torch.manual_seed(0)
    family, writer = loihi_gym.family("sparse-mlp"), SummaryWriter(str(given.out))
    envs = gymnasium.make_vec(
        "LoihiRefine-v0",
        num_envs=ENVS,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        benchmark=family.train.on("loihi2"),
        max_steps=256,
    )
    moves, context = envs.single_observation_space.spaces.values()  # type: ignore[attr-defined]
    agent = Agent(moves.shape[1], context.shape[0])
    optimizer = torch.optim.Adam(agent.parameters(), RATE)
    judged = family.validation.on("loihi2")[: given.problems]
    print(f"untrained: {play(agent, judged, 400, seed=0):.1%} off the reference")

    seen, started = tensors(envs.reset(seed=0)[0]), time.perf_counter()
    for update in range(max(given.steps // (ENVS * ROLLOUT), 1)):
        steps = []
        for _ in range(ROLLOUT):
            with torch.no_grad():
                policy, values = agent(seen)
                actions = policy.sample()
            after, rewards, over, *_ = envs.step(actions.numpy())
            commits = (actions == moves.shape[0]) | torch.from_numpy(over)
            brought = torch.from_numpy(rewards).float()
            step = {"actions": actions, "logs": policy.log_prob(actions), "values": values}
            steps.append({**seen, **step, "rewards": brought, "commits": commits})
            seen = tensors(after)
        together = {name: torch.stack([one[name] for one in steps]) for name in steps[0]}
        with torch.no_grad():
            last = agent(seen)[1]
        together["returns"] = returns_of(together["rewards"], together["commits"], last)
        flat = {name: part.flatten(0, 1) for name, part in together.items()}
        entropy = learn(agent, optimizer, flat)
        done = (update + 1) * ENVS * ROLLOUT
        reward = float(flat["rewards"][flat["commits"]].mean())
        writer.add_scalar("train/reward of a commit", reward, done)
        writer.add_scalar("train/entropy", entropy, done)
        writer.add_scalar("train/steps a second", done / (time.perf_counter() - started), done)
    result = play(agent, judged, 400, seed=0)
    writer.add_scalar("validation/reduction", result, given.steps)
    writer.close()
    print(f"trained:   {result:.1%} off the reference")


if __name__ == "__main__":
    main()
