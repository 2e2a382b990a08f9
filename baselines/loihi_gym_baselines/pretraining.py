"""What ``ppo --pretrained`` and the like begin with: policies trained with `bound`, and kept.

The family has the shape of the target: its chip, depth, greatest width and density; masks and
activity are drawn. So one policy serves every problem of that shape. It lies in the user's cache
(`LOIHI_GYM_CACHE`, else ``~/.cache/loihi-gym``) as a safetensors file.
"""

import hashlib
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loihi_gym.benchmarks.rates import FIRST_RATE
from loihi_gym.chip import chip_names
from loihi_gym.errors import LoihiGymError
from loihi_gym.files import write_bytes, write_text
from loihi_gym.mapping import Problem
from loihi_gym.search.costs import Pretraining
from loihi_gym.search.trace import DIGEST_CHARACTERS

from .learners import ENV, SETTINGS, make_agent

STEPS = 40_000
ENVS = 16
NETWORKS = 8
"""Networks of the family; they differ in their masks and activity."""
SEED = 0


Policy = tuple[dict[str, Any], Pretraining]
"""Weights of a policy's modules, by name, and the cost of their training with `bound`."""


def pretrained_policy(name: str, problem: Problem, max_layers: int) -> Policy:
    """The policy of an algorithm for a problem's chip: from the cache, or trained now.

    Raises:
        LoihiGymError: if the chip is no bundled one: the family could not be generated.
    """
    import torch
    from safetensors.torch import load, save

    chip = problem.chip.name
    if chip not in chip_names():
        raise LoihiGymError(f"--pretrained needs a bundled chip, not {chip!r}: {chip_names()}")
    family = _family(problem)
    made_by = (
        f"{family} {FIRST_RATE} {max_layers} {STEPS} {SETTINGS[name]} torch {torch.__version__}"
    )
    key = hashlib.sha256(made_by.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("LOIHI_GYM_CACHE") or Path.home() / ".cache" / "loihi-gym")
    path = cache / f"{name}-{chip}-{key}.safetensors"
    note = path.with_suffix(".json")
    if path.exists() and note.exists():
        cost = Pretraining(**json.loads(note.read_text(encoding="utf-8")))
        return load(path.read_bytes()), cost
    weights, cost = _train(name, problem, family, max_layers)
    cache.mkdir(parents=True, exist_ok=True)
    write_bytes(path, save(weights))
    write_text(note, json.dumps(asdict(cost)) + "\n")
    return weights, cost


def _family(problem: Problem) -> list[str]:
    """Names of generated problems of a problem's shape."""
    hidden = problem.network.widths[1:-1] or problem.network.widths[-1:]
    weights = problem.network.weights
    density = sum(w.nnz for w in weights) / sum(w.shape[0] * w.shape[1] for w in weights)
    return [
        f"generator://mlp?layers={len(hidden)}&width={max(hidden)}"
        f"&inputs={problem.network.widths[0]}&outputs={problem.network.widths[-1]}"
        f"&density={density:.2f}&chip={problem.chip.name}&seed={seed}"
        for seed in range(NETWORKS)
    ]


def _train(name: str, problem: Problem, family: list[str], max_layers: int) -> Policy:
    from loihi_gym.sb3 import make_vec_env

    started = time.process_time()
    envs = make_vec_env(
        ENV, n_envs=ENVS, seed=SEED, benchmark=family, backend="bound", max_layers=max_layers
    )
    agent = make_agent(name, envs, problem.topology, SEED)
    agent.learn(STEPS)
    weights = {key: value.clone() for key, value in agent.policy.state_dict().items()}
    digest = hashlib.sha256()
    for key, value in weights.items():
        digest.update(key.encode() + value.numpy().tobytes())
    short = digest.hexdigest()[:DIGEST_CHARACTERS]
    return weights, Pretraining(short, agent.num_timesteps, time.process_time() - started)
