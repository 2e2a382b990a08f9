"""A stand-in for Intel's closed lava-loihi, to be put on the worker's PYTHONPATH.

It has the parts that public code uses, with the shapes that public code shows, and nothing of the
chip: the network runs in Lava's CPU models, and times are made up from the step's number.

- Profilers, as in lava-nc/lava-dl, tutorials/lava/lib/dl/netx/pilotnet_sdnn/benchmark.ipynb:
  ``execution_time_per_step`` in microseconds; ``core_idx``, ``chip_idx`` and counts per core;
  ``total_power`` and ``static_total_power`` in watts. The runtime calls each one's
  ``pre_run_callback`` and ``post_run_callback`` (lava-nc/lava, src/lava/magma/core/callback_fx.py).
- ``Loihi2HWProfiler``, as in lava-nc/lava, src/lava/utils/profiler.py, and in lava-optimization,
  src/lava/lib/optimization/solvers/generic/solver.py: ``execution_time`` in seconds.
- Addresses of variables: the classes of lava-nc/lava, src/lava/magma/compiler/var_model.py. Cores
  are numbered one after the other in the order in which the processes were made, 120 to a chip
  (src/lava/magma/compiler/mapper.py, NUM_VIRTUAL_CORES_L3).
- ``compile_config["partitioning"]``: its real format is closed; here {process name: (chip, core)}.

FAKE_LOIHI, a comma-separated list, makes it misbehave: ``split`` (a piece on two cores), ``cpu``
(no model for the neurocore), ``stranger`` (another core is active), ``short`` (too few times),
``hang``, ``nopower`` (a profiler module without Loihi2Power), ``jitter`` (times differ from run to
run).
"""

import os
import time

from lava.magma.compiler.compiler import Compiler
from lava.magma.compiler.var_model import LoihiNeuronAddress, LoihiNeuronVarModel
from lava.magma.core.run_conditions import RunSteps
from lava.magma.runtime.runtime import Runtime
from lava.proc.graded.process import GradedReluVec, GradedVec
from lava.proc.lif.process import LIF
from lava.proc.sdn.process import SigmaDelta

CORES_PER_CHIP = 120
NEURONS = (GradedReluVec, GradedVec, LIF, SigmaDelta)
FAULTS = os.environ.get("FAKE_LOIHI", "").split(",")
runs = 0


class Board:
    """What the callbacks are given."""

    def __init__(self, steps, places):
        self.steps = steps
        self.places = places

    def step_us(self):
        """Step t of run r takes t + r / 4 microseconds; without jitter, r is 0."""
        late = (runs - 1) / 4 if "jitter" in FAULTS else 0
        count = 1 if "short" in FAULTS else self.steps
        return [step + late for step in range(1, count + 1)]


def _address(chip, core):
    return LoihiNeuronAddress(
        physical_chip_id=chip,
        physical_core_id=core,
        logical_chip_id=0,
        logical_core_id=0,
        logical_idx_addr=0,
        length=1,
        stride=1,
        neuron_group_id=0,
    )


def _compile(self, process, run_cfg):
    executable = real_compile(self, process, run_cfg)
    hints = self._compile_config.get("partitioning") or {}
    on_chip = [p for p in executable.process_list if type(p) in NEURONS]
    places = []
    for number, piece in enumerate(sorted(on_chip, key=lambda p: p.id)):
        place = hints.get(piece.name) or divmod(number, CORES_PER_CHIP)
        places.append(place)
        addresses = [_address(*place)]
        if "split" in FAULTS and number == 1:
            addresses.append(_address(place[0], place[1] + 1))
        if "cpu" not in FAULTS:
            models = {v.id: LoihiNeuronVarModel(var=v, address=addresses) for v in piece.vars}
            executable.proc_builders[piece].var_id_to_var_model_map = models
    executable.fake_places = places
    executable.fake_callbacks = run_cfg.callback_fxs
    return executable


def _start(self, run_condition):
    global runs
    runs += 1
    assert isinstance(run_condition, RunSteps)
    if "hang" in FAULTS:
        time.sleep(3600)
    board = Board(run_condition.num_steps, self._executable.fake_places)
    for callback in self._executable.fake_callbacks:
        callback.pre_run_callback(board, {})
    real_start(self, run_condition)
    for callback in self._executable.fake_callbacks:
        callback.post_run_callback(board, {})


real_compile, Compiler.compile = Compiler.compile, _compile
real_start, Runtime.start = Runtime.start, _start
