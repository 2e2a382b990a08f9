"""How fast the environments step, beside CartPole and Minigrid in the same run.

    python perf/envs.py [--json] [--seconds 0.5] [--repeats 5]

Needs the extra ``perf`` (minigrid). Each figure is the best of several repeats, since other load on
a machine only ever slows a run down; observations, infos, masks and resets are included, drawing
the actions is not. Processor time (all threads) hardly depends on what else runs. The last table
says what a step on `mesh` costs beyond the evaluation itself.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium
import minigrid  # noqa: F401 (registers its environments)
import numpy as np

import loihi_gym
from loihi_gym.registering import ENVIRONMENTS

BENCHMARKS = ("mlp-xs", "mlp-deep", "mlp-wide")
ENVS = 64
ACTIONS = 512


@dataclass(frozen=True)
class Row:
    """One measurement."""

    environment: str
    benchmark: str
    backend: str
    envs: int
    us_per_step: float
    cpu_us_per_step: float
    steps_per_s: float


@dataclass(frozen=True)
class Overhead:
    """What a step costs beyond the evaluation in it."""

    environment: str
    benchmark: str
    step_us: float
    evaluation_us: float
    overhead: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=0.5, help="per repeat")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rows = [*singles(options), *vectors(options)]
    overheads = [overhead(name, options) for name in BENCHMARKS]
    if options.json:
        machine = {"python": platform.python_version(), "cpus": os.cpu_count()}
        data = {"machine": machine, "rows": [asdict(row) for row in rows]}
        print(json.dumps(data | {"mesh_overhead": [asdict(one) for one in overheads]}))
        return
    head = f"{'environment':24} {'benchmark':10} {'backend':8} {'envs':>4}"
    print(f"{head} {'us/step':>9} {'cpu us':>7} {'steps/s':>11}")
    for row in rows:
        print(
            f"{row.environment:24} {row.benchmark:10} {row.backend:8} {row.envs:4} "
            f"{row.us_per_step:9.2f} {row.cpu_us_per_step:7.2f} {row.steps_per_s:11,.0f}"
        )
    print()
    print(f"{'on mesh':28} {'benchmark':10} {'step us':>9} {'evaluation us':>14} {'overhead':>9}")
    for one in overheads:
        print(
            f"{one.environment:28} {one.benchmark:10} {one.step_us:9.0f} "
            f"{one.evaluation_us:14.0f} {one.overhead:9.1%}"
        )


def singles(options: argparse.Namespace) -> list[Row]:
    """One environment at a time, as `gymnasium.make` gives it."""
    rows = [
        single("CartPole-v1", options),
        single("MiniGrid-Empty-8x8-v0", options),
        *(single("LoihiPlace-v0", options, name) for name in BENCHMARKS),
    ]
    others = [name for name in ENVIRONMENTS if name != "LoihiPlace-v0"]
    return rows + [single(name, options, "mlp-deep") for name in others]


def single(env_id: str, options: argparse.Namespace, benchmark: str = "") -> Row:
    """Random steps of one environment."""
    arguments = {"benchmark": benchmark, "backend": "bound"} if benchmark else {}
    env = gymnasium.make(env_id, **arguments)  # type: ignore[arg-type]
    env.reset(seed=0)
    env.action_space.seed(0)
    masked = env_id in ("LoihiPartition-v0", "LoihiMap-v0")
    drawn = [env.action_space.sample() for _ in range(ACTIONS)]
    draws = np.random.default_rng(0).random(ACTIONS)

    def run(steps: int) -> None:
        for index in range(steps):
            action = drawn[index % ACTIONS]
            if masked:  # what is legal depends on the state
                legal = np.flatnonzero(env.get_wrapper_attr("action_masks")())
                action = legal[int(draws[index % ACTIONS] * len(legal))]
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return _row(env_id, benchmark, 1, per_call(run, options))


def vectors(options: argparse.Namespace) -> list[Row]:
    """64 environments at once, natively."""
    return [
        vector("CartPole-v1", options),
        *(vector("LoihiPlace-v0", options, name) for name in BENCHMARKS),
    ]


def vector(env_id: str, options: argparse.Namespace, benchmark: str = "") -> Row:
    """Random steps of `ENVS` environments."""
    arguments: dict[str, Any] = {"benchmark": benchmark, "backend": "bound"} if benchmark else {}
    envs = gymnasium.make_vec(
        env_id, num_envs=ENVS, vectorization_mode="vector_entry_point", **arguments
    )
    envs.reset(seed=0)
    envs.action_space.seed(0)
    drawn = [envs.action_space.sample() for _ in range(ACTIONS)]

    def run(steps: int) -> None:
        for index in range(steps):
            envs.step(drawn[index % ACTIONS])

    return _row(env_id, benchmark, ENVS, per_call(run, options))


def overhead(benchmark: str, options: argparse.Namespace) -> Overhead:
    """Processor time of LoihiPlace's steps on `mesh`, and of the evaluations in them."""
    env: Any = gymnasium.make("LoihiPlace-v0", benchmark=benchmark, backend="mesh")
    env.reset(seed=0)
    env.action_space.seed(0)
    drawn = [env.action_space.sample() for _ in range(32)]
    inside: list[float] = []
    backend = env.unwrapped.state.task.backend
    evaluate = backend.evaluate

    def timed(mapping: loihi_gym.Mapping) -> loihi_gym.Measurement:
        begun = time.process_time()
        measurement: loihi_gym.Measurement = evaluate(mapping)
        inside.append(time.process_time() - begun)
        return measurement

    backend.evaluate = timed
    best = (float("inf"), 0.0)
    for _ in range(options.repeats):
        env.reset(seed=0)
        inside.clear()
        begun = time.process_time()
        for action in drawn[: env.unwrapped.mapping.n_logical_cores]:
            env.step(action)
        best = min(best, (time.process_time() - begun, sum(inside)))
    steps = min(len(drawn), env.unwrapped.mapping.n_logical_cores)
    whole, measured = best
    return Overhead(
        "LoihiPlace-v0",
        benchmark,
        step_us=whole / steps * 1e6,
        evaluation_us=measured / steps * 1e6,
        overhead=whole / measured - 1.0,
    )


def per_call(run: Callable[[int], None], options: argparse.Namespace) -> tuple[float, float]:
    """Seconds per call, of wall and of processor time, each the best of several repeats."""
    run(64)
    begun = time.perf_counter()
    run(64)
    calls = max(int(64 * options.seconds / (time.perf_counter() - begun)), 64)
    walls, processors = [], []
    for _ in range(options.repeats):
        begun, processor = time.perf_counter(), time.process_time()
        run(calls)
        walls.append((time.perf_counter() - begun) / calls)
        processors.append((time.process_time() - processor) / calls)
    return min(walls), min(processors)


def _row(env_id: str, benchmark: str, envs: int, seconds: tuple[float, float]) -> Row:
    backend = "bound" if benchmark else ""
    wall, processor = (one / envs for one in seconds)
    return Row(env_id, benchmark, backend, envs, wall * 1e6, processor * 1e6, 1.0 / wall)


if __name__ == "__main__":
    main()
