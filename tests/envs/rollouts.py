"""Making environments for tests, and walking through them."""

import hashlib
from typing import Any

import gymnasium
import numpy as np

from loihi_gym.backends import Bound, Measurement
from loihi_gym.envs.base import LoihiEnv
from loihi_gym.errors import MeasurementError
from loihi_gym.mapping import Mapping, Problem
from loihi_gym.registering import ENVIRONMENTS
from tests.toys import toy_chip, toy_problem

IDS = list(ENVIRONMENTS)
OBSERVATIONS = ("flat", "image", "graph")
BACKENDS = ("bound", "mesh")
FORMS = [
    (env_id, form)
    for env_id in IDS
    for form in (OBSERVATIONS if env_id != "LoihiRefine-v0" else ("flat",))
]
"""Every id with every form of observation that it has."""


def slack_problem(seed: int = 0) -> Problem:
    """A toy of 12 pieces that leaves 4 cores free, so that counts can change both ways."""
    return toy_problem(chip=toy_chip(constants={"capacity.neurons": 4}), seed=seed)


def make(env_id: str, **arguments: Any) -> LoihiEnv:
    """An environment of a toy problem on `bound`, without wrappers."""
    arguments = {"benchmark": slack_problem(), "backend": "bound"} | arguments
    env = gymnasium.make(env_id, **arguments).unwrapped
    assert isinstance(env, LoihiEnv)
    return env


def legal_action(env: LoihiEnv, rng: np.random.Generator) -> Any:
    """A random action that the mask allows."""
    mask, space = env.action_masks(), env.action_space
    if isinstance(space, gymnasium.spaces.Box):
        return rng.uniform(-1, 1, space.shape).astype(np.float32)
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        return np.array([rng.choice(np.flatnonzero(part)) for part in np.split(mask, 2)])
    return rng.choice(np.flatnonzero(mask))


def walk(env: LoihiEnv, steps: int, seed: int = 0, reset: bool = True) -> list[tuple[Any, ...]]:
    """Random allowed steps, with resets where episodes end: what `step` returned each time."""
    rng = np.random.default_rng(seed)
    seen: list[tuple[Any, ...]] = []
    if reset:
        seen.append(env.reset(seed=seed))
    for _ in range(steps):
        if env.state.over:
            seen.append(env.reset())
        seen.append(env.step(legal_action(env, rng)))
    return seen


def assert_same(a: Any, b: Any, where: str = "") -> None:
    """Fail unless two nested results are equal, dtypes included."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, np.ndarray) and a.dtype != object:
        assert a.dtype == b.dtype, where
        np.testing.assert_array_equal(a, b, err_msg=where)
    elif isinstance(a, tuple | list | np.ndarray):
        assert len(a) == len(b), where
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}/{index}")
    else:
        assert a == b, where


def digest(results: Any) -> str:
    """A hash of nested results, the same in every process."""
    sha = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, dict):
            for key in sorted(value):
                sha.update(key.encode())
                add(value[key])
        elif isinstance(value, tuple | list):
            for one in value:
                add(one)
        elif isinstance(value, np.ndarray):
            sha.update(value.tobytes())
        else:
            sha.update(repr(value).encode())

    add(results)
    return sha.hexdigest()


def steps_time(measurement: Measurement) -> float:
    """An objective of a user's own: the longest step."""
    return float(max(measurement.step_times_ps))


class Failing:
    """A `bound` that fails now and then, as hardware does."""

    name = "failing"

    def __init__(self, problem: Problem, good: int) -> None:
        self.problem = problem
        self.left = good
        self._bound = Bound(problem)

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure, as often as was promised."""
        self.left -= 1
        if self.left < 0:
            raise MeasurementError("the board does not answer")
        return self._bound.evaluate(mapping)

    def evaluate_batch(self, mappings: list[Mapping]) -> list[Measurement]:
        """Measure one after the other."""
        return [self.evaluate(mapping) for mapping in mappings]
