r"""What settings of a solver are worth: the same searches with other constants.

    python perf/trials.py ga mlp-deep-8chip,mlp-wide --seeds 100-103 --jobs 2 \
        --set ga.GATHERED=0.5 --set ga.HEAT=0.2+ga.GATHERED=0.5

Each `--set` is a variant: constants of modules of `loihi_gym_baselines`, joined by ``+``; the
settings as they are run beside them. Prints each search's latency reduction in % after 3, 10, 30
and 100 % of the budget as it ends (of a solver that depends on its budget, the earlier ones are not
what a smaller budget gives), then the median of each variant. Choose seeds that no table has:
what a setting was chosen with flatters it.
"""

import argparse
import ast
import importlib
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Column, Table

from loihi_gym import LoihiGymError, load, make_backend
from loihi_gym.comparison.plan import contender
from loihi_gym.search.recorder import Recorder
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import Session

AS_IT_IS = "as it is"
PARTS = (0.03, 0.1, 0.3, 1.0)
"""Of the budget, where the incumbent is looked at."""


class Trial(NamedTuple):
    """One search, by what it is of."""

    variant: str
    problem: str
    seed: int


def patches(variant: str) -> list[Any]:
    """One for each constant of a variant.

    Raises:
        ValueError: if it is not ``module.NAME=value``, or there is no such constant.
    """
    found = []
    for word in variant.split("+") if variant != AS_IT_IS else []:
        name, _, value = word.partition("=")
        module, _, constant = name.rpartition(".")
        try:
            owner = importlib.import_module(f"loihi_gym_baselines.{module}")
            getattr(owner, constant)
            found.append(mock.patch.object(owner, constant, ast.literal_eval(value)))
        except (ImportError, AttributeError, SyntaxError, ValueError) as error:
            raise ValueError(f"--set {word}: {error}; give module.NAME=value") from error
    return found


def search(label: str, trial: Trial, budget: int) -> tuple[Trial, list[float]]:
    """Search with a variant's constants; reductions in % at each part of the budget."""
    seen: list[tuple[int, float]] = []

    def look(progress: Session) -> None:
        seen.append((progress.evaluations, 100 * progress.reduction))

    one = contender(label)
    with ExitStack() as stack:
        for patch in patches(trial.variant):
            stack.enter_context(patch)
        backend = make_backend("mesh", load(trial.problem))
        with Session(backend, budget, trial.seed, Recorder(on_progress=look)) as session:
            run_solver(one.solver, session, one.options)
    spent = np.array([evaluations for evaluations, _ in seen])
    at = np.searchsorted(spent, np.array(PARTS) * budget).clip(max=len(seen) - 1)
    return trial, [seen[i][1] for i in at]


def seeds(text: str) -> Sequence[int]:
    """``100-103`` or ``5``."""
    first, _, last = text.partition("-")
    found = range(int(first), int(last or first) + 1)
    if not found:
        raise ValueError(text)
    return found


def positive(text: str) -> int:
    """A number from 1 on."""
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("solver", help="as in `loihi-gym compare`: ga, nested-es:start=random, ...")
    parser.add_argument("problems", help="benchmarks, joined by commas")
    parser.add_argument("--set", action="append", default=[], dest="variants")
    parser.add_argument("--seeds", type=seeds, default="100-101")
    parser.add_argument("--budget", type=positive, default=10_000)
    parser.add_argument("--jobs", type=positive, default=1)
    given = parser.parse_args()
    problems = given.problems.split(",")
    try:
        contender(given.solver)
        for problem in problems:
            load(problem)
        for variant in given.variants:
            patches(variant)
    except (LoihiGymError, ValueError) as error:
        parser.error(str(error))
    trials = [
        Trial(variant, problem, seed)
        for seed in given.seeds
        for problem in problems
        for variant in (AS_IT_IS, *given.variants)
    ]
    found = defaultdict(list)
    work = (delayed(search)(given.solver, trial, given.budget) for trial in trials)
    for trial, reductions in Parallel(given.jobs, return_as="generator_unordered")(work):
        print(*trial, *(f"{value:.1f}" for value in reductions), flush=True)
        found[trial.variant, trial.problem].append(reductions)
    title = f"{given.solver}: median reduction in %, {given.budget} evaluations"
    variants = Column("variant", overflow="fold")  # what tells two apart may stand at the end
    rows = Table("problem", variants, "seeds", *(f"{part:.0%}" for part in PARTS), title=title)
    for (variant, problem), values in sorted(found.items(), key=lambda item: item[0][::-1]):
        middle = (f"{value:.1f}" for value in np.median(values, axis=0))
        rows.add_row(problem, variant, str(len(values)), *middle)
    Console().print(rows)


if __name__ == "__main__":
    main()
