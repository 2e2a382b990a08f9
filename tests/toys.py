"""Small chips, networks and problems that tests build theirs from."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from hypothesis import settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import loihi_gym
from loihi_gym.chip import ChipSpec, load_chip
from loihi_gym.chip.spec import OPTIONS
from loihi_gym.mapping import Mapping, Problem
from loihi_gym.network import Activity, Neuron, SparseMLP, load_network, record

DATA = Path(str(loihi_gym.__file__)).parent / "benchmarks" / "data"


def examples(count: int) -> settings:
    """Settings of a property test: the same `count` examples on every run."""
    return settings(max_examples=count, deadline=None, derandomize=True, database=None)


def toy_chip(
    chips: tuple[int, int] = (1, 1),
    routers: tuple[int, int] = (4, 2),
    cores_per_router: int = 2,
    coreless: tuple[tuple[int, int], ...] = (),
    constants: dict[str, int] | None = None,
) -> ChipSpec:
    """Loihi 2's constants on any grid; `constants` (dotted names) replace some of them."""
    chip = replace(
        load_chip("v1/loihi2-16"),
        name="toy",
        chips=chips,
        routers=routers,
        cores_per_router=cores_per_router,
        coreless_routers=coreless,
    )
    for name, value in (constants or {}).items():
        chip = chip.with_constant(name, value)
    return chip


def built(chip: ChipSpec, **structure: str) -> ChipSpec:
    """The chip with other choices of its structure."""
    for name, value in structure.items():
        chip = chip.with_choice(f"structure.{name}", value)
    return chip


STRUCTURES = st.fixed_dictionaries({name: st.sampled_from(of) for name, of in OPTIONS.items()})
"""Every way in which a chip may be built, for `built`."""


def toy_matrix(
    rng: np.random.Generator, n_post: int, n_pre: int, density: float, low: int = -40
) -> csr_array:
    """Random int8 weights from `low` to 60; some of the synapses have weight 0."""
    rows, columns = np.nonzero(rng.random((n_post, n_pre)) < density)
    data = rng.integers(low, 61, len(rows)).astype(np.int8)
    indptr = np.searchsorted(rows, np.arange(n_post + 1)).astype(np.int32)
    return csr_array((data, columns.astype(np.int32), indptr), shape=(n_post, n_pre))


def toy_network(
    widths: tuple[int, ...] = (12, 16, 10),
    density: float = 0.5,
    seed: int = 0,
    neuron: Neuron = "relu",
    exponents: tuple[int, ...] | None = None,
    thresholds: tuple[int, ...] | None = None,
    bias: int = 0,
) -> SparseMLP:
    """A random network in which every layer sends something; biases are from -`bias` to `bias`."""
    rng = np.random.default_rng(seed)
    depth = len(widths) - 1
    return SparseMLP(
        tuple(toy_matrix(rng, n, m, density) for m, n in pairwise(widths)),
        exponents or (-4,) * depth,
        thresholds or (0,) * depth,
        neuron,
        tuple(rng.integers(-bias, bias + 1, n).astype(np.int32) for n in widths[1:] if bias),
        tuple((1024, int(rng.integers(0, 4097))) for _ in widths[1:] if neuron == "lif"),
    )


def dense_network(*widths: int) -> SparseMLP:
    """All synapses, all of weight 1."""
    weights = tuple(csr_array(np.ones((n, m), np.int8)) for m, n in pairwise(widths))
    return SparseMLP(weights, (0,) * len(weights), (0,) * len(weights))


def toy_inputs(network: SparseMLP, steps: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Random samples, a third of the values 0, (steps, widths[0])."""
    rng = np.random.default_rng(seed + 1)
    values = rng.integers(1, 100, (steps, network.widths[0]))
    return np.where(rng.random(values.shape) < 1 / 3, 0, values)


def problem_of(
    network: SparseMLP, chip: ChipSpec | str = "v1/loihi2-16", steps: int = 2, seed: int = 0
) -> Problem:
    """A problem whose activity the network has on random inputs."""
    activity = record(network, toy_inputs(network, len(network.weights) + steps, seed), steps)
    return Problem("toy", network, activity, load_chip(chip) if isinstance(chip, str) else chip)


def toy_problem(
    widths: tuple[int, ...] = (12, 16, 10),
    density: float = 0.5,
    chip: ChipSpec | str = "v1/loihi2-16",
    steps: int = 2,
    seed: int = 0,
    neuron: Neuron = "relu",
) -> Problem:
    """A random network with its own activity, on a small chip."""
    return problem_of(toy_network(widths, density, seed, neuron), chip, steps, seed)


def silent_problem(
    widths: tuple[int, ...] = (12, 16, 10), chip: ChipSpec | str = "v1/loihi2-16", steps: int = 2
) -> Problem:
    """A problem in which no neuron ever sends."""
    network = toy_network(widths)
    activity = Activity(tuple(np.zeros((steps, width), np.int32) for width in widths))
    return Problem("silent", network, activity, load_chip(chip) if isinstance(chip, str) else chip)


def bundled_problem(name: str, chip: str) -> Problem:
    """A bundled network with its recorded inputs, on a chip of version 1."""
    network, inputs = load_network(DATA / f"{name}.npz")
    steps = len(inputs) - len(network.weights)
    return Problem(name, network, record(network, inputs, steps), load_chip(f"v1/{chip}"))


def spread_mapping(problem: Problem, seed: int = 0) -> Mapping:
    """Up to three cores per layer at random places."""
    rng = np.random.default_rng(seed)
    counts = np.minimum(rng.integers(1, 4, problem.n_layers), problem.network.widths)
    return Mapping(counts, rng.permutation(problem.topology.n_cores)[: counts.sum()])
