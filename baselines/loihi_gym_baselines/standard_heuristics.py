"""`lava-default`, `packed` and `balanced`: the standard heuristics as solvers, every order."""

from collections.abc import Callable

from loihi_gym.mapping import fitting, heuristic
from loihi_gym.mapping.heuristics import FIRST_RELEASE
from loihi_gym.search.registry import anytime
from loihi_gym.search.session import Session


def _solver(partitioning: str, doc: str) -> Callable[..., None]:
    def solve(session: Session, order: str = "all") -> None:
        mappings = [
            mapping
            for name, mapping in fitting(session.problem, FIRST_RELEASE).items()
            if name.startswith((f"{partitioning}/", f"{partitioning}-"))
            and (order == "all" or name.endswith(f"/{order}"))
        ]
        if not mappings:  # let the lookup say that it does not fit, or which orders there are
            one = "row-major" if order == "all" else order
            mappings = [heuristic(session.problem, f"{partitioning}/{one}")]
        session.evaluate_batch(mappings)

    solve.__doc__ = doc
    return anytime(solve)


lava_default = _solver("lava-default", "Cores halved until they fit, as Intel's toolchain does.")
packed = _solver("packed", "The fewest cores that fit.")
balanced = _solver("balanced", "All cores, or 90 to 60 % of them, the busiest layer first.")
