"""`bound`: the max-affine lower bound on a mapping's step times.

After Timcheck et al. (arXiv 2601.10035): a step lasts at least as long as its busiest core updates
neurons and sends, as its busiest core takes messages, and as its busiest link carries them; then
the barrier closes it. Counts are exact; what it leaves out is that messages wait for each other.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ..chip import ChipSpec, Topology, topology
from ..mapping import Mapping, Problem, Traffic
from .energy import energy
from .link_kernel import link_messages
from .measurement import Bottleneck, Measurement, Term

Int64Array = npt.NDArray[np.int64]


class Bound:
    """The `bound` backend: exact, and cheap enough for 10^5 evaluations and more."""

    name = "bound"

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; see `Backend.evaluate`."""
        self.problem.require(mapping)
        busy = busy_times(self.problem, mapping)
        return measurement(self.problem, mapping, busy, busy.bound_ps)

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings, in their order."""
        return [self.evaluate(mapping) for mapping in mappings]


class Busy:
    """How long every core and link of a placed mapping is busy in each step.

    Attributes:
        traffic: The partitioning's load.
        link_messages: Messages over each link id, (T, n_links).
        bound_ps: Step times that no schedule can beat, (T,).
    """

    def __init__(
        self, chip: ChipSpec, mesh: Topology, traffic: Traffic, link_messages: Int64Array
    ) -> None:
        self.traffic = traffic
        self.link_messages = link_messages
        self._link_ps = link_messages * link_service_ps(chip, traffic.link_words)
        longest = np.maximum(traffic.send_ps.max(axis=1), traffic.receive_ps.max(axis=1))
        self.bound_ps = np.maximum(longest, self._link_ps.max(axis=1)) + chip.costs.barrier_ps

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
    loads = link_messages(problem.topology, traffic, mapping.placement)
    return Busy(problem.chip, problem.topology, traffic, loads)


def measurement(problem: Problem, mapping: Mapping, busy: Busy, step_ps: Int64Array) -> Measurement:
    """Put a `Measurement` together from busy times and the step times a backend found."""
    traffic, latency_ps = busy.traffic, int(step_ps.sum())
    return Measurement(
        latency_ps=latency_ps,
        step_times_ps=tuple(step_ps.tolist()),
        energy=energy(problem.chip, problem.topology, traffic, busy.link_messages, latency_ps),
        bottleneck=busy.bottleneck(problem.topology, mapping, step_ps),
        dendops=traffic.active + traffic.inactive,
        synops=traffic.synops,
        synmem_words=traffic.synmem_words,
        messages_out=traffic.messages_out,
        messages_in=traffic.messages_in,
        link_messages=busy.link_messages,
    )


@lru_cache(maxsize=64)
def link_service_ps(chip: ChipSpec, words: int) -> Int64Array:
    """Time each link is taken by one message of `words` 32-bit words, (n_links,)."""
    mesh = topology(chip)
    service = np.full(mesh.n_links, chip.costs.link_ps * words, np.int64)
    service[: 4 * mesh.n_routers][mesh.crosses_chips] = chip.costs.chip_link_ps * words
    service.flags.writeable = False
    return service
