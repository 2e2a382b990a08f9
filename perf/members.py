"""How long a problem takes to be made, with its reference: for resets and for people who wait.

Processor time of one process. `--before DIR` is a checkout of an earlier release: the same
addresses are made there as an environment of that release made them, in turn with this one.

    python perf/members.py --before ../earlier
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

REPEATS = 5
PROBLEMS = {
    "92,000 synapses, 24 cores": (
        "generator://mlp?layers=3&width=160&inputs=196&density=0.8&chip=loihi2-24&seed={seed}",
        REPEATS,
    ),
    "flagship, 1.9 million, 152 cores": (
        "generator://mlp?layers=9&width=1024&density=0.2&chip=loihi2&seed={seed}",
        REPEATS,
    ),
    "13.9 million, eight chips": (
        "generator://mlp?layers=30&width=1536&density=0.2&active=0.04&steps=1"
        "&chip=kapoho-point&seed={seed}",
        3,
    ),
    "248 million, Hala Point": (
        "generator://mlp?layers=1036&width=2000&density=0.06&steps=1&chip=hala-point&seed={seed}",
        1,
    ),
}

TIMED = """
import json, sys, time
from dataclasses import replace
import loihi_gym
from loihi_gym.benchmarks.custom import fastest_heuristic
uri, repeats = sys.argv[1], int(sys.argv[2])
try:
    from loihi_gym.benchmarks.references import quick_reference
except ImportError:
    quick_reference = None


def made(seed):
    problem = loihi_gym.load(uri.replace("{seed}", str(seed)))
    drawn = time.process_time()
    if quick_reference:
        problem = problem.with_reference(quick_reference(problem))
    elif repeats > 1:  # what an import did; with Hala Point nobody waits
        problem = replace(problem, reference=fastest_heuristic(problem))
    problem.require(problem.reference_mapping)
    return drawn, problem


if repeats > 1:
    made(1000)  # compiled
rows = []
for seed in range(repeats):
    started = time.process_time()
    drawn, _ = made(seed)
    rows.append((drawn - started, time.process_time() - drawn))
print(json.dumps(min(rows, key=sum)))
"""


def timed(root: Path, uri: str, repeats: int) -> tuple[float, float]:
    """Seconds to draw a problem, and to find and check its reference, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": f"{root}:{root / 'baselines'}"}
    run = [sys.executable, "-c", TIMED, uri, str(repeats)]
    done = subprocess.run(
        run, cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    drawn, reference = json.loads(done.stdout)
    return drawn, reference


def main() -> None:
    """Time each problem, here and in the earlier release."""
    parser = argparse.ArgumentParser(description="How long problems take to be made.")
    parser.add_argument("--before", type=Path, metavar="DIR", help="checkout of an earlier release")
    parser.add_argument("--huge", action="store_true", help="Hala Point too: minutes, 10 GB")
    arguments = parser.parse_args()
    roots = {"now": Path(__file__).resolve().parent.parent}
    if arguments.before:
        roots["before"] = arguments.before.resolve()
    for name, (uri, repeats) in PROBLEMS.items():
        if repeats == 1 and not arguments.huge:
            continue
        cells = []
        for label, root in roots.items():
            drawn, reference = timed(root, uri, repeats)
            cells.append(f"{label}: {1e3 * drawn:,.1f} + {1e3 * reference:,.1f} ms")
        print(f"{name}: drawn + reference, {'; '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
