"""Train the bundled policy: ``python tools/policy.py``.

Needs the extras ``train`` and ``rl``. Proximal policy optimisation (stable-baselines3) on
Gymnasium's CartPole-v1 with an actor of two hidden ReLU layers of 64 neurons. Observations are
rounded to 8 bits, in training too; instead of biases there is one more input that is always 1.
"""

import argparse
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import torch
from quantise import dense, quantise
from scores import FIRST_TEST_SEED, RANGE, TASK, UNIT, encode, mean_return
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from torch import nn

from loihi_gym.network import SparseMLP, classify, record
from loihi_gym.network.network_file import save_network

HIDDEN = (64, 64)
RECORDED_STEPS = 4
TRAINING_STEPS = 100_000


class Encoded(gym.ObservationWrapper[Any, Any, Any]):
    """An environment whose observations are those inputs, from -1 to 1."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.observation_space = gym.spaces.Box(-1, 1, (len(RANGE) + 1,), np.float32)

    def observation(self, observation: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Rounded as the network's inputs are."""
        seen: npt.NDArray[np.float32] = (encode(observation[None])[0] / UNIT).astype(np.float32)
        return seen


def train(seed: int) -> SparseMLP:
    """Train, and quantise what the actor has learnt."""
    torch.set_num_threads(1)
    envs = make_vec_env(TASK, n_envs=8, seed=seed, wrapper_class=Encoded)
    shape = {"activation_fn": nn.ReLU, "net_arch": {"pi": list(HIDDEN), "vf": list(HIDDEN)}}
    # Published settings for this task (rl-baselines3-zoo).
    model = PPO(
        "MlpPolicy",
        envs,
        policy_kwargs=shape,
        n_steps=32,
        batch_size=256,
        n_epochs=20,
        gamma=0.98,
        gae_lambda=0.8,
        ent_coef=0.0,
        learning_rate=lambda left: 0.001 * left,
        clip_range=lambda left: 0.2 * left,
        seed=seed,
        device="cpu",
    )
    policy: Any = model.policy
    hidden = [one for one in policy.mlp_extractor.policy_net if isinstance(one, nn.Linear)]
    actor = [*hidden, policy.action_net]
    for layer in actor:
        layer.bias.requires_grad_(False)  # they begin at zero, and stay there
    model.learn(TRAINING_STEPS)
    weights = [layer.weight.detach().double().numpy() for layer in actor]
    return quantise([dense(one) for one in weights], played(seed))


def played(seed: int, steps: int = 1000) -> npt.NDArray[np.int16]:
    """Inputs that any policy may see: those of random episodes."""
    env, seen = gym.make(TASK), list[Any]()
    env.action_space.seed(seed)
    observation, _ = env.reset(seed=seed)
    while len(seen) < steps:
        seen.append(observation)
        observation, _, ended, _, _ = env.step(env.action_space.sample())
        if ended:
            observation, _ = env.reset()
    return encode(np.array(seen))


def episode(network: SparseMLP, steps: int) -> npt.NDArray[np.int16]:
    """Inputs of the first steps of a test episode."""
    env, seen = gym.make(TASK), list[Any]()
    observation, _ = env.reset(seed=FIRST_TEST_SEED)
    for _ in range(steps):
        seen.append(encode(observation[None])[0])
        action = int(classify(network, seen[-1][None])[0])
        observation, *_ = env.step(action)
    return np.array(seen)


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description="Train the bundled policy.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("policy.npz"))
    arguments = parser.parse_args()
    network = train(arguments.seed)
    print(f"mean return {mean_return(network):.1f}")
    inputs = episode(network, len(network.weights) + RECORDED_STEPS)
    activity = record(network, inputs, RECORDED_STEPS)
    print("active per layer:", " ".join(f"{part:.3f}" for part in activity.active))
    print("exponents", network.exponents)
    seeds = tuple(range(1, len(network.widths)))  # of masks that leave nothing out
    save_network(arguments.out, network, inputs, seeds)


if __name__ == "__main__":
    main()
