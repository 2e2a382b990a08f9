"""Probes: small networks with mappings whose step times tell plausible chips apart.

They are chosen from a pool of random ones by what a measurement of them can be expected to tell:
plausible chips are drawn (every constant over its range, and each chip built in every way), each
probe is simulated on each, and the set is chosen, one after the other, whose logarithms of step
times have the largest determinant of covariance beside the noise. For normal distributions that is
the information which the set gives on the chip; that of one probe counts only as far as those
before it do not tell the same. The same is added for the covariance that is left if a chip's
constants are known: the information on how it is built.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from ..arrays import Float64Array, Int64Array
from ..chip import ChipSpec, topology_of
from ..errors import LoihiGymError
from ..mapping import Mapping, Problem, save_problem
from ..network import SparseMLP, record
from .fit import NOISE
from .parameters import parameters
from .predict import MeshTimes
from .structures import as_built, ways

MOST_PROBES = 40
POOL = 400
CHIPS_EACH = 12
"""Chips drawn; each is built in every way."""
LARGEST = 512
"""Neurons of a layer, at most, or four times as many if the next layer has a few: probes must be
quick to compile and load."""
SHORT, LONG = 100, 3000
"""About the largest payload of a layer whose messages take one 32-bit word, or two."""


@dataclass(frozen=True)
class Probe:
    """A network with a mapping.

    Attributes:
        problem: The network, its input and activity, on the chip that was asked for.
        mapping: Where it is measured.
    """

    problem: Problem
    mapping: Mapping

    def described(self) -> dict[str, list[int]]:
        """What it is, in numbers for each layer."""
        activity = self.problem.activity
        return {
            "neurons": list(self.problem.network.widths),
            "cores": self.mapping.cores_per_layer.tolist(),
            "messages": [int(np.count_nonzero(layer)) for layer in activity.messages],
            "words": list(activity.layer_words),
        }


def design(
    chip: ChipSpec,
    count: int = MOST_PROBES,
    seed: int = 0,
    update: Callable[[str, int, int], None] = lambda *_: None,
) -> list[Probe]:
    """The probes that tell most about a chip, the most telling first.

    Args:
        chip: What is known of it: its mesh, and the ranges of its constants.
        count: Probes, at most `MOST_PROBES`.
        seed: Of the pool and of the plausible chips.
        update: Told what is done, how much, and how much there is.

    Raises:
        LoihiGymError: if the chip has too few cores for two layers, or too many probes are asked.
    """
    if not 1 <= count <= MOST_PROBES:
        raise LoihiGymError(f"{count} probes: 1 to {MOST_PROBES} can be designed")
    rng = np.random.default_rng(seed)
    pool = draw_pool(chip, rng)
    times = log_times(pool, plausible(chip, rng), update)
    return [pool[index] for index in most_telling(times, count)]


def require_new(directory: str | Path) -> None:
    """Raise unless a directory is empty, or not there yet.

    Raises:
        LoihiGymError: says so.
    """
    folder = Path(directory)
    if folder.is_dir() and any(folder.iterdir()):
        raise LoihiGymError(f"probes {directory}: the directory is not empty; name a new one")


def save_probes(directory: str | Path, probes: Sequence[Probe]) -> None:
    """Write each probe's problem and mapping, as NN.npz and NN.json.

    Raises:
        LoihiGymError: if the directory cannot be made, or is not empty.
    """
    require_new(directory)
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LoihiGymError(f"probes {directory}: {error.strerror}") from error
    for number, one in enumerate(probes, 1):
        save_problem(str(folder / f"{number:02}.npz"), one.problem)
        one.mapping.save(folder / f"{number:02}.json")


def probe_files(directory: str | Path) -> list[tuple[Path, Path]]:
    """Problem and mapping files of a directory of probes, in order.

    Raises:
        LoihiGymError: if it holds none, or a problem lacks its mapping.
    """
    found = [
        (problem, problem.with_suffix(".json")) for problem in sorted(Path(directory).glob("*.npz"))
    ]
    for problem, mapping in found:
        if not mapping.exists():
            raise LoihiGymError(f"probes {directory}: {problem.name} lacks {mapping.name}")
    if not found:
        raise LoihiGymError(f"{directory} holds no probes: loihi-gym probe -o DIR writes some")
    return found


def draw_pool(chip: ChipSpec, rng: np.random.Generator) -> list[Probe]:
    """Random probes that every way of building the chip can hold.

    Raises:
        LoihiGymError: if the chip has too few cores.
    """
    if chip.n_cores < 4:
        raise LoihiGymError(f"chip {chip.name} has {chip.n_cores} cores: probes need 4 or more")
    pool: list[Probe] = []
    others = tuple(ways(chip))
    crossed = topology_of(chip).width > 1  # is there a middle of a row?
    while len(pool) < POOL:
        draw = _draw_any if len(pool) % 3 or not crossed else _draw_crossing
        probe = draw(chip, rng, f"probe-{len(pool)}")
        if not replace(probe.problem, alternatives=others).check(probe.mapping):
            pool.append(probe)
    return pool


def plausible(chip: ChipSpec, rng: np.random.Generator) -> list[list[ChipSpec]]:
    """The same chips, with every constant drawn over its range, for each way of building one."""
    constants = [drawn(chip, rng) for _ in range(CHIPS_EACH)]
    return [[as_built(one, way.structure) for one in constants] for way in ways(chip)]


def drawn(chip: ChipSpec, rng: np.random.Generator) -> ChipSpec:
    """The chip with every constant drawn over its range, on the scale that it is fitted on."""
    for known in parameters(chip):
        chip = chip.with_constant(known.name, known.to_value(rng.uniform(*known.bounds)))
    return chip


def log_times(
    pool: Sequence[Probe],
    chips: Sequence[Sequence[ChipSpec]],
    update: Callable[[str, int, int], None],
) -> Float64Array:
    """Logarithm of each probe's step time on each chip, (ways, chips, probes)."""
    problems, mappings = [one.problem for one in pool], [one.mapping for one in pool]
    rows = []
    for number, alike in enumerate(chips):
        update("simulating probes on plausible chips", number, len(chips))
        times = MeshTimes(problems, mappings, alike[0])
        rows.append([np.log(times.step_ps(chip)) for chip in alike])
    return np.array(rows)


