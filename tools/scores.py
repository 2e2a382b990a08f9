"""How well the bundled autoencoder and policy do, which tests compute again."""

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from loihi_gym.network import SparseMLP, classify, run

TASK = "CartPole-v1"
RANGE = np.array([2.4, 3.0, 0.21, 3.0])
"""Observations are cut at these: where an episode ends, and 3 units a second."""
UNIT = 127
EPISODES = 100
FIRST_TEST_SEED = 1_000_000
"""Test episodes begin with seeds that no training episode had."""


def explained_variance(network: SparseMLP, images: npt.NDArray[np.int16]) -> float:
    """Part of the images' variance about their mean image that the network's output explains.

    The output is in units of its own: it is scaled by the one number that fits best.
    """
    depth = len(network.weights)
    padded = np.concatenate([images, np.zeros((depth, images.shape[1]), images.dtype)])
    output = run(network, padded)[-1][depth:].astype(np.float64)
    scale = (output * images).sum() / np.square(output).sum()
    left = np.square(images - scale * output).sum()
    return float(1 - left / np.square(images - images.mean(axis=0)).sum())


def encode(observations: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int16]:
    """Observations, (n, 4), as the network's inputs, (n, 5)."""
    inside = np.clip(observations / RANGE, -1, 1)
    always = np.ones((len(inside), 1))
    inputs: npt.NDArray[np.int16] = np.rint(UNIT * np.concatenate([inside, always], axis=1)).astype(
        np.int16
    )
    return inputs


def mean_return(network: SparseMLP, episodes: int = EPISODES) -> float:
    """Mean return of episodes that the network plays, its largest output being the action."""
    env: Any = gym.make_vec(TASK, num_envs=episodes, vectorization_mode="sync")
    observations, _ = env.reset(seed=[FIRST_TEST_SEED + number for number in range(episodes)])
    returns, running = np.zeros(episodes), np.ones(episodes, bool)
    while running.any():
        actions = classify(network, encode(observations))
        observations, rewards, ended, cut, _ = env.step(actions)
        returns += rewards * running
        running &= ~(ended | cut)
    return float(returns.mean())
