"""The network of a job on a Loihi 2, measured. Not run on a chip by us.

What belongs to Intel's closed extension lava-loihi is used as public code uses it:

- ``lava.utils.loihi2_profiler``: Loihi2ExecutionTime (microseconds per step), Loihi2Activity
  (counts per core), Loihi2Power (watts), given to the run as ``callback_fxs``; lava-nc/lava-dl,
  tutorials/lava/lib/dl/netx/pilotnet_sdnn/benchmark.ipynb.
- ``lava.utils.profiler.Profiler.init(cfg)`` with ``execution_time_probe(num_steps=...)`` and
  ``execution_time`` (seconds); lava-nc/lava-optimization,
  src/lava/lib/optimization/solvers/generic/solver.py.
- ``lava.proc.embedded_io.spike.PyToNxAdapter(shape, num_message_bits)``; lava-nc/lava,
  src/lava/networks/gradedvecnetwork.py.
- Where a process landed: ``var_id_to_var_model_map`` of its builder, filled in by the open
  src/lava/magma/compiler/mapper.py and var_model.py of lava-nc/lava.
"""

import importlib.util
import os
from typing import Any

import numpy as np
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2HwCfg
from lava.proc.graded.process import GradedVec
from lava.proc.io.source import RingBuffer
from lava.utils import loihi
from network import connect, layer_of, pieces_of
from scipy.sparse import csr_matrix

Place = tuple[int, int]
MESSAGE_BITS = 24
ACTIVITY = ("syn_ops", "dendrite_updates", "spikes_in", "axon_out")


class NoLoihiError(Exception):
    """There is no Loihi 2 to run on."""


