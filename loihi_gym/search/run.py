"""A search on disk: its directory, how it is begun, resumed and finished.

config.json     what was asked for, with versions, written before the first evaluation
trace.jsonl     every evaluation
events.out.*    TensorBoard
mapping.json    the best mapping, written at the end
costs.jsonl     wall, CPU and surrogate time of each process that ended the search or was resumed
result.json     the outcome, written last: a directory without it is an interrupted run
.lock           held by the process that searches there
"""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any

from filelock import FileLock, Timeout

from ..backends import Backend, Measurement, make_backend
from ..benchmarks import load
from ..bounds import known_lower_bound
from ..errors import RunError
from ..mapping import Mapping, Problem, save_problem
from ..mapping.heuristics import toolchain_default
from ..network.silence import require_messages
from ..notebook import html_table
from ..wording import against_reference
from .config import Config
from .costs import SearchCosts
from .recorder import Recorder
from .registry import check_installed, check_options, run_solver
from .session import Session
from .storage import LineFile, read_json, reading, write_json, writing

CONFIG, RESULT, MAPPING, COSTS = "config.json", "result.json", "mapping.json", "costs.jsonl"
SIMULATED = ("mesh", "bound")
"""Backends that measure one more mapping at once."""
LOCK = ".lock"
LOCK_SECONDS = 10.0
"""How long to wait for another process that searches in the same directory."""
NAME_CHARACTERS = 60
"""How much of a benchmark's or a solver's name a directory is called by."""
VERSIONED = (
    *("loihi-gym", "gymnasium", "numpy", "numba", "pygad", "cma"),
    *("torch", "stable-baselines3", "sb3-contrib"),
)


@dataclass(frozen=True)
class Outcome:
    """How a search ended.

    Attributes:
        config: Settings of the search.
        problem: The problem that was solved.
        reference: Measurement of the reference mapping.
        best: Measurement of the best mapping found.
        mapping: The best mapping found.
        evaluations: Evaluations spent, one for each chip that a mapping was measured on.
        costs: What this process spent; repeats and resumed evaluations were not measured by it.
        out: The run's directory, None if nothing was written.
    """

    config: Config
    problem: Problem
    reference: Measurement
    best: Measurement
    mapping: Mapping
    evaluations: int
    costs: SearchCosts
    out: Path | None

    def __repr__(self) -> str:
        return f"Outcome({self.headline()})"

    def _repr_html_(self) -> str:
        """Reference and best mapping side by side, for notebooks."""
        both = ((self.reference, self.problem.reference_mapping), (self.best, self.mapping))
        rows = [
            ("latency (us)", *(f"{one.latency_ps * 1e-6:,.3f}" for one, _ in both)),
            ("energy (uJ)", *(f"{(one.energy_j or 0.0) * 1e6:.2f}" for one, _ in both)),
            ("cores", *(mapping.n_logical_cores for _, mapping in both)),
            ("bottleneck", *(one.bottleneck or "" for one, _ in both)),
        ]
        if self.best.energy is None or self.reference.energy is None:
            del rows[1]
        note = "Simulated, unless a chip measured it."
        return html_table(self.headline(), ("", "reference", "best found"), rows, note)

    def headline(self) -> str:
        """What was searched, and what it took off, in a line."""
        found = against_reference(self.best.latency_ps, self.reference.latency_ps)
        what = f"{self.config.solver} on {self.config.benchmark}: latency {found}"
        chips = f" over {len(self.by_chip)} chips ({self.config.aggregate})" if self.by_chip else ""
        plural = "" if self.evaluations == 1 else "s"
        end = "; it is proven that no mapping is faster" if self.proven else ""
        return f"{what}{chips} after {self.evaluations:,} evaluation{plural}{end}"

    @property
    def proven(self) -> bool:
        """Whether the best mapping is as fast as the lower bound, if the search asked for that."""
        bound = known_lower_bound(self.problem)
        if bound is None or self.by_chip or self.config.backend not in SIMULATED:
            return False
        return self.best.latency_ps <= bound.of(self.config.backend)

    @property
    def reduction(self) -> float:
        """Part of the reference latency that the best mapping takes off."""
        return 1.0 - self.best.latency_ps / self.reference.latency_ps

    @property
    def by_chip(self) -> dict[str, tuple[int, int]]:
        """Latencies of the reference and of the best mapping on each chip of a set, in ps."""
        both = (getattr(one, "by_chip", {}) for one in (self.reference, self.best))
        before, after = ({name: m.latency_ps for name, m in one.items()} for one in both)
        return {name: (before[name], after[name]) for name in before}

    @cached_property
    def default_latency_ps(self) -> int | None:
        """Latency of what Intel's toolchain would do; None if it does not fit or is not simulated.

        It is measured now, and is no evaluation of the search's.
        """
        mapping = toolchain_default(self.problem)
        if mapping is None or self.by_chip or self.config.backend not in SIMULATED:
            return None
        return make_backend(self.config.backend, self.problem).evaluate(mapping).latency_ps

    def summary(self) -> dict[str, Any]:
        """The outcome in numbers, as `--json` prints it."""
        of_sets = {"aggregate": self.config.aggregate, "by_chip": self.by_chip}
        return {
            "benchmark": self.config.benchmark,
            "solver": self.config.solver,
            "backend": self.config.backend,
            "chips": self.config.chips,
            **(of_sets if self.by_chip else {}),
            "seed": self.config.seed,
            "evaluations": self.evaluations,
            "reference_latency_ps": self.reference.latency_ps,
            "default_latency_ps": self.default_latency_ps,
            "latency_ps": self.best.latency_ps,
            "reduction": self.reduction,
        }