def most_telling(times: Float64Array, count: int) -> list[int]:
    """Positions of the probes that together tell most, the most telling first.

    As much counts what they tell of a chip as what they would tell of how it is built if all its
    constants were known.

    Args:
        times: Logarithm of each probe's step time, (ways, chips, probes): the chips of every way
            of building one have the same constants.
        count: Probes to choose.
    """
    n_probes = times.shape[2]
    spreads = [times - times.mean(axis=(0, 1)), times - times.mean(axis=0)]
    flat = [one.reshape(-1, n_probes) for one in spreads]
    left = [one.T @ one / len(one) / NOISE**2 for one in flat]  # covariances, in units of the noise
    chosen: list[int] = []
    for _ in range(min(count, n_probes)):
        # What a probe adds is its variance given those before it: a step of Cholesky's method.
        gain = np.sum([np.log1p(np.maximum(np.diag(one), 0.0)) for one in left], axis=0)
        gain[chosen] = -1.0
        best = int(gain.argmax())
        chosen.append(best)
        left = [one - np.outer(one[best], one[best]) / (1.0 + one[best, best]) for one in left]
    return chosen


def _draw_any(chip: ChipSpec, rng: np.random.Generator, name: str) -> Probe:
    """A network of two to four layers of any width, density and activity, placed in any way."""
    widths = np.exp(rng.uniform(np.log(4), np.log(LARGEST), rng.integers(2, 5))).astype(int)
    active = [_some(rng, width, rng.choice([0.03, 0.2, 0.5, 1.0])) for width in widths]
    densities = rng.choice([0.03, 0.1, 0.4, 1.0], len(widths) - 1)
    problem = _problem(chip, rng, name, active, densities)
    return Probe(problem, _draw_mapping(problem, rng))


