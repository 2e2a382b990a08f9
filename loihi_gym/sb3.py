"""The environments for Stable-Baselines3 and sb3-contrib (extra ``rl``).

    from loihi_gym.sb3 import make_vec_env
    from sb3_contrib import MaskablePPO

    env = make_vec_env("LoihiPlace-v0", n_envs=8, benchmark="mlp-xs", backend="bound")
    MaskablePPO("MultiInputPolicy", env).learn(50_000)

To judge a masked policy take `sb3_contrib.common.maskable.evaluation.evaluate_policy`: SB3's own
function, and `predict` without `action_masks`, choose among all actions.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv, VecMonitor

from .envs.checks import check_names, check_seed, count
from .envs.vector import LoihiVectorEnv
from .errors import LoihiGymError
from .registering import environment_class

INFOS = ("benchmark", "latency_s", "reduction", "best_reduction", "evaluations", "chip", "error")
"""What SB3's infos carry; masks are asked for by `action_masks`."""


def make_vec_env(
    env_id: str = "LoihiPlace-v0",
    n_envs: int = 8,
    seed: int | None = None,
    monitor: bool = True,
    **arguments: Any,
) -> VecEnv:
    """Environments stepped together, as SB3 takes them, action masks included.

    Args:
        env_id: Id of one of this package's environments.
        n_envs: How many; environment i is seeded with seed + i.
        seed: Seed of the first environment; None for one drawn at random.
        monitor: Whether to wrap them in a `VecMonitor`, which reports returns to SB3's logger.
        arguments: Arguments of each environment, such as `benchmark` and `backend`.

    Raises:
        UnknownNameError: if the environment is not one of this package's, or an argument none of
            its own.
        LoihiGymError: if an argument is wrong.
    """
    names = [*environment_class(env_id).Arguments.names(), "n_envs", "seed", "monitor"]
    check_names(f"make_vec_env({env_id!r})", arguments, names)
    count()("n_envs", n_envs)
    seed = check_seed(seed)
    envs = gymnasium.make_vec(
        env_id,
        num_envs=n_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.SAME_STEP,
        **arguments,
    )
    assert isinstance(envs, LoihiVectorEnv)
    made = LoihiVecEnv(envs)
    if seed is not None:
        made.seed(seed)
    return VecMonitor(made) if monitor else made


class LoihiVecEnv(VecEnv):
    """A `LoihiVectorEnv` that resets in the same step, as SB3's `VecEnv`."""

    def __init__(self, envs: LoihiVectorEnv) -> None:
        if envs.autoreset_mode != AutoresetMode.SAME_STEP:
            raise LoihiGymError("SB3 resets in the same step: pass autoreset_mode='SameStep'")
        self.envs = envs
        self._actions: Any = None
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> Any:
        """Begin an episode in every environment."""
        options, *others = self._options
        if any(other != options for other in others):
            raise LoihiGymError("set_options: give one dict, the same for all environments")
        observations, infos = self.envs.reset(seed=list(self._seeds), options=options)
        self.reset_infos = self._split(infos)
        self._reset_seeds()
        self._reset_options()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Take note of the actions."""
        self._actions = actions

    def step_wait(self) -> Any:
        """One step in every environment."""
        observations, rewards, terminated, truncated, infos = self.envs.step(self._actions)
        dones = terminated | truncated
        split = self._split(infos)
        for index in np.flatnonzero(dones).tolist():
            self.reset_infos[index] = split[index]
            split[index] = {
                **self._split(infos["final_info"])[index],
                "terminal_observation": infos["final_obs"][index],
                "TimeLimit.truncated": bool(truncated[index] and not terminated[index]),
            }
        return observations, rewards.astype(np.float32), dones, split

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of some environments."""
        self.envs.call("problem")  # brings compiled environments up to date
        return [getattr(self.envs.envs[index], attr_name) for index in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not possible: environments are made with their arguments and keep them.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"{attr_name} cannot be set: pass it to make_vec_env")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """What a method of some environments returns; `action_masks` costs nothing."""
        if method_name == "action_masks":
            found: Any = self.envs.action_masks()
        else:
            found = self.envs.call(method_name, *method_args, **method_kwargs)
        return [found[index] for index in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No environment is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Pictures of all environments."""
        return self.envs.render()

    def _split(self, infos: dict[str, Any]) -> list[dict[str, Any]]:
        """The infos that matter, environment by environment."""
        split: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for name in INFOS:
            if name not in infos:
                continue
            there = infos[f"_{name}"].tolist()
            for info, value, given in zip(split, infos[name].tolist(), there, strict=True):
                if given:
                    info[name] = value
        return split