def search(
    config: Config,
    out: Path | None = None,
    on_progress: Callable[[Session], None] | None = None,
    problem: Problem | None = None,
) -> Outcome:
    """Run a solver, in the directory `out` if that is given; it must be new or empty.

    A `problem` is solved instead of loading the config's benchmark, which then only names it; with
    `out` it is saved beside, as ``OUT-problem.npz``, and is the benchmark of the run.

    Raises:
        LoihiGymError: if anything asked for does not exist or `out` cannot be used.
    """
    backend = _backend(config, problem)
    if out is not None:
        if problem is not None:
            beside = out.with_name(f"{out.name}-problem.npz").absolute()
            config = replace(config, benchmark=str(beside))
        _begin(out, config, problem)
    return _run(config, backend, out, on_progress)


def resume(out: Path, on_progress: Callable[[Session], None] | None = None) -> Outcome:
    """Go on with an interrupted run; the outcome is that of an uninterrupted one.

    Raises:
        RunError: if `out` is not a run's directory or cannot be read.
    """
    config = read_config(out)
    return _run(config, _backend(config), out, on_progress)


def read_config(out: Path) -> Config:
    """What the run in a directory was asked to do.

    Raises:
        RunError: if there is no run or its config is malformed.
    """
    data = _written(out)
    try:
        return Config(**data.get("config", {}))
    except (TypeError, RunError) as error:
        raise RunError(f"{out / CONFIG} is not the config of a run: {error}") from error


def begun_with(out: Path) -> tuple[str | None, dict[str, str | None]]:
    """The commit, and the versions of Python and packages, that the run in a directory began with.

    Raises:
        RunError: if its config does not say.
    """
    data = _written(out)
    commit, packages = data.get("git"), data.get("versions")
    if packages and isinstance(packages, dict):
        versions = {"python": data.get("python")} | packages
        if all(text is None or isinstance(text, str) for text in (commit, *versions.values())):
            return commit, versions
    raise RunError(f"{out / CONFIG} does not say what the run began with")


def _written(out: Path) -> dict[str, Any]:
    """The content of `config.json`."""
    path = out / CONFIG
    with reading(out):
        if not path.exists():
            raise RunError(f"{out} is not the directory of a run: it holds no {CONFIG}")
    data = read_json(path)
    if not isinstance(data, dict):
        raise RunError(f"{path} is not the config of a run: it holds no settings")
    return data


