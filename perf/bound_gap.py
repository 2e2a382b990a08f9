"""What stands between the best known mappings and the proven lower bound?

    python perf/bound_gap.py [--budget 3000]

For each large benchmark of one chip:

1. the lower bound of `bound`;
2. the best `map` finds with `bound` as the backend, where messages never wait for each other;
3. what `mesh` says of that mapping, as found and after as many swaps, each kept if no slower: the
   core counts stay, so that only the placement can help;
4. the best known mapping (of the leaderboard), and what `bound` says of it.

From 1 to 2 is what the proof or the search on `bound` lacks. If 3 stays above 4, the counts that
approach the lower bound cost more by waiting than they save by work, of which the bound knows
nothing. That is evidence and no proof: the swaps may have missed something.
"""

import argparse
from pathlib import Path

from loihi_gym_baselines.genome import Genome

from loihi_gym import load, make_backend
from loihi_gym.bounds import lower_bound
from loihi_gym.leaderboard.submission import read_submission
from loihi_gym.mapping import Mapping, Problem
from loihi_gym.search.registry import run_solver
from loihi_gym.search.session import BudgetSpent, Session

PROBLEMS = ("mlp-deep", "mlp-wide")
SUBMISSIONS = Path(__file__).parent.parent / "leaderboard/previous/v1/submissions"


def searched(problem: Problem, budget: int) -> Mapping:
    """The fastest mapping on `bound` that `map` finds."""
    with Session(make_backend("bound", problem), budget) as session:
        run_solver("map", session, {})
    assert session.best_mapping is not None
    return session.best_mapping


def swapped(problem: Problem, mapping: Mapping, budget: int) -> int:
    """Its latency on `mesh` in ps after that many swaps, each kept if no slower."""
    with Session(make_backend("mesh", problem), budget) as session:
        genome = Genome(problem, session.rng)
        genes, latency_ps = genome.encode(mapping), session.evaluate(mapping).latency_ps
        try:
            while True:
                changed = genome.swapped(genes, 1)
                found_ps = session.evaluate(genome.decode(changed)).latency_ps
                if found_ps <= latency_ps:
                    genes, latency_ps = changed, found_ps
        except BudgetSpent:
            return latency_ps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--budget", type=int, default=3000, help="evaluations of each search")
    budget = parser.parse_args().budget
    newest = max(SUBMISSIONS.glob("*-map"))
    known = {run.problem: one for run, one in read_submission(newest).mappings.items()}
    for name in PROBLEMS:
        problem = load(name)
        mesh, bound = make_backend("mesh", problem), make_backend("bound", problem)
        proven = lower_bound(problem).on_bound_ps
        ideal = searched(problem, budget)
        print(name)
        for text, latency_ps in (
            ("lower bound on bound, proven", proven),
            ("best of `map` on bound", bound.evaluate(ideal).latency_ps),
            ("... on mesh", mesh.evaluate(ideal).latency_ps),
            ("... on mesh, after swaps", swapped(problem, ideal, budget)),
            ("best known, on mesh", mesh.evaluate(known[name]).latency_ps),
            ("... on bound", bound.evaluate(known[name]).latency_ps),
        ):
            print(f"  {text:28} {latency_ps * 1e-6:6.3f} us  {latency_ps / proven - 1:+7.1%}")
        for text, mapping in (("that of bound", ideal), ("best known", known[name])):
            cores = mapping.n_logical_cores
            messages = problem.traffic(mapping.cores_per_layer).messages_out.sum()
            print(f"  {text:28} {cores} cores, {messages} messages")


if __name__ == "__main__":
    main()
