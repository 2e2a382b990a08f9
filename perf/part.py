"""Solvers on the members of a family's part, at several budgets: who leads, by how much, where.

    python perf/part.py --solvers map,ga,anneal --problems 0-9 --seeds 0-1 --budgets 300,1000
    python perf/part.py --part test --problems 0-19 --seeds 0-4 --budgets 300,1000,3000 --keep FILE

Each solver searches each member once a seed with the largest budget; one whose search depends on
its budget is run once for each. Prints, for each budget, the interquartile mean of what is taken
off the reference's latency, with a 95 % bootstrap interval that resamples each problem's seeds; the
mean; on how many problems the median seed is below the reference, on how many it is first, and by
how many points it is behind at most; then each problem's medians. Tune on train and validation
alone. With `--keep`, finished searches are read from, and added to, a file of JSON lines.
"""

import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from loihi_gym import load, make_backend
from loihi_gym.arrays import Float64Array
from loihi_gym.benchmarks.families import family
from loihi_gym.comparison.plan import contender
from loihi_gym.comparison.statistics import interval, iqm, wins
from loihi_gym.search.recorder import Recorder
from loihi_gym.search.registry import is_anytime, run_solver
from loihi_gym.search.session import Session


class Run(NamedTuple):
    """One search."""

    solver: str
    problem: str
    seed: int
    budget: int


def reductions(run: Run, budgets: list[int]) -> list[float]:
    """Search; part of the reference's latency taken off at each budget."""
    seen: list[tuple[int, float]] = []

    def look(progress: Session) -> None:
        seen.append((progress.evaluations, progress.reduction))

    one = contender(run.solver)
    backend = make_backend("mesh", load(run.problem))
    with Session(backend, run.budget, run.seed, Recorder(on_progress=look)) as session:
        run_solver(one.solver, session, one.options)
    spent = np.array([evaluations for evaluations, _ in seen])
    at = np.searchsorted(spent, budgets, side="right").clip(min=1) - 1
    return [seen[i][1] for i in at]


def numbers(text: str) -> list[int]:
    """``3-5`` as 3, 4, 5."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def depends_not(label: str) -> bool:
    """Whether a solver's search is the same whatever its budget."""
    one = contender(label)
    return is_anytime(one.solver, one.options)


def kept(path: Path | None) -> dict[Run, dict[str, float]]:
    """Finished searches of a file."""
    if path is None or not path.exists():
        return {}
    lines = map(json.loads, path.read_text().splitlines())
    return {Run(*line["run"]): line["reductions"] for line in lines}


def show(scores: dict[str, Float64Array], addresses: list[str], budget: int) -> None:
    """Print the tables of one budget; scores are (problems, seeds)."""
    medians = np.array([np.median(values, axis=1) for values in scores.values()])
    behind = 100 * (medians.max(axis=0) - medians).max(axis=1)
    first = wins([list(values) for values in scores.values()])
    print(f"\n{budget:,} evaluations, reductions in %")
    print(f"  {'':26}{'IQM':>6}  {'95 % interval':16}{'mean':>6}  below  first  most behind")
    for row, (solver, values) in enumerate(scores.items()):
        value, low, high = (100 * one for one in interval(iqm, list(values)))
        below = int((medians[row] > 0).sum())
        print(
            f"  {solver:26}{value:6.1f}  {f'{low:.1f} to {high:.1f}':16}{100 * values.mean():6.1f}"
            f"  {below:5}  {first[row]:5}  {behind[row]:11.1f}"
        )
    print("  " + " " * 40 + "".join(f"{name[:9]:>10}" for name in scores))
    for row, address in enumerate(addresses):
        print(f"  {address:40}" + "".join(f"{100 * own[row]:10.1f}" for own in medians))


def main() -> None:
    """Read the command line, search what is not kept, print."""
    parser = argparse.ArgumentParser(description="Solvers on the members of a family's part")
    parser.add_argument("--family", default="sparse-mlp")
    parser.add_argument("--part", default="validation", choices=["train", "validation", "test"])
    parser.add_argument("--problems", default="0-9")
    parser.add_argument("--solvers", default="map,ga,anneal,hillclimb,greedy,cma,nested-es")
    parser.add_argument("--seeds", default="0-1")
    parser.add_argument("--budgets", default="300,1000")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="file of finished searches")
    arguments = parser.parse_args()
    part = getattr(family(arguments.family), arguments.part)
    addresses = [part[number] for number in numbers(arguments.problems)]
    seeds, solvers = numbers(arguments.seeds), arguments.solvers.split(",")
    budgets = sorted(map(int, arguments.budgets.split(",")))
    done = kept(arguments.keep)
    own = {name: budgets[-1:] if depends_not(name) else budgets for name in solvers}
    wanted = [
        Run(solver, problem, seed, budget)
        for problem in addresses
        for solver in solvers
        for budget in own[solver]
        for seed in seeds
    ]
    missing = [run for run in wanted if run not in done]
    pool = Parallel(n_jobs=arguments.jobs, return_as="generator_unordered")
    for number, (run, found) in enumerate(pool(delayed(work)(run, budgets) for run in missing), 1):
        done[run] = found
        if arguments.keep:
            with arguments.keep.open("a") as file:
                file.write(json.dumps({"run": run, "reductions": found}) + "\n")
        print(f"\r{number} of {len(missing)} searches", end="", flush=True)
    for budget in budgets:

        def found(solver: str, problem: str, seed: int, budget: int = budget) -> float:
            spent = budget if budget in own[solver] else budgets[-1]
            return done[Run(solver, problem, seed, spent)][str(budget)]

        scores = {
            solver: np.array([[found(solver, one, seed) for seed in seeds] for one in addresses])
            for solver in solvers
        }
        show(scores, addresses, budget)


def work(run: Run, budgets: list[int]) -> tuple[Run, dict[str, float]]:
    """A search and what it found by budget, as a job."""
    up_to = [budget for budget in budgets if budget <= run.budget]
    return run, dict(zip(map(str, up_to), reductions(run, up_to), strict=True))


if __name__ == "__main__":
    main()