def free_directory(config: Config, parent: Path = Path("runs")) -> Path:
    """A directory for a run that nobody uses yet: ``runs/BENCHMARK/SOLVER-seedN``, numbered."""
    # A problem file may lie anywhere, and a URI may be longer than a file name can be.
    benchmark = Path(config.benchmark).name.removesuffix(".npz")[:NAME_CHARACTERS]
    first = parent / benchmark / f"{config.solver[:NAME_CHARACTERS]}-seed{config.seed}"
    number, chosen = 1, first
    while chosen.exists():
        number += 1
        chosen = first.with_name(f"{first.name}-{number}")
    return chosen


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Meanwhile no other process searches in a run's directory; its end, however, frees it.

    Raises:
        RunError: if one does, or the lock cannot be made.
    """
    with ExitStack() as held:
        with writing(out / LOCK):
            try:
                held.enter_context(FileLock(out / LOCK, timeout=LOCK_SECONDS))
            except Timeout as error:
                raise RunError(f"{out}: another process is searching there; let it end") from error
        yield


def _backend(config: Config, problem: Problem | None = None) -> Backend:
    """The backend of a search; raises unless its solver, options and problem are all there."""
    check_options(config.solver, config.options)
    check_installed(config.solver)
    problem = load(config.benchmark) if problem is None else problem
    require_messages(problem.name, problem.network, problem.activity)
    backend = measuring(problem, config.backend, config.chips, config.aggregate)
    if config.budget < evaluations_each(backend):
        raise RunError(
            f"budget {config.budget} does not pay for one mapping: it is measured on each of "
            f"{evaluations_each(backend)} chips; give as many or more"
        )
    return backend


def measuring(
    problem: Problem, backend: str, chips: str | None = None, aggregate: str = "geometric"
) -> Backend:
    """A backend of that name, on every chip of a set if one is named."""
    if chips is None:
        return make_backend(backend, problem)
    return make_backend(
        "robust", problem, hypotheses=chips, aggregate=aggregate, measure_by=backend
    )


def evaluations_each(backend: Backend) -> int:
    """Evaluations that measuring one mapping costs."""
    each: int = getattr(backend, "evaluations_each", 1)
    return each


def _begin(out: Path, config: Config, problem: Problem | None) -> None:
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        # A process killed just while it wrote the config leaves only this.
        torn = set(out.glob(f".{CONFIG}.*"))
        if set(out.iterdir()) - torn:
            raise RunError(
                f"{out} is not empty: choose another directory, or go on with its run by --resume"
            )
        for path in torn:
            path.unlink()
    if problem is not None:
        save_problem(config.benchmark, problem)
    written = {
        "config": asdict(config),
        "python": python_version(),
        "versions": {name: installed_version(name) for name in VERSIONED},
        "git": _git_hash(),
    }
    write_json(out / CONFIG, written)


def _run(
    config: Config,
    backend: Backend,
    out: Path | None,
    on_progress: Callable[[Session], None] | None,
) -> Outcome:
    each = evaluations_each(backend)
    listener, limits = Recorder(out, on_progress), (config.seconds, config.count_unique)
    with nullcontext() if out is None else locked(out):
        with Session(backend, config.budget // each, config.seed, listener, *limits) as session:
            run_solver(config.solver, session, config.options)
        if session.best is None or session.best_mapping is None:
            raise RunError(
                f"solver {config.solver!r} ended without an evaluation: nothing was found"
            )
        best = session.best
        if each > 1:  # a trace keeps only what was joined
            best = backend.evaluate(session.best_mapping)
        outcome = Outcome(
            config=config,
            problem=session.problem,
            reference=session.reference,
            best=best,
            mapping=session.best_mapping,
            evaluations=session.evaluations * each,
            costs=session.costs,
            out=out,
        )
        if out is not None:
            with writing(out / MAPPING):
                outcome.mapping.save(out / MAPPING)
            with closing(LineFile(out / COSTS)) as costs:
                costs.add(outcome.costs.to_json())
            write_json(out / RESULT, outcome.summary())
    return outcome


def installed_version(name: str) -> str | None:
    """Version of an installed distribution, None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git_hash() -> str | None:
    """Commit of the checkout this file is in, None if it is installed from a wheel."""
    here = Path(__file__).parent
    if not (here.parent / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
