"""Hill climbing on LoihiSwap; docs/tutorials/hand-written-loop.md explains it."""

import gymnasium
import numpy as np

import loihi_gym

problem = loihi_gym.load("mlp-xs")
start = loihi_gym.heuristic(problem, "balanced/strided")  # takes all cores; the reference does not
env = gymnasium.make("LoihiSwap-v0", benchmark=problem, start=start, undo=True, max_steps=500)
rng = np.random.default_rng(0)
_, info = env.reset(seed=0)
over = False
while not over:
    first, second = np.split(info["action_mask"], 2)
    swap = np.array([rng.choice(np.flatnonzero(first)), rng.choice(np.flatnonzero(second))])
    _, reward, over, _, info = env.step(swap)
    if reward < 0 and not over:
        _, _, over, _, info = env.step(np.array([0, 0]))  # the same core twice: undo, for free
print(f"{info['evaluations']} evaluations, {info['reduction']:.1%} below the reference")
print(f"bottleneck now: {env.unwrapped.describe_bottleneck()}")
env.unwrapped.mapping.save("mapping.json")
