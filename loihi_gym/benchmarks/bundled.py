"""The benchmarks that come with the package: `bundled.toml` and the networks in `data/`."""

import hashlib
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

from ..chip import load_chip
from ..errors import NetworkFileError, unknown
from ..mapping import Problem, load_problem
from ..network import load_network, record
from ..network.foreign import named
from .families import PREFIX as FAMILY
from .families import member
from .generator import generate
from .generator_uri import PREFIX
from .suite import Entry, generated

_HERE = resources.files(__package__)


@dataclass(frozen=True)
class Benchmark:
    """One entry of `bundled.toml`.

    Attributes:
        name: The benchmark's name, which `load` takes.
        description: One line for people.
        network: File in `data/`, or a generator URI.
        sha256: Digest of the file, or of all masks and messages that the URI generates.
        chip: Name of a bundled chip.
        steps: Recorded time steps.
        reference: Fastest standard heuristic on `mesh`, as ``partitioning/order``.
        source: Where the shape and the activity come from, and what of it could not be read.
        test_accuracy: Part of 1,000 held-out digits that the integer network tells; None if it
            tells none.
        explained_variance: Part of the variance of 297 held-out digits that the integer network's
            output explains, up to one factor; None if it is no autoencoder.
        mean_return: Mean return of 100 episodes that the integer network plays; None if it is no
            policy.
    """

    name: str
    description: str
    network: str
    sha256: str
    chip: str
    steps: int
    reference: str
    source: str
    test_accuracy: float | None = None
    explained_variance: float | None = None
    mean_return: float | None = None

    @property
    def generated(self) -> bool:
        """Whether `network` is a generator URI."""
        return self.network.startswith(PREFIX)

    @property
    def path(self) -> Path:
        """The network file."""
        return Path(str(_HERE / "data" / self.network))

    def problem(self) -> Problem:
        """The problem anew, with caches of its own; its network file is not checked."""
        chip = load_chip(self.chip)
        if self.generated:
            made = generate(self.network)
            return replace(made, name=self.name, reference=self.reference, chip=chip)
        network, inputs = load_network(self.path)
        return Problem(
            name=self.name,
            network=network,
            activity=record(network, inputs, self.steps),
            chip=chip,
            reference=self.reference,
            inputs=inputs[: len(network.weights) + self.steps],
        )


@cache
def _entries() -> dict[str, Benchmark]:
    tables = tomllib.loads((_HERE / "bundled.toml").read_text(encoding="utf-8"))
    return {name: Benchmark(name=name, **table) for name, table in tables.items()}


def benchmark_names() -> list[str]:
    """Names of the bundled benchmarks, smallest first."""
    return list(_entries())


def benchmark(name: str) -> Benchmark:
    """The entry of that name.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in _entries():
        raise unknown("benchmark", name, benchmark_names())
    return _entries()[name]


def load(name: str) -> Problem:
    """Load a problem by its name.

    Args:
        name: A bundled benchmark, a problem that a suite draws (``mlp-gen-v1-0``), a family's
            member (``family://sparse-mlp/train/17``), a generator URI, or the path of a problem
            file, which ends in ``.npz``.

    Returns:
        A new object each time, with caches of its own.

    Raises:
        UnknownNameError: if there is no such benchmark.
        BenchmarkError: if a URI is malformed.
        NetworkFileError: if its network file is missing or not the one that was released.
        ProblemFileError: if a problem file is missing or malformed.

    Example:
        >>> problem = load("mlp-xs")
        >>> problem.n_layers, problem.chip.name, problem.reference
        (5, 'loihi2-24', 'balanced-70/strided')
    """
    if name.startswith(PREFIX):
        return generate(name)
    if name.startswith(FAMILY):
        return member(name)
    if name.endswith(".npz"):
        return load_problem(name)
    drawn = None if name in _entries() else generated(name)
    if drawn is not None:
        return problem_of(drawn)
    entry = benchmark(name)
    if not entry.generated:
        _check_file(entry)
    return entry.problem()


def problem_of(entry: Entry) -> Problem:
    """The problem that a suite's entry stands for. Raises what `load` does."""
    if not entry.uri:
        return load(entry.name)
    made = load(entry.uri)
    chip = load_chip(f"{entry.chips}/{made.chip.name}") if entry.chips else made.chip
    problem = replace(made, name=entry.name, chip=chip)
    return problem if entry.frozen is None else replace(problem, reference=entry.frozen.reference)


def _check_file(entry: Benchmark) -> None:
    with named(f"network file {entry.path}", "network", NetworkFileError):
        digest = hashlib.sha256(entry.path.read_bytes()).hexdigest()
    if digest != entry.sha256:
        raise NetworkFileError(
            f"network file {entry.path} is not the released one (sha256 {digest[:12]}, not "
            f"{entry.sha256[:12]}); reinstall loihi-gym"
        )
