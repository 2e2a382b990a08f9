"""Reference cases: step times that a cycle-accurate network simulator found for many placements.

A file holds one traffic (what each logical core works, sends and receives), placements of it and
the step time of each; see its own ``about`` and ``network``. The mesh kernel plays the same traffic
with the same network constants, so the two can be compared; nothing of it is fitted to the file.

A file writes what a core works as if every silent neuron were updated. SANA-FE, which timed it,
only looks at a neuron that has neither input nor bias: that takes `IDLE_NS`, and is what is played.
A file whose silent neurons were made to be updated says what each took in ``network.silent_ns``.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from loihi_gym.arrays import Int32Array
from loihi_gym.backends.mesh.mesh_kernel import Delays, Load, simulate
from loihi_gym.backends.mesh.packing import delays, make_mesh, tick_ps
from loihi_gym.backends.mesh.simulation import compile_kernel
from loihi_gym.chip import ChipSpec, load_chip
from loihi_gym.errors import LoihiGymError

IDLE_NS = 6.0
"""What SANA-FE's Loihi 1 takes to look at a neuron that it does not update."""


class NocCaseError(LoihiGymError):
    """A reference case is missing or malformed."""


@dataclass(frozen=True, eq=False)
class NocCase:
    """One traffic and P placements of its N logical cores.

    Attributes:
        chip: The network's constants.
        load: The traffic in the kernel's form, one step.
        delays: The kernel's delays; times are whole cycles of the simulator.
        placements: Physical core of each logical core, (P, N).
        random: Which placements were drawn uniformly, (P,).
        step_ns: Step times the reference simulator found, (P,).
    """

    chip: ChipSpec
    load: Load
    delays: Delays
    placements: Int32Array
    random: npt.NDArray[np.bool_]
    step_ns: npt.NDArray[np.float64]

    def simulate(self) -> npt.NDArray[np.float64]:
        """Step times by the mesh kernel in ns, (P,)."""
        mesh = make_mesh(self.chip)
        compile_kernel()
        ticks = [
            int(simulate(self.delays, mesh, self.load, placement)[0])
            for placement in self.placements
        ]
        return np.array(ticks, np.float64) * tick_ps(self.chip) / 1000


def read_noc_case(path: str | Path) -> NocCase:
    """Read a reference case.

    Raises:
        NocCaseError: if the file is missing, malformed or of a network the kernel does not model.
    """
    try:
        tables = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise NocCaseError(f"reference case {path}: {error.strerror}") from error
    except ValueError as error:
        raise NocCaseError(f"reference case {path} is not JSON: {error}") from error
    try:
        return _case(tables)
    except KeyError as error:
        raise NocCaseError(f"reference case {path}: {error} is missing") from error
    except (TypeError, ValueError, IndexError) as error:
        raise NocCaseError(f"reference case {path}: {error}") from error


