"""Make a reference case of one's own with SANA-FE's cycle-accurate timing model.

    python perf/make_noc_case.py OUT.json --layers 5,7,9,5 --neurons 20,14,11 --seed 11

Draws a layered traffic and placements of it, and times each placement in a SANA-FE process of its
own (needs the extra `sanafe`). The result has the format of tests/data/noc and is for
perf/fidelity.py: a check on traffics that nobody looked at while the mechanism was written.
"""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from loihi_gym.backends.sanafe.peer import ATTEMPTS, CYCLE_MESH, run_jobs
from loihi_gym.chip import load_chip
from loihi_gym.files import write_text

NETWORK = Path(__file__).parent.parent / "tests" / "data" / "noc" / "noc_64.json"
CORES = 128
INACTIVE_NS = 9.7


def draw_traffic(
    layers: list[int], neurons: list[int], density: float, rng: np.random.Generator
) -> list[tuple[list[Any], int]]:
    """Scripts of all cores: (sending neurons, silent ones after the last)."""
    first = np.cumsum([0, *layers]).tolist()
    cores: list[tuple[list[Any], int]] = []
    for layer, k in enumerate(layers):
        for _ in range(k):
            sending = []
            for _ in range(neurons[layer] if layer + 1 < len(layers) else 0):
                targets = range(first[layer + 1], first[layer + 2])
                messages = [[target, int(rng.integers(2, 16))] for target in targets]
                kept = [message for message in messages if rng.random() < density]
                sending.append([int(rng.integers(0, 6)), kept or messages[:1]])
            cores.append((sending, int(rng.integers(0, 3)) if sending else 60))
    return cores


def draw_placements(
    n: int, count: int, rng: np.random.Generator
) -> tuple[list[list[int]], list[str]]:
    """Row-major, uniformly random ones, then compact ones in random rectangles."""
    placements, kinds = [list(range(n))], ["row-major"]
    while len(placements) < 0.6 * count + 1:
        placements.append(rng.permutation(CORES)[:n].tolist())
        kinds.append("uniform random")
    while len(placements) < count:
        w, h, c = rng.integers(1, 9), rng.integers(1, 5), rng.integers(1, 5)
        if w * h * c < n:
            continue
        x, y = rng.integers(0, 9 - w), rng.integers(0, 5 - h)
        places = [
            int(((y + j) * 8 + x + i) * 4 + p) for j in range(h) for i in range(w) for p in range(c)
        ]
        placements.append(places[:n])
        kinds.append("random rectangle and cores per router")
    return placements, kinds


def step_ns(cores: list[tuple[list[Any], int]], placement: list[int]) -> float:
    """SANA-FE's step time of one placement."""
    places = [[core // 4 % CYCLE_MESH[0], core // 32, core % 4] for core in placement]
    for _ in range(ATTEMPTS):
        run = {"cores": cores, "placement": places}
        answer = run_jobs(load_chip("booksim-8x4"), "cycle", [run], trace=True)[0]
        if answer.ordered:
            return round(answer.step_ns)
    raise SystemExit("SANA-FE's messages do not leave in the order of the format")


def main() -> None:
    """Draw, time, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--layers", default="5,7,9,5", help="cores of each layer")
    parser.add_argument("--neurons", default="20,14,11", help="sending neurons of each core")
    parser.add_argument("--density", type=float, default=1.0, help="part of the cores addressed")
    parser.add_argument("--placements", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    layers, neurons = (json.loads(f"[{text}]") for text in (options.layers, options.neurons))
    cores = draw_traffic(layers, neurons, options.density, rng)
    placements, kinds = draw_placements(len(cores), options.placements, rng)
    with ThreadPoolExecutor(2) as pool:
        times = list(pool.map(lambda placement: step_ns(cores, placement), placements))
    case = {
        "about": "A case in the format of noc_64.json, made by perf/make_noc_case.py: layers "
        f"{options.layers}, neurons {options.neurons}, density {options.density}, seed "
        f"{options.seed}; cycle_ns by SANA-FE 2.2.9, timing model 'cycle'.",
        # The worker has every silent neuron updated.
        "network": {
            **json.loads(NETWORK.read_text(encoding="utf-8"))["network"],
            "silent_ns": INACTIVE_NS,
        },
        "logical_cores": len(cores),
        "cores": [
            [
                [
                    round(39.7 + INACTIVE_NS * silent, 1),
                    [[target, round(16 + 4.7 * synapses, 1)] for target, synapses in messages],
                ]
                for silent, messages in sending
            ]
            for sending, _ in cores
        ],
        "tail_ns": [round(INACTIVE_NS * tail, 1) for _, tail in cores],
        "placements": placements,
        "placement_kinds": kinds,
        "cycle_ns": times,
    }
    write_text(options.out, json.dumps(case, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
