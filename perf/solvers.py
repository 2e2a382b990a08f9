"""What solvers cost beside the measuring: CPU time of a search less that of its backend.

    python perf/solvers.py [--benchmark NAME] [--budget N] [--solvers a,b] [--json]

Each solver searches once to load and compile everything, then again; of the second search the
backend's own CPU time is taken away. The issue's limit is 20 % for ga, nested-es, hillclimb, anneal
and map on a flagship with `mesh`. Both are CPU times of one process, so that other processes on the
machine matter little.
"""

import argparse
import json
import time
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from loihi_gym.backends import Backend, Measurement, make_backend
from loihi_gym.benchmarks import load
from loihi_gym.comparison.plan import contender
from loihi_gym.mapping import Mapping
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import Session

SOLVERS = "random,hillclimb,nested-es,anneal,ga,cma,map"


class Timed:
    """A backend that knows the CPU time it has taken."""

    def __init__(self, backend: Backend) -> None:
        self.name = backend.name
        self.problem = backend.problem
        self.seconds = 0.0
        self._backend = backend

    def evaluate(self, mapping: Mapping) -> Measurement:
        """As the backend."""
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """As the backend."""
        started = time.process_time()
        found = self._backend.evaluate_batch(mappings)
        self.seconds += time.process_time() - started
        return found


class Cost(NamedTuple):
    """CPU time per evaluation, in ms, and what the surrogate takes of the solver's."""

    backend: float
    solver: float
    surrogate: float

    @property
    def overhead(self) -> float:
        """The solver's time as a part of the backend's."""
        return self.solver / self.backend


def cost(label: str, benchmark: str, budget: int) -> Cost:
    """Measure one solver."""
    one = contender(label)
    for warm_up in (True, False):
        backend = Timed(make_backend("mesh", load(benchmark)))
        with Session(backend, 60 if warm_up else budget, seed=int(not warm_up)) as session:
            backend.seconds = 0.0
            started = time.process_time()
            run_solver(one.solver, session, one.options)
            total = time.process_time() - started
    per_evaluation = 1000 / session.evaluations
    return Cost(
        backend.seconds * per_evaluation,
        (total - backend.seconds) * per_evaluation,
        session.costs.surrogate_cpu_seconds * per_evaluation,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--benchmark", default="mlp-deep")
    parser.add_argument("--budget", type=int, default=1000)
    parser.add_argument("--solvers", default=SOLVERS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = {
        label: cost(label, arguments.benchmark, arguments.budget)
        for label in arguments.solvers.split(",")
    }
    if arguments.json:
        print(json.dumps({k: {**c._asdict(), "overhead": c.overhead} for k, c in found.items()}))
        return
    title = f"{arguments.benchmark}, {arguments.budget} evaluations: CPU ms per evaluation"
    rows = Table("solver", "mesh", "solver", "of it surrogate", "overhead", title=title)
    for label, one in found.items():
        times = (f"{ms:.2f}" for ms in one)
        rows.add_row(label, *times, f"{one.overhead:.1%}")
    Console().print(rows)


if __name__ == "__main__":
    main()