def regret(found: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> float:
    """How much slower than the best, in the reference, is what was found to be best.

    Of several that were found equally good it is the slowest: one may come away with that.
    """
    return float(reference[found == found.min()].max() / reference.min()) - 1


def _case(tables: dict[str, Any]) -> NocCase:
    network = tables["network"]
    chip = _chip(network)
    clock = _Clock(float(network["cycle_ns"]), tick_ps(chip))
    send_ns = float(network["send_ns"])
    placements = np.array(tables["placements"], np.int32)
    if placements.ndim != 2 or placements.shape[1] != len(tables["cores"]):
        raise ValueError("a placement names a physical core for each logical core")
    if placements.min() < 0 or placements.max() >= chip.n_cores:
        raise ValueError(f"placements name physical cores from 0 to {chip.n_cores - 1}")
    return NocCase(
        chip=chip,
        load=_load(tables, chip, clock),
        delays=delays(chip)._replace(spike=clock.ticks([send_ns])),
        placements=placements,
        random=np.array(tables["placement_kinds"]) == "uniform random",
        step_ns=np.array(tables["cycle_ns"], np.float64),
    )


def _chip(network: dict[str, Any]) -> ChipSpec:
    """The bundled reference network with what the file says of its own."""
    if network["virtual_channels"] != 1 or network["messages_per_packet"] != 1:
        raise ValueError("only one virtual channel and packets of one message are simulated")
    chip = load_chip("booksim-8x4")
    width, height = network["mesh"]
    cycle = round(network["cycle_ns"] * 1000)
    hop = cycle * network["cycles_per_hop"]
    chip = replace(chip, routers=(width, height), cores_per_router=int(network["cores_per_router"]))
    for name, value in {
        "costs.link_ps": 2 * cycle,
        "costs.hop_x_ps": hop,
        "costs.hop_y_ps": hop,
        "network.fabrics": network["subnets"],
        "network.router_buffer": network["input_buffer_messages"],
        "network.receiver_queue": network["receiver_queue_messages"],
    }.items():
        chip = chip.with_constant(name, int(value))
    return chip


class _Clock(NamedTuple):
    """Rounds times to whole cycles, the way the reference simulator does."""

    cycle_ns: float
    tick_ps: int

    def ticks(self, times_ns: Sequence[float]) -> int:
        """The sum of some times, in kernel ticks.

        The simulator adds seconds in binary floating point, one after the other, and cuts off after
        adding half a cycle; so does this, because it decides which way a time halfway between goes.
        """
        seconds = 0.0
        for time in times_ns:
            seconds += float(f"{time:.4f}e-9")  # 9.7 * 1e-9 is not 9.7e-9
        cycles = int(seconds / (self.cycle_ns * 1e-9) + 0.5)
        return cycles * round(self.cycle_ns * 1000) // self.tick_ps


class _Works(NamedTuple):
    """Takes apart what a core works, into neurons.

    Attributes:
        active_ns: What a neuron takes that fires.
        silent_ns: What a silent one takes, as the file counts it.
        took_ns: What that one took the simulator.
    """

    active_ns: float
    silent_ns: float
    took_ns: float

    def parts(self, work_ns: float) -> list[float] | None:
        """What the simulator added up: silent neurons, then those that fire. None if no such sum.

        More than one fires where some have nobody to send to.
        """
        for fire in range(int(work_ns / self.active_ns + 1e-6) + 1):
            silent = (work_ns - fire * self.active_ns) / self.silent_ns
            if abs(silent - round(silent)) < 1e-6:
                return [self.took_ns] * round(silent) + [self.active_ns] * fire
        return None


def _parts_of_works(tables: dict[str, Any], chip: ChipSpec) -> Callable[[float], list[float]]:
    """Takes apart the works of a file; those of one that counts otherwise stay as they are."""
    active, silent = chip.costs.neuron_active_ps / 1000, chip.costs.neuron_inactive_ps / 1000
    works = _Works(active, silent, float(tables["network"].get("silent_ns", IDLE_NS)))
    found = {float(work): works.parts(work) for core in tables["cores"] for work, _ in core}
    found |= {float(tail): works.parts(tail) for tail in tables["tail_ns"]}
    if None in found.values():
        return lambda work_ns: [work_ns]
    return lambda work_ns: found[float(work_ns)] or []


def _parts_of_receiving(receive_ns: float, chip: ChipSpec) -> list[float]:
    """A message's own time at its receiver, then that of each synapse."""
    message, synapse = chip.costs.synmem_word_ps / 1000, chip.costs.synop_ps / 1000
    count = round((receive_ns - message) / synapse)
    parts = [message] + [synapse] * count
    return parts if abs(sum(parts) - receive_ns) < 1e-6 else [receive_ns]


def _load(tables: dict[str, Any], chip: ChipSpec, clock: _Clock) -> Load:
    """The kernel's form of the cores' scripts; one step."""
    parts_of = _parts_of_works(tables, chip)
    cores, send_ns = tables["cores"], float(tables["network"]["send_ns"])
    ranges = list(_destinations(cores))
    send = clock.ticks([send_ns])
    work: list[int] = []
    receive: list[int] = []
    row_first: list[int] = []
    neuron_first = [0]
    for neurons, (start, stop) in zip(cores, ranges, strict=True):
        for work_ns, messages in neurons:
            # The simulator rounds a neuron's work and its first message's sending together.
            work.append(clock.ticks([*parts_of(work_ns), send_ns]) - send)
            row_first.append(len(receive))
            row = [-1] * (stop - start)
            for target, receive_ns in messages:
                row[target - start] = clock.ticks(_parts_of_receiving(receive_ns, chip))
            receive += row
        neuron_first.append(len(work))
    tails = [clock.ticks(parts_of(tail_ns)) for tail_ns in tables["tail_ns"]]
    return Load(
        next_core=np.array([start for start, _ in ranges], np.int32),
        fan_out=np.array([stop - start for start, stop in ranges], np.int32),
        wide=np.zeros(len(ranges), np.int32),
        neuron_first=np.array([neuron_first], np.int64),
        work=np.array(work, np.int64),
        tail=np.array([tails], np.int64),
        row_first=np.array(row_first, np.int64),
        receive=np.array(receive, np.int32),
    )


def _destinations(cores: list[Any]) -> Iterator[tuple[int, int]]:
    """Range of logical cores that each core sends to; those of one layer share one."""
    spans: list[tuple[int, int]] = []
    for neurons in cores:
        targets = [target for _, messages in neurons for target, _ in messages]
        spans.append((min(targets), max(targets) + 1) if targets else (0, 0))
    layers: list[list[int]] = []
    for start, stop in spans:
        if start == stop:
            continue
        if not 0 <= start < stop <= len(cores) or (layers and start < layers[-1][0]):
            raise ValueError("logical cores are not listed layer by layer")
        if layers and start < layers[-1][1]:
            layers[-1][1] = max(layers[-1][1], stop)
        else:
            layers.append([start, stop])
    for start, stop in spans:
        layer = next((layer for layer in layers if layer[0] <= start < stop <= layer[1]), (0, 0))
        yield layer[0], layer[1]