def _draw_crossing(chip: ChipSpec, rng: np.random.Generator, name: str) -> Probe:
    """As many messages as can be over one link, for which cores take little time.

    Either over the middle of a row, or into the end of a column, where the messages of all other
    rows meet.
    """
    mesh = topology_of(chip)
    if mesh.height > 2 and rng.random() < 0.5:
        ahead = mesh.core_y if rng.random() < 0.5 else mesh.height - 1 - mesh.core_y
        end = ahead < rng.integers(1, min(mesh.height, 4))
        east = np.flatnonzero(end & (mesh.core_x == rng.choice(mesh.core_x[end])))
        west = rng.permutation(np.flatnonzero(~end))
    else:
        row, left = mesh.core_y == rng.choice(mesh.core_y), mesh.core_x < mesh.width // 2
        west, east = np.flatnonzero(row & left), np.flatnonzero(row & ~left)
        west, east = west[np.argsort(-mesh.core_x[west])], east[np.argsort(mesh.core_x[east])]
    senders, receivers = (
        cores[: int(rng.integers(-(-len(cores) // 4), len(cores) + 1))] for cores in (west, east)
    )
    width = int(np.exp(rng.uniform(np.log(2 * len(senders)), np.log(4 * LARGEST))))
    active = [np.ones(width, np.int64), np.ones(len(receivers), np.int64)]
    density = rng.choice([1.5 / len(receivers), 0.3, 1.0])
    problem = _problem(chip, rng, name, active, np.array([min(density, 1.0)]))
    counts = [len(senders), len(receivers)]
    return Probe(problem, Mapping(counts, np.concatenate([senders, receivers])))


def _problem(
    chip: ChipSpec,
    rng: np.random.Generator,
    name: str,
    active: list[Int64Array],
    densities: Float64Array,
) -> Problem:
    """A network of random synapses and one pattern of activity, which repeats in every step.

    Args:
        chip: Its chip.
        rng: Draws synapses, and whether a layer's payloads are short or long.
        name: Its name.
        active: Which neurons of each layer shall send, as 1 and 0, (widths,).
        densities: Synapses of those that could be, for each layer after the first.
    """
    widths = [len(layer) for layer in active]
    largest = rng.choice([SHORT, LONG], len(widths))
    values = np.where(active[0], largest[0] // 3, 0)
    weights, exponents = [], []
    sample = values
    for layer in range(1, len(widths)):
        density = float(densities[layer - 1])
        matrix = _matrix(rng, widths[layer], widths[layer - 1], density, active[layer])
        sums = np.maximum(matrix.astype(np.int64) @ values, 0)
        exponent = int(np.floor(np.log2(largest[layer] / max(int(sums.max()), 1))))
        exponents.append(int(np.clip(exponent, -20, 0)))
        values = sums >> -exponents[-1]
        weights.append(matrix)
    network = SparseMLP(tuple(weights), tuple(exponents), (0,) * len(weights))
    inputs = np.tile(sample, (len(widths), 1))
    return Problem(name, network, record(network, inputs, 1), chip, inputs=inputs)


def _some(rng: np.random.Generator, width: int, share: float) -> Int64Array:
    """A few of a layer's neurons, at least one, as 1 and 0."""
    chosen = np.zeros(width, np.int64)
    chosen[rng.permutation(width)[: max(1, round(share * width))]] = 1
    return chosen


def _matrix(
    rng: np.random.Generator, n_post: int, n_pre: int, density: float, active: Int64Array
) -> csr_array:
    """Random synapses, excitatory to the neurons that shall send and inhibitory to the others."""
    rows, columns = np.nonzero(rng.random((n_post, n_pre)) < density)
    signs = np.where(active > 0, 1, -1)
    data = (signs[rows] * rng.integers(1, 100, len(rows))).astype(np.int8)
    indptr = np.searchsorted(rows, np.arange(n_post + 1)).astype(np.int32)
    return csr_array((data, columns.astype(np.int32), indptr), shape=(n_post, n_pre))


def _draw_mapping(problem: Problem, rng: np.random.Generator) -> Mapping:
    """Random core counts; pieces close together, scattered, or with senders far from receivers."""
    mesh, widths = problem.topology, np.array(problem.network.widths)
    counts = np.exp(rng.uniform(0, np.log(np.minimum(widths, 40)))).astype(int)
    while counts.sum() > mesh.n_cores:
        counts[counts.argmax()] //= 2
    order = rng.permutation(mesh.n_cores)
    kind = rng.integers(4)
    if kind == 1:
        order = np.arange(mesh.n_cores)
    elif kind == 2:
        order = np.lexsort((mesh.core_y, mesh.core_x))
    elif kind == 3:  # the last layer at the far end, so that much crosses few links
        near, far = np.split(np.lexsort((mesh.core_x, mesh.core_y)), [counts[:-1].sum()])
        order = np.concatenate([near, far[::-1]])
    return Mapping(counts, order[: counts.sum()])
