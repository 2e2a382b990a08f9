"""What symmetric mappings and near-copies are worth: latencies of images of the board's best.

python perf/symmetries.py

Prints, for the fastest mapping of each problem of a suite: how much slower its reflections are, and
the range over exchanges of cores inside routers, of equal pieces of a layer, and of any two pieces.
Then how near the mappings of different solvers on the board are to each other, which says how often
honest work would be taken for a copy.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from loihi_gym import make_backend
from loihi_gym.backends import Backend
from loihi_gym.benchmarks import load
from loihi_gym.benchmarks.suite import load_suite
from loihi_gym.leaderboard.check import read_board
from loihi_gym.leaderboard.credit import Public
from loihi_gym.leaderboard.replayer import Replayer
from loihi_gym.leaderboard.submission import Submission
from loihi_gym.leaderboard.symmetry import canonical_digest
from loihi_gym.mapping import Mapping, Problem, swap

DRAWS = 200


def reflected(problem: Problem, mapping: Mapping, x: bool, y: bool) -> Mapping | None:
    """The mirror image, port for port; None if it would need a router without cores."""
    mesh = problem.topology
    places = zip(mesh.core_x, mesh.core_y, mesh.core_port, strict=True)
    cores = {tuple(map(int, place)): core for core, place in enumerate(places)}
    placement = [
        cores.get(
            (
                int(mesh.width - 1 - mesh.core_x[core] if x else mesh.core_x[core]),
                int(mesh.height - 1 - mesh.core_y[core] if y else mesh.core_y[core]),
                int(mesh.core_port[core]),
            ),
            -1,
        )
        for core in mapping.placement
    ]
    return None if -1 in placement else Mapping(mapping.cores_per_layer, placement)


def exchanged_ports(problem: Problem, mapping: Mapping, rng: np.random.Generator) -> Mapping:
    """The cores of every router in another order."""
    order = np.lexsort((rng.random(problem.topology.n_cores), problem.topology.core_router))
    plain = np.argsort(problem.topology.core_router, kind="stable")
    to = np.empty_like(plain)
    to[plain] = order
    return Mapping(mapping.cores_per_layer, to[mapping.placement])


def exchanged_pieces(_: Problem, mapping: Mapping, rng: np.random.Generator) -> Mapping:
    """The pieces of every layer in another order."""
    parts = np.split(mapping.placement, np.cumsum(mapping.cores_per_layer)[:-1])
    return Mapping(mapping.cores_per_layer, np.concatenate([rng.permutation(p) for p in parts]))


def one_swap(problem: Problem, mapping: Mapping, rng: np.random.Generator) -> Mapping:
    """Any two pieces exchanged."""
    while problem.check(
        other := swap(mapping, *rng.choice(len(mapping.placement), 2, replace=False))
    ):
        pass
    return other


Exchange = Callable[[Problem, Mapping, np.random.Generator], Mapping]
EXCHANGES: dict[str, Exchange] = {
    "cores in routers": exchanged_ports,
    "pieces of layers": exchanged_pieces,
    "one swap": one_swap,
}


def changes(backend: Backend, mapping: Mapping) -> Iterator[str]:
    """Lines: how much slower, in %, each image and exchange is."""
    problem, rng = backend.problem, np.random.default_rng(0)
    base = backend.evaluate(mapping).latency_ps
    for name, (x, y) in {"x": (True, False), "y": (False, True), "x and y": (True, True)}.items():
        image = reflected(problem, mapping, x, y)
        said = "needs routers without cores"
        if image is not None:
            said = f"{100 * (backend.evaluate(image).latency_ps / base - 1):+.2f} %"
        yield f"  mirrored in {name:10} {said}"
    for name, exchange in EXCHANGES.items():
        others = [exchange(problem, mapping, rng) for _ in range(DRAWS)]
        slower = np.array([one.latency_ps / base - 1 for one in backend.evaluate_batch(others)])
        low, middle, high = 100 * np.quantile(slower, [0, 0.5, 1])
        yield (
            f"  {name:21} {low:+.2f} to {high:+.2f} %, median {middle:+.2f} %; "
            f"{np.mean(slower <= 0):.0%} no slower"
        )


def taken_for_copies(submissions: list[Submission], replayer: Replayer) -> Iterator[str]:
    """Lines: how many of each solver's mappings are near-copies, had every solver its author."""
    for one in submissions:
        public = Public(replayer)
        for other in submissions:
            if other.about.name != one.about.name:
                # Here each solver counts as an author of its own.
                public.add(replace(other, about=replace(other.about, authors=(other.about.name,))))
        alone = public.nearest(one)
        if alone:
            yield f"  {one.folder}: {len(alone)} of {len(one.mappings)}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What symmetric mappings are worth.")
    parser.add_argument("--board", default="leaderboard/previous/v1", type=Path)
    parser.add_argument("--suite", default="sparse-mlp-v1")
    arguments = parser.parse_args()
    suite, replayer = load_suite(arguments.suite), Replayer(load_suite(arguments.suite))
    submissions = [one for one in read_board(arguments.board) if one.about.suite == suite.name]
    for name in suite.names:
        backend = make_backend(suite.backend, load(name))
        runs = (run for one in submissions for run in one.mappings.items())
        mappings = {mapping for run, mapping in runs if run.problem == name}
        best = min(mappings, key=lambda one: backend.evaluate(one).latency_ps)
        same = len({canonical_digest(backend.problem.topology, one) for one in mappings})
        print(f"{name}: {len(mappings)} mappings, {same} up to symmetries; of the fastest:")
        print("\n".join(changes(backend, best)), flush=True)
    print("near-copies of another solver's mappings:")
    print("\n".join(taken_for_copies(submissions, replayer)))


if __name__ == "__main__":
    main()
