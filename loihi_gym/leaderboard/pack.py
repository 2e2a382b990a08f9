"""Making a submission from runs of `loihi-gym solve` and `compare`, or from mapping files."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..benchmarks.suite import MAPPING, Suite
from ..comparison.plan import LEFT_OUT, Contender, contender
from ..errors import SubmissionError
from ..files import write_text
from ..mapping import Mapping
from ..search.config import Config
from ..search.registry import is_anytime, is_bundled
from ..search.run import CONFIG, RESULT, read_config
from ..search.trace import NAME, read_trace
from .replayer import Replayer
from .submission import (
    ABOUT,
    ABOUT_FIELDS,
    FORMAT,
    MAPPINGS,
    MAX_IMPROVEMENTS,
    TRACE,
    About,
    Bundled,
    Improvement,
    SubmittedRun,
    folder_day,
    read_submission,
    runs_of,
)

Searches = dict[Path, Config]
"""What the search in each directory was asked for."""


@dataclass(frozen=True)
class Gathered:
    """What a submission is to hold.

    Attributes:
        label: Of the solver whose runs it is made of; empty if it is not of a single one.
        mappings: The best mapping of each run.
        traces: On solver tracks: the improvements of each run; None on the mapping track.
        bundled: The solver, if everybody has it and the track takes one.
    """

    label: str
    mappings: dict[SubmittedRun, Mapping]
    traces: dict[SubmittedRun, tuple[Improvement, ...]] | None = None
    bundled: Bundled | None = None


def gather(words: Sequence[str], suite: Suite, track: str, label: str | None = None) -> Gathered:
    """What a track asks for, from directories of runs and from ``PROBLEM=MAPPING.json``.

    Args:
        words: Directories, and on the mapping track also files.
        suite: What the submission is on.
        track: Of the suite.
        label: Of the solver whose runs are taken, as `compare` calls it; needed on solver tracks if
            there are runs of several.

    Raises:
        LoihiGymError: if something is missing, not finished, or not of the suite.
    """
    runs_of(suite, track)
    files = {name: Path(file) for name, _, file in (w.partition("=") for w in words if "=" in w)}
    searches = find_runs(Path(word) for word in words if "=" not in word)
    if track != MAPPING and (files or not searches):
        raise SubmissionError(f"track {track} takes directories of runs, not single mappings")
    for name in files:
        suite.entry(name)
    solver = None
    if track != MAPPING or label is not None:
        solver, searches = only_solver(searches, label)
    for path in searches:
        if not (path / RESULT).exists():
            raise SubmissionError(f"{path} is not finished; loihi-gym solve --resume {path}")
    if solver is None or track == MAPPING:
        return Gathered(label or "", best_mappings(searches, files, suite))
    found = traces(searches, solver, suite, track)
    best = {run: steps[-1].mapping for run, steps in found.items()}
    return Gathered(solver.label, best, found, bundled(solver))


def find_runs(paths: Iterable[Path]) -> Searches:
    """All runs in directories and their subdirectories, finished or not; none that does not fit.

    Raises:
        SubmissionError: if there are none.
    """
    found: Searches = {}
    for path in paths:
        configs = sorted(path.rglob(CONFIG))
        if not configs:
            raise SubmissionError(f"{path} holds no run of loihi-gym solve or compare")
        runs = [config.parent for config in configs if not (config.parent / LEFT_OUT).exists()]
        found |= {run: read_config(run) for run in runs}
    return found


def only_solver(searches: Searches, label: str | None) -> tuple[Contender, Searches]:
    """The runs of one solver with one set of options, `label` or the only one that there is.

    Raises:
        SubmissionError: if there are several and none is named, or none of that label.
    """
    labels = sorted({_label(config) for config in searches.values()})
    if label is None and len(labels) > 1:
        raise SubmissionError(
            f"these are runs of several solvers; choose by --solver: {', '.join(labels)}"
        )
    chosen = contender(label if label is not None else labels[0])
    wanted = chosen.solver, chosen.options
    own = {path: one for path, one in searches.items() if (one.solver, one.options) == wanted}
    if not own:
        raise SubmissionError(f"no run is of solver {chosen.label}; there are: {', '.join(labels)}")
    return chosen, own


def bundled(chosen: Contender) -> Bundled | None:
    """How a submission says that everybody has its solver; None if not everybody has."""
    return Bundled(chosen.solver, chosen.options) if is_bundled(chosen.solver) else None


def traces(
    searches: Searches, chosen: Contender, suite: Suite, track: str
) -> dict[SubmittedRun, tuple[Improvement, ...]]:
    """The improvements of each run that a solver track asks for.

    Raises:
        SubmissionError: names the first run that is missing, and the command that makes it.
    """
    budget = suite.tracks[track].budget
    longer = is_anytime(chosen.solver, chosen.options)  # a longer run begins like a shorter one
    wanted = runs_of(suite, track)
    found = {}
    for run in wanted:
        fitting = {
            path: one.budget
            for path, one in searches.items()
            if _is_of(one, suite, run.problem)
            and one.seed == run.seed
            and (one.budget == budget or (longer and one.budget > budget))
            and one.seconds is None
            and not one.count_unique
        }
        if fitting:
            found[run] = _improvements(min(fitting, key=fitting.__getitem__), budget)
    missing = [run for run in wanted if run not in found]
    if missing:
        raise SubmissionError(
            f"{len(missing)} of {len(wanted)} runs are missing, the first is {missing[0]}: "
            f"loihi-gym solve {chosen.solver} {missing[0].problem} --budget {budget} --seed "
            f"{missing[0].seed}"
        )
    return found


def best_mappings(
    searches: Searches, files: dict[str, Path], suite: Suite
) -> dict[SubmittedRun, Mapping]:
    """The fastest mapping of each problem among runs and mapping files.

    Raises:
        SubmissionError: if a problem has none.
    """
    replayer, best = Replayer(suite), dict[SubmittedRun, Mapping]()
    for name in suite.names:
        paths = [
            path / "mapping.json" for path, one in searches.items() if _is_of(one, suite, name)
        ]
        paths += [files[name]] if name in files else []
        if not paths:
            raise SubmissionError(
                f"{name}: no run and no mapping of it; add a run, or {name}=mapping.json"
            )
        mappings = [Mapping.load(path) for path in paths]
        for mapping in mappings:
            replayer.problem(name).require(mapping)
        best[SubmittedRun(name)] = min(mappings, key=lambda one: replayer.measure(name, one)[0])
    return best


def write_submission(
    out: Path,
    about: About,
    mappings: dict[SubmittedRun, Mapping],
    improvements: dict[SubmittedRun, tuple[Improvement, ...]] | None = None,
) -> None:
    """Write a submission's directory, whole or not at all.

    Raises:
        SubmissionError: if the directory is there or wrongly named, or what was to be written
            breaks a rule.
    """
    folder_day(out.absolute().name)
    if out.exists():
        raise SubmissionError(f"{out} is there already; choose another name")
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".packing-") as holder:
            made = Path(holder) / out.absolute().name
            made.mkdir()
            write_text(made / ABOUT, about_text(about))
            write_text(made / MAPPINGS, mappings_text(about.suite, mappings))
            if improvements is not None:
                write_text(made / TRACE, trace_text(improvements))
            read_submission(made)
            made.rename(out)
    except OSError as error:
        raise SubmissionError(f"cannot write {out}: {error.strerror}") from error


def about_text(about: About) -> str:
    """`submission.toml`."""
    keys = [name for name in ABOUT_FIELDS if name not in ("format", "bundled")]
    lines = [f"format = {FORMAT}"]
    lines += [f"{key} = {_toml(getattr(about, key))}" for key in keys]
    if about.bundled is not None:
        lines += ["", "[bundled]", f"solver = {_toml(about.bundled.solver)}"]
        options = [f"{key} = {_toml(value)}" for key, value in about.bundled.options.items()]
        lines.append(f"options = {{{', '.join(options)}}}")
    return "\n".join(lines) + "\n"


def mappings_text(suite: str, mappings: dict[SubmittedRun, Mapping]) -> str:
    """`mappings.json`: one line for each mapping."""
    rows = ",\n".join(_json(run, {}, mapping) for run, mapping in mappings.items())
    return f'{{"format":{FORMAT},"suite":{json.dumps(suite)},"mappings":[\n{rows}\n]}}\n'


def trace_text(improvements: dict[SubmittedRun, tuple[Improvement, ...]]) -> str:
    """`trace.jsonl`."""
    return "".join(
        _json(run, {"evaluation": step.evaluation}, step.mapping) + "\n"
        for run, steps in improvements.items()
        for step in steps
    )


def _json(run: SubmittedRun, more: dict[str, int], mapping: Mapping) -> str:
    data: dict[str, Any] = {"problem": run.problem}
    data |= {} if run.seed is None else {"seed": run.seed}
    data |= more
    data["cores_per_layer"] = mapping.cores_per_layer.tolist()
    data["placement"] = mapping.placement.tolist()
    return json.dumps(data, separators=(",", ":"))


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _label(config: Config) -> str:
    """How `compare` calls a solver with its options."""
    words = [
        key.replace("_", "-") + ("" if value is True else f"={value}")
        for key, value in config.options.items()
    ]
    return f"{config.solver}:{'+'.join(words)}".rstrip(":")


def _is_of(config: Config, suite: Suite, name: str) -> bool:
    return config.benchmark in (name, suite.entry(name).uri) and config.backend == suite.backend


def _improvements(path: Path, budget: int) -> tuple[Improvement, ...]:
    # An archive's run will do: what it leaves out was no improvement.
    steps = tuple(
        Improvement(line.index, line.mapping)
        for line in read_trace(path / NAME, whole=False)
        if line.mapping is not None and line.index <= budget
    )
    if len(steps) > MAX_IMPROVEMENTS:
        raise SubmissionError(
            f"{path} has {len(steps)} improving mappings; a run may have {MAX_IMPROVEMENTS}"
        )
    return steps
