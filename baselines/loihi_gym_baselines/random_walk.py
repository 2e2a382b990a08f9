"""`random-walk`: actions of `LoihiPlace-v0`, drawn: what `ppo` and `dqn` have to beat.

The environment is the agents' own, and so are its episodes, but nothing is learnt.
"""

import numpy as np

from loihi_gym.envs.place import LoihiPlace
from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session


@anytime
def solve(session: Session) -> None:
    """Random actions in LoihiPlace-v0, those that its mask leaves."""
    problem = session.problem
    env = LoihiPlace(benchmark=problem, backend=session, max_layers=max(problem.n_layers, 32))
    session.evaluate(problem.reference_mapping)
    env.reset(seed=int(session.rng.integers(1 << 31)))
    while True:
        action = session.rng.choice(np.flatnonzero(env.action_masks()))
        _, _, over, failed, _ = env.step(action)
        if over or failed:
            env.reset()
