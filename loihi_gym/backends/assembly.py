"""Putting a `Measurement` together: what every backend that knows Loihi's chips shares.

A backend finds the time of each step. All else (loads of cores and links, bottleneck, energy)
follows from the mapping and the recorded activity, and is counted here.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..arrays import Int64Array
from ..chip import ChipSpec, Topology, topology_of
from ..errors import BackendError
from ..mapping import Mapping, Problem, Traffic
from .energy import energy
from .links_kernel import LinkLoads, link_loads
from .measurement import Bottleneck, Measurement, Term


class Busy:
    """How long every core and link of a placed mapping is busy in each step.

    Attributes:
        traffic: The partitioning's load.
        links: What each link carries.
        bound_ps: Step times that no schedule can beat, (T,).
    """

    def __init__(self, chip: ChipSpec, traffic: Traffic, links: LinkLoads) -> None:
        self.traffic = traffic
        self.links = links
        self._link_ps = links.words * link_service_ps(chip)
        busiest = np.maximum(traffic.floor_ps, self._link_ps.max(axis=1))
        self.bound_ps = busiest + chip.costs.barrier_ps

    def bottleneck(self, mesh: Topology, mapping: Mapping, step_ps: Int64Array) -> Bottleneck:
        """The busiest place of the slowest step."""
        step = int(step_ps.argmax())
        places: list[tuple[Term, Int64Array]] = [
            ("receive", self.traffic.receive_ps[step]),
            ("update", self.traffic.send_ps[step]),
            ("link", self._link_ps[step]),
        ]
        term, times = max(places, key=lambda place: int(place[1].max()))
        index = int(times.argmax())
        if term == "link":
            where = mesh.link_name(index)
        else:
            where = f"core {mapping.placement[index]} (layer {self.traffic.layer[index]})"
            index = int(mapping.placement[index])
        return Bottleneck(term, index, step, where, float(times.max() / step_ps[step]))


def busy_times(problem: Problem, mapping: Mapping) -> Busy:
    """Count what a legal mapping makes each core and link do."""
    traffic = problem.traffic(mapping.cores_per_layer)
    links = link_loads(problem.chip, problem.topology, traffic, mapping.placement)
    return Busy(problem.chip, traffic, links)


def assemble(problem: Problem, mapping: Mapping, busy: Busy, step_ps: Int64Array) -> Measurement:
    """The `Measurement` of a mapping, from its busy times and the step times a backend found.

    Raises:
        BackendError: if a step takes no time at all, so that nothing can be compared with it.
    """
    traffic, latency = busy.traffic, int(step_ps.sum())
    if not step_ps.all():
        raise BackendError(
            f"chip {problem.chip.name}: a step takes no time; raise its costs, such as barrier_ps"
        )
    return Measurement(
        latency_ps=latency,
        step_times_ps=tuple(step_ps.tolist()),
        energy=energy(
            problem.chip,
            problem.topology,
            traffic,
            mapping.placement,
            busy.links.messages,
            latency,
        ),
        bottleneck=busy.bottleneck(problem.topology, mapping, step_ps),
        dendops=traffic.dendops,
        synops=traffic.synops,
        synmem_words=traffic.synmem_words,
        messages_out=traffic.messages_out,
        messages_in=traffic.messages_in,
        link_messages=busy.links.messages,
        link_words=busy.links.words,
    )


def restored(
    problem: Problem, mapping: Mapping, step_times_ps: Sequence[int], like: Measurement
) -> Measurement:
    """The measurement of a mapping of which only the step times were kept.

    Args:
        problem: What is solved.
        mapping: The mapping.
        step_times_ps: Time of each step as it was measured.
        like: Another measurement by the same backend: counts, bottleneck and energy are worked
            out anew if that has them, and are absent otherwise.
    """
    if not like.counted:
        return Measurement(sum(step_times_ps), tuple(step_times_ps))
    step_ps = np.array(step_times_ps, np.int64)
    whole = assemble(problem, mapping, busy_times(problem, mapping), step_ps)
    return whole if like.energy is not None else replace(whole, energy=None)


def link_words(
    problem: Problem, mapping: Mapping, measurement: Measurement | None = None
) -> Int64Array:
    """32-bit words over each link id, (T, n_links): as measured, else as the mapping makes them.

    The recorded activity and the chip's routes fix them, whatever the backend counts.
    """
    if measurement is not None and measurement.link_words is not None:
        return measurement.link_words
    traffic = problem.traffic(mapping.cores_per_layer)
    return link_loads(problem.chip, problem.topology, traffic, mapping.placement).words


@lru_cache(maxsize=64)
def link_service_ps(chip: ChipSpec) -> Int64Array:
    """Time that one 32-bit word takes of each link, (n_links,).

    Fabrics carry messages side by side, so each takes a part of the link's time; into its router,
    a core sends one message at a time all the same.
    """
    mesh, fabrics = topology_of(chip), max(chip.network.fabrics, 1)
    service = np.full(mesh.n_links, chip.costs.link_ps // fabrics, np.int64)
    service[: 4 * mesh.n_routers][mesh.crosses_chips] = chip.costs.chip_link_ps // fabrics
    service[4 * mesh.n_routers : 4 * mesh.n_routers + mesh.n_cores] = chip.costs.link_ps
    service.flags.writeable = False
    return service
