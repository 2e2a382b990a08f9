"""`lava-default`, `packed` and `balanced`: the standard heuristics as solvers, order by order."""

from collections.abc import Callable

from loihi_gym.mapping import heuristic
from loihi_gym.mapping.orders import ORDERS

from .session import Session


def _solver(partitioning: str, doc: str) -> Callable[..., None]:
    def solve(session: Session, order: str = "all") -> None:
        orders = list(ORDERS) if order == "all" else [order]
        names = [f"{partitioning}/{each}" for each in orders]
        session.evaluate_batch([heuristic(session.problem, name) for name in names])

    solve.__doc__ = doc
    return solve


lava_default = _solver(
    "lava-default", "Cores halved until they fit, as Intel's toolchain does; five core orders."
)
packed = _solver("packed", "The fewest cores that fit; five core orders.")
balanced = _solver("balanced", "All cores, the busiest layer first; five core orders.")
