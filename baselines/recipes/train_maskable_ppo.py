"""Train MaskablePPO on mlp-xs in a minute; docs/tutorials/train-maskable-ppo.md explains it."""

import argparse
from pathlib import Path

import numpy as np
import torch
from sb3_contrib import MaskablePPO

from loihi_gym import drawing, heuristic, load
from loihi_gym.sb3 import make_vec_env

ENVS, EPISODE = 16, 24


def main() -> None:
    """Train, look at what was learned, save the best mapping and a picture of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=24_576)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args()

    torch.set_num_threads(1)  # the same result on every run
    problem = load("mlp-xs")
    start = heuristic(problem, "balanced/strided")  # takes all cores; the reference does not
    settings = {"benchmark": problem, "start": start, "max_steps": EPISODE}
    env = make_vec_env("LoihiSwap-v0", ENVS, seed=0, **settings)
    model = MaskablePPO(
        "MultiInputPolicy",
        env,
        n_steps=EPISODE,
        batch_size=64,
        n_epochs=4,
        learning_rate=1e-3,
        gamma=0.5,
        seed=0,
        device="cpu",
    )
    print(f"untrained:   mean return {play(model, env)[0]:+.3f}")
    model.learn(options.steps)
    mean, reduction, mapping, measurement = play(model, env)
    print(f"trained:     mean return {mean:+.3f}")
    print(f"best mapping: {reduction:.1%} below the reference ({measurement.latency_ps:,} ps)")

    reference = env.get_attr("state")[0].task.reference.measurement
    mapping.save(options.out / "mapping.json")
    drawing.save(options.out / "mapping.png", problem, mapping, measurement, reference)


def play(model, env, episodes_each=2):  # type: ignore[no-untyped-def]
    """Mean return of sampled episodes, and the best mapping met: (mean, reduction, mapping, …)."""
    observations, returns, best = env.reset(), [], (-np.inf, None, None)
    while len(returns) < episodes_each * ENVS:
        masks = np.stack(env.env_method("action_masks"))
        actions, _ = model.predict(observations, action_masks=masks)
        observations, _, _, infos = env.step(actions)
        for state in env.get_attr("state"):
            reduction = 1.0 - state.value / state.task.scale
            if reduction > best[0]:
                best = (reduction, state.measured.mapping, state.measured.measurement)
        returns += [info["episode"]["r"] for info in infos if "episode" in info]
    return float(np.mean(returns)), *best


if __name__ == "__main__":
    main()
