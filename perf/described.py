"""How long it takes to draw and describe a candidate of `LoihiRefine`, and a step of it.

    python perf/described.py

Prints, for each large benchmark, microseconds per described swap (placing the mapping anew for each
K = 16 included), and steps per second of random walks on `mesh` beside its evaluations alone.
"""

from time import perf_counter
from typing import Any

import gymnasium
import numpy as np

PROBLEMS = ("mlp-deep", "mlp-wide", "mlp-deep-8chip")
OFFERS = 300
STEPS = 512


def microseconds(env: Any) -> float:
    """Time per described swap; the best of five rounds."""
    state, rounds = env.state, list[float]()
    for _ in range(5):
        start = perf_counter()
        for _ in range(OFFERS):
            env._offer(state)
        rounds.append(perf_counter() - start)
    return min(rounds) / OFFERS / int(env.arguments.candidates) * 1e6


def walk(env: Any) -> tuple[float, list[Any]]:
    """Time of a random walk, and the mappings that it measured."""
    rng, measured, seconds = np.random.default_rng(0), [], 0.0
    for _ in range(STEPS):
        if env.state.over:
            env.reset()
        action, before = rng.choice(np.flatnonzero(env.action_masks())), env.state.evaluations
        start, tried = perf_counter(), env.mapping
        env.step(action)
        seconds += perf_counter() - start
        if env.state.evaluations > before:
            measured.append(tried)
    return seconds, measured


def main() -> None:
    """Measure and print."""
    print("problem          us per swap   steps/s   evaluations/s   pure evaluations/s")
    for name in PROBLEMS:
        env: Any = gymnasium.make(
            "loihi_gym:LoihiRefine-v0", benchmark=name, backend="mesh"
        ).unwrapped
        env.reset(seed=0)
        each = microseconds(env)
        seconds, measured = walk(env)
        start = perf_counter()
        for mapping in measured:
            env.state.task.backend.evaluate(mapping)
        pure = len(measured) / (perf_counter() - start)
        rates = STEPS / seconds, len(measured) / seconds, pure
        print(f"{name:16} {each:11.1f} {rates[0]:9.0f} {rates[1]:15.1f} {rates[2]:20.1f}")


if __name__ == "__main__":
    main()
