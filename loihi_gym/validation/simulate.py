"""Published figures of silicon beside what a chip file makes of them: ratios, never a verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..backends import Measurement, make_backend
from ..chip import ChipSpec, Topology
from ..errors import BackendError, ChipFileError, IllegalMappingError
from ..mapping import Mapping, Problem
from ..mapping.heuristics import in_order
from ..mapping.orders import ORDERS
from .drawn_network import draw_activity, draw_network
from .figures import ENERGY, FigureNetwork, SiliconFigure

STEPS = 4
"""Time steps that are simulated: rates are exact in each, so they differ little."""
ROW_MAJOR, STRIDED = "row-major", "strided"
"""Placements by name: the toolchain's order, and consecutive cores on different routers."""
UNCHECKED_WORDS = 1 << 40
"""Synaptic memory of a core where it is not checked."""

Update = Callable[[str, int, int], None]
"""Called with a note, what is done, and what there is to do."""


@dataclass(frozen=True)
class SimulatedNetwork:
    """What placements of one network take on a chip, means over the steps.

    Attributes:
        step_us: Time of a step on `mesh`, by placement.
        bound_us: The lowest that `bound` says of any of them.
        step_uj: Dynamic energy of a step, by placement.
    """

    step_us: dict[str, float]
    bound_us: float
    step_uj: dict[str, float]


@dataclass(frozen=True)
class FigureComparison:
    """One published figure and what was simulated for it.

    Attributes:
        figure: The figure.
        fitted: Whether the chip's constants were fitted to it, so that it says nothing about them.
        simulated: In the figure's unit, by placement; empty if nothing was simulated.
        bound: The lowest that `bound` says; None where that is no time.
        reason: Why the chip does not hold the network; empty if it does or there is none.
    """

    figure: SiliconFigure
    fitted: bool
    simulated: dict[str, float]
    bound: float | None = None
    reason: str = ""

    @property
    def row_major(self) -> float:
        """Simulated in the toolchain's order."""
        return self.simulated[ROW_MAJOR]

    @property
    def scattered(self) -> tuple[float, float]:
        """Lowest and highest of the other placements."""
        others = [value for name, value in self.simulated.items() if name != ROW_MAJOR]
        return min(others), max(others)

    @property
    def ratio(self) -> tuple[float, float | None]:
        """Simulated / measured: least and most over placements and ends; no most without a low."""
        low, values = self.figure.low, self.simulated.values()
        return min(values) / self.figure.high, None if low is None else max(values) / low


def compare_figures(
    chip: ChipSpec,
    figures: Sequence[SiliconFigure],
    random: int = 8,
    seed: int = 0,
    update: Update = lambda note, done, total: None,
) -> list[FigureComparison]:
    """Simulate every figure that can be, on a chip.

    Args:
        chip: The chip; of a system, the first chips that hold a network are used.
        figures: What has been published.
        random: Random placements beside the row-major and the strided one.
        seed: Of networks, activity and placements.
        update: Told about progress.
    """
    networks = {one.network.name: one.network for one in figures if one.network is not None}
    outcomes: dict[str, SimulatedNetwork | str] = {}
    for done, (name, network) in enumerate(networks.items()):
        update(name, done, len(networks))
        try:
            outcomes[name] = simulate(chip, network, random, seed)
        except (IllegalMappingError, BackendError) as error:
            outcomes[name] = str(error)
    return [_comparison(chip, figure, outcomes) for figure in figures]


def require_known(chip: ChipSpec, figures: Sequence[SiliconFigure]) -> None:
    """Raise if a chip says that it was fitted to what is no figure.

    Raises:
        ChipFileError: names it.
    """
    known = [figure.name for figure in figures]
    for name in chip.fitted_to:
        if name not in known:
            raise ChipFileError(
                f"chip {chip.name}: fitted_to names {name!r}, which is no published figure; known: "
                f"{', '.join(known)}"
            )


def simulate(chip: ChipSpec, network: FigureNetwork, random: int, seed: int) -> SimulatedNetwork:
    """A network on a chip, at several placements.

    Raises:
        IllegalMappingError: if it does not fit.
        BackendError: if the chip cannot be simulated.
    """
    chip = _fitting(chip, network)
    if sum(network.cores) > chip.n_cores:  # known before anything large is drawn
        raise IllegalMappingError(
            f"{sum(network.cores)} cores are needed, {chip.name} has {chip.n_cores}"
        )
    activity = draw_activity(network, STEPS, seed)
    problem = Problem(network.name, draw_network(network, seed), activity, chip)
    named = placements(problem, network.cores, random, seed)
    violations = problem.check(named[ROW_MAJOR])
    if violations:
        raise IllegalMappingError(str(violations[0]))
    mappings = list(named.values())
    measured = make_backend("mesh", problem).evaluate_batch(mappings)
    bounds = make_backend("bound", problem).evaluate_batch(mappings)
    return SimulatedNetwork(
        step_us=dict(zip(named, map(_step_us, measured), strict=True)),
        bound_us=min(map(_step_us, bounds)),
        step_uj=dict(zip(named, map(_step_uj, measured), strict=True)),
    )


def placements(
    problem: Problem, cores: Sequence[int], random: int, seed: int
) -> dict[str, Mapping]:
    """Placements by name: row-major, strided, and random ones on the fewest chips that suffice."""
    counts, mesh = np.array(cores, np.int32), problem.topology
    named = {name: in_order(problem, counts, ORDERS[name](mesh)) for name in (ROW_MAJOR, STRIDED)}
    pool = ORDERS[ROW_MAJOR](mesh)[: _enough(mesh, sum(cores))]
    chance = np.random.PCG64(seed)
    for number in range(1, random + 1):
        order = np.argsort(chance.random_raw(len(pool)), kind="stable")
        named[f"random {number}"] = Mapping(counts, pool[order[: sum(cores)]])
    return named


def _enough(mesh: Topology, cores: int) -> int:
    """Cores of as many whole chips as hold a number of cores."""
    per_chip = mesh.n_cores // mesh.n_chips
    return -(-cores // per_chip) * per_chip


def _fitting(chip: ChipSpec, network: FigureNetwork) -> ChipSpec:
    """The chip, storing a network's rows as its table says."""
    if network.rows is not None:
        chip = chip.with_choice("structure.rows", network.rows)
    if network.memory_unchecked:
        chip = chip.with_constant("capacity.synmem_words", UNCHECKED_WORDS)
    return chip


def _comparison(
    chip: ChipSpec, figure: SiliconFigure, outcomes: dict[str, SimulatedNetwork | str]
) -> FigureComparison:
    fitted = figure.name in chip.fitted_to
    if figure.network is None:
        return FigureComparison(figure, fitted, {})
    outcome = outcomes[figure.network.name]
    if isinstance(outcome, str):
        return FigureComparison(figure, fitted, {}, reason=outcome)
    if figure.unit == ENERGY:
        return FigureComparison(figure, fitted, outcome.step_uj)
    return FigureComparison(figure, fitted, outcome.step_us, outcome.bound_us)


def _step_us(measured: Measurement) -> float:
    return measured.latency_ps * 1e-6 / len(measured.step_times_ps)


def _step_uj(measured: Measurement) -> float:
    """Without static power, which is published by itself."""
    assert measured.energy is not None
    dynamic_fj = sum(measured.energy) - measured.energy.static_fj
    return dynamic_fj * 1e-9 / len(measured.step_times_ps)