def measure(job: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Measure a job; times are of the last request["steps"] steps of each run.

    Returns a dict: ``runs_ps``, (runs, steps); ``cores``, for each logical core the list of
    [chip, core] it landed on; ``activity``, counts per core or None; ``power_w`` and
    ``static_power_w``, or None.
    """
    choose_board(request["board"])
    runs, cores, activity = [], None, None
    for _ in range(request["runs"]):
        probe = PROBES[request["profiler"]](len(job["inputs"]))
        cores = run(job, request, probe.config, len(job["inputs"]))
        runs.append(probe.step_times_ps()[-request["steps"] :])
        activity = probe.activity() or activity
    return {"runs_ps": runs, "cores": cores, "activity": activity, **power(job, request)}


def choose_board(board: dict[str, Any]) -> None:
    """Say where to run, through Lava; board is a dict of host, partition, board, generation."""
    if not loihi.is_installed():
        raise NoLoihiError("lava-loihi is not installed in this Python environment")
    generation = loihi.ChipGeneration[board["generation"]]
    if board["host"]:
        try:
            loihi.use_ethernet_host(board["host"], loihi_gen=generation)
        except (ValueError, OSError) as error:
            raise NoLoihiError(f"{board['host']} does not answer: {error}") from error
        return
    try:
        loihi.use_slurm_host(loihi_gen=generation)
    except (ValueError, OSError) as error:
        raise NoLoihiError(f"SLURM is not available: {error}") from error
    # Not given to use_slurm_host: parsing sinfo's last, empty line, it raises an IndexError
    # (lava-nc/lava issue 753). It would set these two.
    for variable in ("board", "partition"):
        if board[variable]:
            os.environ[variable.upper()] = board[variable]


class Callbacks:
    """The profilers of lava.utils.loihi2_profiler."""

    def __init__(self, steps: int) -> None:
        from lava.utils import loihi2_profiler

        self._time = loihi2_profiler.Loihi2ExecutionTime(buffer_size=steps)
        self._activity = loihi2_profiler.Loihi2Activity()
        self.config = Loihi2HwCfg(select_tag="fixed_pt", callback_fxs=[self._time, self._activity])

    def step_times_ps(self) -> list[int]:
        """Time of each step."""
        return [round(float(us) * 1e6) for us in self._time.execution_time_per_step]

    def activity(self) -> dict[str, Any]:
        """Counts of each core over the run."""
        cores = np.asarray(self._activity.core_idx)
        chips = np.asarray(getattr(self._activity, "chip_idx", np.zeros_like(cores)))
        counts = {name: np.asarray(getattr(self._activity, name)).tolist() for name in ACTIVITY}
        return {"cores": np.stack([chips, cores], axis=1).tolist(), **counts}


class Api:
    """The profiler of lava.utils.profiler, which has no activity counts."""

    def __init__(self, steps: int) -> None:
        from lava.utils.profiler import Profiler

        self.config = Loihi2HwCfg(select_tag="fixed_pt")
        self._profiler = Profiler.init(self.config)
        self._profiler.execution_time_probe(num_steps=steps)

    def step_times_ps(self) -> list[int]:
        """Time of each step."""
        return [round(float(seconds) * 1e12) for seconds in self._profiler.execution_time]

    def activity(self) -> None:
        """Not offered."""


PROBES = {"callbacks": Callbacks, "api": Api}


def power(job: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Mean power over a long run that repeats the inputs, if asked for and if there is a probe."""
    from lava.utils import loihi2_profiler

    if not request["power_steps"] or not hasattr(loihi2_profiler, "Loihi2Power"):
        return {"power_w": None, "static_power_w": None}
    probe = loihi2_profiler.Loihi2Power(num_steps=request["power_steps"])
    config = Loihi2HwCfg(select_tag="fixed_pt", callback_fxs=[probe])
    run(job, request, config, request["power_steps"])
    return {
        "power_w": float(np.mean(probe.total_power)),
        "static_power_w": float(np.mean(probe.static_total_power)),
    }


def run(
    job: dict[str, Any], request: dict[str, Any], config: Loihi2HwCfg, steps: int
) -> list[list[Place]]:
    """Build, compile and run the network once; returns where each logical core landed."""
    pieces = build(job)
    process = pieces[0]
    hints = partitioning(request["hints"], pieces, request["wanted"])
    process.run(
        condition=RunSteps(num_steps=steps),
        run_cfg=config,
        compile_config={"partitioning": hints} if hints else None,
    )
    cores = [landed(piece) for piece in pieces]
    process.stop()
    return cores


def build(job: dict[str, Any]) -> list[AbstractProcess]:
    """The pieces' neuron processes, in the order of logical cores, connected.

    The inputs enter through an adapter and one synapse each, so that the pieces of the input
    population are on cores too. Between layers there is one Sparse per pair of pieces.
    """
    layers = [_input_pieces(job, job["widths"][0], job["pieces"][0])]
    for layer in range(1, len(job["widths"])):
        cut = pieces_of(job["widths"][layer - 1], len(layers[-1]))
        ports = [piece.s_out for piece in layers[-1]]
        layers.append(layer_of(job, layer, list(zip(cut, ports, strict=True))))
    for layer, pieces in enumerate(layers):
        for number, piece in enumerate(pieces):
            piece.name = f"layer_{layer}_piece_{number}"
    return [piece for pieces in layers for piece in pieces]


def _input_pieces(job: dict[str, Any], width: int, count: int) -> list[AbstractProcess]:
    from lava.proc.embedded_io.spike import PyToNxAdapter

    source = RingBuffer(data=np.ascontiguousarray(job["inputs"].T))
    adapter = PyToNxAdapter(shape=(width,), num_message_bits=MESSAGE_BITS)
    source.s_out.connect(adapter.inp)
    pieces = []
    for first, end in pieces_of(width, count):
        rows = np.arange(end - first)
        identity = csr_matrix(
            (np.ones(len(rows), np.int8), (rows, rows + first)), shape=(len(rows), width)
        )
        piece = GradedVec(shape=(len(rows),), vth=0)
        connect(adapter.out, identity, 0, piece)
        pieces.append(piece)
    return pieces


def partitioning(path: str | None, pieces: list[AbstractProcess], wanted: list[Place]) -> Any:
    """compile_config["partitioning"]: where each process should go, or None.

    The format is the closed compiler's. Whoever has that writes a Python file with a function
    ``partitioning(names, places)``: the pieces' process names and the (chip, core) each is wanted
    on; what it returns goes to the compiler as it is. Without a file, the compiler decides.
    """
    if not path:
        return None
    spec = importlib.util.spec_from_file_location("loihi_gym_hints", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.partitioning([piece.name for piece in pieces], [tuple(w) for w in wanted])


def landed(process: AbstractProcess) -> list[Place]:
    """[chip, core] of every core that a process has state on; empty if it ran on the CPU."""
    builder = process.runtime._executable.proc_builders[process]
    models = getattr(builder, "var_id_to_var_model_map", {}).values()
    places = {
        (int(address.physical_chip_id), int(address.physical_core_id))
        for model in models
        for address in getattr(model, "address", None) or []
    }
    return sorted(places)
