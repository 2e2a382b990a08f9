"""`sanafe`: a peer simulator as a backend, to compare `mesh` with on one's own mappings.

SANA-FE (GPL, the extra ``sanafe``) simulates neuromorphic chips; its ``cycle`` timing model embeds
the cycle-accurate network simulator BookSim 2. That network is fixed: 8 x 4 routers, 4 cores each,
cycles of 1 ns, two fabrics. A chip that is a part of it is simulated so; any other single chip by
SANA-FE's own contention model, ``detailed``, with the chip's own mesh. Core times are the chip's in
both; the network's are SANA-FE's, so step times differ, and the ranking is what can be compared.

Every step of every mapping runs in a process of its own: SANA-FE can end the process, and orders a
neuron's messages by memory addresses, which ascend with the cores only in a fresh one.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Int64Array
from ...chip import ChipSpec
from ...errors import BackendError
from ...mapping import Mapping, Problem
from ...mapping.pieces import bounds
from ...network import SparseMLP
from ...threads import processors
from ..assembly import assemble, busy_times
from ..measurement import Measurement
from .sanafe_worker import ANSWER, Script

CYCLE_MESH = (8, 4)
CYCLE_CORES_PER_ROUTER = 4
BUILT = {"multicast": "none", "rows": "sparse", "phases": "pipelined"}
"""How a chip must be built for SANA-FE's model of it to be the same."""
ATTEMPTS = 3
"""Processes started for one step until its messages leave in ascending order of core."""
SECONDS = 600
"""After which a process is ended."""


class SanafeBackend:
    """The `sanafe` backend.

    Raises:
        BackendError: if SANA-FE is not installed, the chip is more than one, or is built otherwise.
    """

    name = "sanafe"

    def __init__(self, problem: Problem) -> None:
        if find_spec("sanafe") is None:
            raise BackendError('the sanafe backend needs SANA-FE: pip install "loihi-gym[sanafe]"')
        if problem.chip.n_chips > 1:
            raise BackendError(
                f"the sanafe backend simulates one chip, and {problem.chip.name} is "
                f"{problem.chip.n_chips}: choose mesh or bound"
            )
        for name, value in BUILT.items():
            if getattr(problem.chip.structure, name) != value:
                raise BackendError(
                    f"the sanafe backend simulates chips with {name} = {value!r}, and "
                    f"{problem.chip.name} has another: choose mesh or bound"
                )
        self.problem = problem
        self.timing = "cycle" if _fits_cycle(problem.chip) else "detailed"

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; see `Backend.evaluate`."""
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order, with a process per core of the machine."""
        for mapping in mappings:
            self.problem.require(mapping)
        steps = self.problem.activity.steps
        if not mappings:
            return []
        jobs = [(mapping, step) for mapping in mappings for step in range(steps)]
        with ThreadPoolExecutor(processors()) as pool:
            times = np.array(list(pool.map(self._step_ps, *zip(*jobs, strict=True))), np.int64)
        return [
            assemble(self.problem, mapping, busy_times(self.problem, mapping), step_ps)
            for mapping, step_ps in zip(mappings, times.reshape(-1, steps), strict=True)
        ]

    def _step_ps(self, mapping: Mapping, step: int) -> int:
        """Time of one step, barrier included."""
        run = {
            "cores": scripts(self.problem, mapping, step),
            "placement": places(self.problem, mapping),
        }
        for _ in range(ATTEMPTS):
            answer = run_jobs(self.problem.chip, self.timing, [run], trace=True)[0]
            if answer.ordered:
                return round(answer.step_ns * 1000) + self.problem.chip.costs.barrier_ps
        raise BackendError(
            f"SANA-FE sent messages out of order in {ATTEMPTS} processes; its results depend on "
            f"memory addresses, try again"
        )


class Answer(NamedTuple):
    """What SANA-FE found for one run."""

    step_ns: float
    ordered: bool | None
    seconds: float


