"""`ChainEnvs`: chains of a search as the environments of SB3: each ends with its commit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from loihi_gym.envs.vector import LoihiVectorEnv

from .chains import CANDIDATES, Chains


class ChainEnvs(VecEnv):
    """Environments that each run one chain after another.

    Args:
        chains: The search.
        count: Chains at once.
    """

    def __init__(self, chains: Chains, count: int) -> None:
        first = chains.environment()
        self._chains, self._turns = chains, chains.flood.turns(1)
        self._envs = LoihiVectorEnv(first, count, "Disabled")
        self._envs.reset(seed=int(chains.session.rng.integers(1 << 31)))
        self._parents = [0] * count
        self._actions = np.zeros(count, np.int64)
        super().__init__(count, first.observation_space, first.action_space)

    def reset(self) -> Any:
        """Begin a chain in every environment."""
        each = [self._begin(index) for index in range(self.num_envs)]
        return {name: np.stack([one[name] for one in each]) for name in each[0]}

    def step_async(self, actions: np.ndarray) -> None:
        """Take note of the actions."""
        self._actions = actions

    def step_wait(self) -> Any:
        """A move or a commit in every environment; a commit ends an episode and begins the next."""
        seen, rewards, _, failed, _ = self._envs.step(self._actions)
        committed = self._actions == CANDIDATES
        for index in np.flatnonzero(committed & ~failed).tolist():
            self._take_in(index)
        for index in np.flatnonzero(committed | failed).tolist():
            for name, part in self._begin(index).items():
                seen[name][index] = part
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        return seen, rewards.astype(np.float32), committed | failed, infos

    def _take_in(self, index: int) -> None:
        """Let the search know what was measured."""
        env, flood = self._envs.envs[index], self._chains.flood
        mapping, lineage = env.mapping, flood.lineages[self._parents[index]]
        self._chains.flood_with(mapping, self._chains.backend.evaluate(mapping), lineage)

    def _begin(self, index: int) -> Any:
        """Begin a chain where the search says so, after partitionings whose turn it was."""
        chains, flood = self._chains, self._chains.flood
        lineage = next(self._turns)
        while chains.wants_recut():
            parent = flood.lowest(lineage)
            mapping = chains.recut(flood.mappings[parent])
            chains.flood_with(mapping, chains.backend.evaluate(mapping), flood.lineages[parent])
            lineage = next(self._turns)
        self._parents[index] = flood.lowest(lineage)
        mapping = flood.mappings[self._parents[index]]
        return self._envs.envs[index].reset(options={"mapping": mapping})[0]

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of some environments."""
        return [getattr(self._envs.envs[index], attr_name) for index in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not possible: environments keep what they are made with."""
        raise AttributeError(f"{attr_name} cannot be set")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """What a method of some environments returns."""
        methods = self.get_attr(method_name, indices)
        return [method(*method_args, **method_kwargs) for method in methods]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No environment is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Pictures of all environments."""
        return self._envs.render()
