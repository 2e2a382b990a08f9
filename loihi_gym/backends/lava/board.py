"""`lava`: a Loihi 2, through Lava. Not run on a chip by us.

What is measured on the chip is the time of each step, and power if there is a probe. Counts of
operations and messages are the network's own, the same that every backend reports.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...arrays import Int32Array, Int64Array
from ...errors import BackendError, LavaSetupError, MeasurementError
from ...mapping import Mapping, Problem
from ...network import run
from ..assembly import assemble, busy_times
from ..measurement import Backend, EnergyBreakdown, Measurement
from .client import LavaWorker
from .jobs import job_file
from .verification import inputs_of

Place = tuple[int, int]
INPUT_DELAY = 1
"""Steps between the host's sending an input and the input population's: its identity synapses."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class HardwareMeasurement(Measurement):
    """A `Measurement` on a Loihi 2.

    Its step times are the medians of several runs. Its energy is what was measured, divided among
    causes in proportion to the chip file's constants; it is None if there was no power probe.

    Attributes:
        runs_ps: Step times of each run, (runs, T).
        power_w: Mean power of the board over a long run, static power included, or None.
        static_power_w: Power of the idle board, or None.
        core_counts: What the chip's own probe counted in one run, warm-up included, for each of its
            entries: ``cores`` (n, 2) as (chip, core), and (n,) of ``syn_ops``, ``axon_out``, ...
    """

    runs_ps: Int64Array
    power_w: float | None
    static_power_w: float | None
    core_counts: dict[str, Int64Array]


class LavaBackend(Backend):
    """The `lava` backend; it measures one mapping after the other, since there is one board.

    Args:
        problem: What to measure; it must have its inputs.
        host: Address of a board on the network; default $LOIHI_GYM_LAVA_HOST, else SLURM.
        board: Board (SLURM node) to ask for; default $LOIHI_GYM_LAVA_BOARD.
        partition: SLURM partition to ask for; default $LOIHI_GYM_LAVA_PARTITION.
        generation: Of the chip, as in Lava's ChipGeneration; default $LOIHI_GYM_LAVA_GENERATION,
            else N3B3.
        runs: Each mapping is run so often, each time from rest; step times are medians.
        warm_up: Silent steps before the inputs.
        profiler: ``callbacks`` (lava.utils.loihi2_profiler) or ``api`` (lava.utils.profiler).
        power_steps: Steps of a further run for power; 0 for none.
        hints: Python file for the closed compiler, see docs/real-loihi.md; default
            $LOIHI_GYM_LAVA_HINTS.
        limit_s: Wall-clock limit of one mapping's measurement.
        worker: Who runs Lava; default a new worker.
    """

    name = "lava"

    def __init__(
        self,
        problem: Problem,
        *,
        host: str | None = None,
        board: str | None = None,
        partition: str | None = None,
        generation: str | None = None,
        runs: int = 3,
        warm_up: int = 10,
        profiler: Literal["callbacks", "api"] = "callbacks",
        power_steps: int = 0,
        hints: str | None = None,
        limit_s: float = 900.0,
        worker: LavaWorker | None = None,
    ) -> None:
        if runs < 1 or warm_up < 0 or power_steps < 0:
            raise BackendError("runs must be at least 1, warm_up and power_steps at least 0")
        self.problem = problem
        self._worker = worker or LavaWorker()
        self._warm_up = warm_up
        self._limit_s = limit_s
        self._request = {
            "board": {
                "host": host or _setting("HOST"),
                "board": board or _setting("BOARD"),
                "partition": partition or _setting("PARTITION"),
                "generation": generation or _setting("GENERATION") or "N3B3",
            },
            "runs": runs,
            "profiler": profiler,
            "power_steps": power_steps,
            "hints": hints or _setting("HINTS"),
        }

    def evaluate(self, mapping: Mapping) -> HardwareMeasurement:
        """Measure one mapping; see `Backend.evaluate`.

        Raises:
            IllegalMappingError: if `Problem.check` finds a violation.
            LavaSetupError: if there is no Loihi, or no Lava.
            MeasurementError: if Lava fails, or its compiler placed the cores elsewhere.
        """
        self.problem.require(mapping)
        wanted = places(self.problem, mapping)
        steps = self.problem.activity.steps
        network, counts = self.problem.network, mapping.cores_per_layer
        if network.biases:
            raise MeasurementError(
                f"{self.problem.name} has biases, which change its state before the inputs are in: "
                "the steps measured would not be those recorded; 'loihi-gym verify' runs it"
            )
        with job_file(self._worker, network, self._inputs(), counts) as job:
            reply = self._ask(job=str(job), steps=steps, wanted=wanted)
        check_placement(self.problem, mapping, wanted, reply["cores"])
        _check_active(mapping, wanted, reply["activity"])
        return self._measurement(mapping, reply)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _ask(self, **fields: Any) -> dict[str, Any]:
        try:
            reply = self._worker.request("measure", self._limit_s, **self._request, **fields)
        except MeasurementError as error:
            if "NoLoihiError:" not in str(error):
                raise
            reason = str(error).partition("NoLoihiError: ")[2]
            raise LavaSetupError(
                f"no Loihi 2 was found: {reason}; 'loihi-gym lava doctor' shows what is there, and "
                "backend='mesh' simulates the chip"
            ) from error
        return dict(reply)

    def _inputs(self) -> Int32Array:
        """What the input population sends: silence, then what leads to the recorded steps."""
        messages = run(self.problem.network, inputs_of(self.problem))[0]
        return np.pad(messages, ((self._warm_up, INPUT_DELAY), (0, 0)))

    def _measurement(self, mapping: Mapping, reply: dict[str, Any]) -> HardwareMeasurement:
        runs_ps = np.array(reply["runs_ps"], np.int64, ndmin=2)
        steps = self.problem.activity.steps
        if runs_ps.shape != (self._request["runs"], steps) or runs_ps.min() <= 0:
            raise MeasurementError(
                f"the profiler gave {runs_ps.shape[-1]} step times, or some that are not positive; "
                f"{steps} were to be measured"
            )
        step_ps = np.median(runs_ps, axis=0).round().astype(np.int64)
        simulated = assemble(self.problem, mapping, busy_times(self.problem, mapping), step_ps)
        bottleneck, power = simulated.bottleneck, (reply["power_w"], reply["static_power_w"])
        assert bottleneck is not None
        own = {
            "bottleneck": bottleneck._replace(share=min(bottleneck.share, 1.0)),
            "energy": measured_energy(simulated.energy, simulated.latency_ps, *power),
        }
        counts = {name: np.array(v, np.int64) for name, v in (reply["activity"] or {}).items()}
        return HardwareMeasurement(
            **{**vars(simulated), **own},
            runs_ps=runs_ps,
            power_w=power[0],
            static_power_w=power[1],
            core_counts=counts,
        )