def _fits_cycle(chip: ChipSpec) -> bool:
    width, height = chip.routers
    fits = width <= CYCLE_MESH[0] and height <= CYCLE_MESH[1]
    return fits and chip.cores_per_router <= CYCLE_CORES_PER_ROUTER


def scripts(problem: Problem, mapping: Mapping, step: int) -> list[tuple[Script, int]]:
    """What each logical core does in a step: (sending neurons, silent ones after the last)."""
    counts = mapping.cores_per_layer
    found: list[tuple[Script, int]] = []
    first = 0
    for layer, k in enumerate(counts.tolist()):
        first += k  # first logical core of the next layer
        sends = problem.activity.messages[layer][step] != 0
        if layer + 1 < len(counts):
            synapses = _synapses(problem.network, layer + 1, int(counts[layer + 1]))
        else:
            synapses = np.zeros((len(sends), 0), np.int64)
        cut = bounds(len(sends), k)
        for start, stop in pairwise(cut.tolist()):
            neurons: Script = []
            silent = 0
            for neuron in range(start, stop):
                if not sends[neuron]:
                    silent += 1
                    continue
                targets = np.flatnonzero(synapses[neuron])
                messages = [[first + int(t), int(synapses[neuron, t])] for t in targets]
                neurons.append([silent, messages])
                silent = 0
            found.append((neurons, silent))
    return found


def _synapses(network: SparseMLP, layer: int, k: int) -> Int64Array:
    """Synapses of each neuron of layer - 1 in each of `k` pieces of `layer`, (n_pre, k)."""
    weights = network.weights[layer - 1]
    cut = weights.indptr[bounds(network.widths[layer], k)]
    columns = [
        np.bincount(weights.indices[start:stop], minlength=network.widths[layer - 1])
        for start, stop in pairwise(cut.tolist())
    ]
    return np.stack(columns, axis=1)


def places(problem: Problem, mapping: Mapping) -> list[list[int]]:
    """Router column, row and port of each logical core."""
    mesh = problem.topology
    columns = np.stack((mesh.core_x, mesh.core_y, mesh.core_port), axis=1)
    return [[int(v) for v in row] for row in columns[mapping.placement]]


def run_jobs(
    chip: ChipSpec, timing: str, runs: list[dict[str, Any]], trace: bool = False
) -> list[Answer]:
    """Play runs one after the other in one process.

    Raises:
        BackendError: if the process fails or takes too long.
    """
    costs = chip.costs
    cycle = timing == "cycle"
    job = {
        "mesh": CYCLE_MESH if cycle else chip.routers,
        "cores_per_router": CYCLE_CORES_PER_ROUTER if cycle else chip.cores_per_router,
        "buffer": chip.network.router_buffer,
        "timing": timing,
        "trace": trace,
        "runs": runs,
        "costs_ns": {
            "inactive": costs.neuron_inactive_ps / 1000,
            "spike_extra": (costs.neuron_active_ps - costs.neuron_inactive_ps) / 1000,
            "send": costs.spike_ps / 1000,
            "message": chip.capacity.axon_words * costs.synmem_word_ps / 1000,
            "synapse": (costs.synop_ps + chip.capacity.synapse_bits * costs.synmem_word_ps / 64)
            / 1000,
            "hop_x": costs.hop_x_ps / 1000,
            "hop_y": costs.hop_y_ps / 1000,
        },
    }
    # By its path, so that the process does not import loihi_gym first; -P, so that it finds SANA-FE
    # and not this module.
    command = [sys.executable, "-P", str(Path(__file__).with_name("sanafe_worker.py"))]
    try:
        done = subprocess.run(
            command, input=json.dumps(job), capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise BackendError(f"SANA-FE was ended after {SECONDS} s") from error
    lines = [line for line in done.stdout.splitlines() if line.startswith(ANSWER)]
    if done.returncode or not lines:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise BackendError(f"SANA-FE ended with code {done.returncode}; it said: {said}")
    return [Answer(**answer) for answer in json.loads(lines[-1][len(ANSWER) :])]
