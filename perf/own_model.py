"""Solvers on a cost model that none of them was made for: the torus of docs/own-backend.md.

    python perf/own_model.py --solvers map,ga --seeds 10 --budget 300

Prints the median of each solver's reductions of the torus' latency on five members of the
validation part on 24 cores (it is slow, being plain Python), then the interquartile mean over all
with its 95 % bootstrap interval, which resamples the seeds of each problem.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import numpy as np

from loihi_gym import load
from loihi_gym.comparison.plan import contender
from loihi_gym.comparison.statistics import interval, iqm
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import Session

PAGE = Path(__file__).parent.parent / "docs" / "own-backend.md"
PROBLEMS = tuple(f"family://sparse-mlp/validation/{number}?chip=loihi2-24" for number in range(5))


def torus() -> Any:
    """The page's backend."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)  # our own page
    return names["TorusBackend"]


def main() -> None:
    """Search, and print."""
    parser = argparse.ArgumentParser(description="Solvers on another cost model")
    parser.add_argument("--solvers", default="map,ga")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=int, default=300)
    arguments = parser.parse_args()
    backend = torus()
    for solver in arguments.solvers.split(","):
        one, scores = contender(solver), np.zeros((len(PROBLEMS), arguments.seeds))
        for row, address in enumerate(PROBLEMS):
            for seed in range(arguments.seeds):
                with Session(backend(load(address)), arguments.budget, seed) as session:
                    run_solver(one.solver, session, one.options)
                scores[row, seed] = session.reduction
            print(f"{solver:10} {address:48} median {np.median(scores[row]):6.1%}", flush=True)
        value, low, high = interval(iqm, list(scores))
        print(f"{solver:10} IQM {value:.1%} ({low:.1%} to {high:.1%})")


if __name__ == "__main__":
    main()