def _setting(name: str) -> str | None:
    """A default from the environment, for backends made by name, as environments do."""
    return os.environ.get(f"LOIHI_GYM_LAVA_{name}") or None


def places(problem: Problem, mapping: Mapping) -> list[Place]:
    """(chip, core) of each logical core, as Lava numbers them.

    Assumed: Lava numbers a chip's cores as we do. Which router a number means is not public.
    """
    chip = problem.topology.core_chip
    first = np.searchsorted(chip, np.arange(chip.max() + 1))
    cores = mapping.placement
    pairs = np.stack([chip[cores], cores - first[chip[cores]]], axis=1).tolist()
    return [(chip_id, core) for chip_id, core in pairs]


def check_placement(
    problem: Problem, mapping: Mapping, wanted: Sequence[Place], found: Sequence[Sequence[Any]]
) -> None:
    """Refuse a measurement of another mapping than was asked for.

    Args:
        problem: For names.
        mapping: What was asked for.
        wanted: (chip, core) of each logical core.
        found: For each logical core, the (chip, core) pairs that it was found on.

    Raises:
        MeasurementError: names the mapping and the first core that is elsewhere.
    """
    layers = np.repeat(np.arange(problem.n_layers), mapping.cores_per_layer)
    wrong = [i for i, at in enumerate(found) if [tuple(place) for place in at] != [wanted[i]]]
    if len(found) != len(wanted):
        raise MeasurementError(f"Lava reported {len(found)} logical cores of {len(wanted)}")
    if wrong:
        core, more = wrong[0], f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise MeasurementError(
            f"the compiler did not honour mapping {mapping.digest[:12]}: logical core {core} "
            f"(layer {layers[core]}) {_where(found[core])}, not on {_named(wanted[core])}{more}; "
            "nothing was measured, see docs/real-loihi.md on hints"
        )


def _where(found: Sequence[Sequence[int]]) -> str:
    if not found:
        return "ran on the CPU"
    return "is on " + " and ".join(_named(place) for place in found)


def _named(place: Sequence[int]) -> str:
    return f"chip {place[0]} core {place[1]}"


def _check_active(
    mapping: Mapping, wanted: Sequence[Place], activity: dict[str, Any] | None
) -> None:
    """The chip's own counts say the same: cores that are not ours updated no neurons."""
    if activity is None:
        return
    updates = zip(activity["cores"], activity["dendrite_updates"], strict=True)
    busy = {(chip, core) for (chip, core), count in updates if count}
    strangers = sorted(busy - set(wanted))
    if strangers:
        raise MeasurementError(
            f"mapping {mapping.digest[:12]} was not what ran: {_named(strangers[0])} updated "
            "neurons, and is not in the mapping"
        )


def measured_energy(
    modelled: EnergyBreakdown | None,
    latency_ps: int,
    power_w: float | None,
    static_w: float | None,
) -> EnergyBreakdown | None:
    """Measured energy in fJ; the dynamic part is divided as the model divides its own.

    None if there was no power probe.
    """
    if modelled is None or power_w is None or static_w is None:
        return None
    static = round(static_w * latency_ps * 1000)  # 1 W for 1 ps is 1000 fJ
    # The difference of two noisy readings may be negative, as in one of Intel's own examples.
    dynamic = max(round(power_w * latency_ps * 1000) - static, 0)
    synops, neurons, messages = modelled.synops_fj, modelled.neurons_fj, modelled.messages_fj
    total = max(synops + neurons + messages, 1)
    first, second = dynamic * synops // total, dynamic * neurons // total
    return EnergyBreakdown(first, second, dynamic - first - second, static)
