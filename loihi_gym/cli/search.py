"""Commands that search for mappings."""

from pathlib import Path
from typing import Any

import click

from ..benchmarks import load
from ..errors import ProblemFileError
from ..mapping.heuristics import TOOLCHAIN_DEFAULT
from ..search.config import Config
from ..search.registry import flag, load_solver, parse_options, solver_names, solver_options
from ..search.run import MAPPING, Outcome, free_directory, resume, search
from ..search.solving import teller
from ..wording import against_reference
from . import options
from .app import app
from .networks import noted
from .output import PlainTable, show, show_json, table
from .problems import bound_text, microjoules, microseconds
from .progress import is_quiet, patience, progress


@app.command("solvers")
@options.json
def list_solvers(as_json: bool) -> None:
    """List the solvers and their options."""
    if as_json:
        show_json({"solvers": [_solver_data(name) for name in solver_names()]})
        return
    rows = table("solver", "what it does", "options", left=(1, 2))
    for name in solver_names():
        own = " ".join(flag(option) for option in solver_options(name).values())
        rows.add_row(name, _first_line(name), own)
    show(rows)


def _first_line(solver: str) -> str:
    """What a solver does, as its docstring begins."""
    doc = (load_solver(solver).__doc__ or "").strip().splitlines()
    return doc[0] if doc else ""


def _solver_data(name: str) -> dict[str, object]:
    flags = [flag(option) for option in solver_options(name).values()]
    return {"name": name, "description": _first_line(name), "options": flags}


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    epilog="Example: loihi-gym solve ga mlp-deep --budget 2000 --seed 0. "
    "A solver's own options (loihi-gym solvers) follow: loihi-gym solve ga mlp-xs --unseeded",
)
@click.argument("solver", metavar="SOLVER", required=False)
@click.argument("benchmark", metavar="BENCHMARK", required=False)
@options.budget
@options.seed
@options.backend
@options.chips
@options.aggregate
@options.seconds
@click.option("--count-unique", is_flag=True, help="A mapping asked for again costs nothing.")
@options.run_directory
@options.output("FILE", "Write the mapping there, too.", required=False)
@click.option("--resume", "resumed", metavar="DIR", help="Go on with an interrupted run instead.")
@options.json
@click.pass_context
def solve(
    context: click.Context,
    /,
    solver: str | None,
    benchmark: str | None,
    output: str | None,
    out: str | None,
    resumed: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Search for a fast mapping of BENCHMARK with SOLVER and report what it took off."""
    if resumed is not None:
        if solver is not None or out is not None:
            raise click.UsageError("--resume takes all settings from the run's directory.", context)
        with progress("evaluations") as update:
            outcome = resume(Path(resumed), teller(update))
    else:
        if solver is None or benchmark is None:
            raise click.UsageError("Name a solver and a benchmark.", context)
        own = parse_options(solver, context.args)
        config = Config(solver, benchmark, options=own, **settings)
        with progress("evaluations") as update:
            directory = free_directory(config) if out is None else Path(out)
            outcome = search(config, directory, teller(update))
    _finish(outcome, output, as_json)


@app.command("map", epilog="Example: loihi-gym map net.nir --activity spikes.npy -o mapping.json")
@click.argument("network", metavar="NETWORK")
@options.activity
@options.chip
@options.steps
@options.window
@options.time_step
@options.layers
@options.budget
@options.seed
@options.backend
@options.chips
@options.aggregate
@options.seconds
@options.output("FILE", "Write the mapping there, too.", required=False)
@options.run_directory
@options.json
def map_network(
    network: str,
    activity: str | None,
    chip: str,
    steps: int,
    first: int | None,
    dt: float | None,
    layers: str | None,
    output: str | None,
    out: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Find a fast mapping of NETWORK: a network or problem file, a benchmark's name or URI.

    Network files are those of `loihi-gym import`; the problem made of one is kept beside the run.
    With --budget 1 the mapping is made by what was learnt on other networks, and measured once.
    """
    config = Config("map" if settings["budget"] > 1 else "zero-shot", network, **settings)
    directory = free_directory(config) if out is None else Path(out)
    made = None
    if _is_network(network):
        from ..benchmarks.importing import import_problem, read_activity
        from ..network.readers.layer_table import read_table

        samples = None if activity is None else read_activity(activity)
        with patience(f"importing {network}") as doing:
            made, notes = import_problem(
                *(network, samples, chip, steps, Path(network).stem, dt, first, doing),
                require_messages=True,
                table=None if layers is None else read_table(layers),
            )
        if not is_quiet():
            show(*noted(notes), error=True)
    with progress("evaluations") as update:
        outcome = search(config, directory, teller(update), made)
    _finish(outcome, output, as_json)


def _is_network(name: str) -> bool:
    """Whether it is a file that must be made a problem first; benchmarks and problems are none."""
    if not name.endswith(".npz"):
        from ..network.readers import READERS

        return Path(name).suffix.lower() in READERS
    try:
        load(name)
    except ProblemFileError:
        return Path(name).exists()
    return False


def _chip_table(outcome: Outcome) -> PlainTable:
    """What the search took off on each chip of a set."""
    rows = table("hypothesis", "reference (us)", "best found (us)", "the best is", left=(3,))
    for name, (before, after) in outcome.by_chip.items():
        times = (microseconds(before), microseconds(after))
        rows.add_row(name, *times, against_reference(after, before))
    return rows


def _finish(outcome: Outcome, output: str | None, as_json: bool) -> None:
    """Write the mapping to `output`, too, and print what was found."""
    if output is not None:
        outcome.mapping.save(output)
    if as_json:
        show_json(_data(outcome, output))
    else:
        _print(outcome, output)


def _data(outcome: Outcome, output: str | None) -> dict[str, object]:
    """The outcome for other programs: its numbers, and where what it wrote is."""
    run = outcome.out
    return {
        **outcome.summary(),
        "reference_energy_fj": outcome.reference.energy_fj,
        "energy_fj": outcome.best.energy_fj,
        "reference_cores": outcome.problem.reference_mapping.n_logical_cores,
        "cores": outcome.mapping.n_logical_cores,
        "seconds": round(outcome.costs.seconds, 3),
        "run": None if run is None else str(run),
        "mapping": output or (None if run is None else str(run / MAPPING)),
    }


def _print(outcome: Outcome, output: str | None) -> None:
    problem, reference, best = outcome.problem, outcome.reference, outcome.best
    config, chips = outcome.config, len(outcome.by_chip)
    both = (reference, best)
    bounds = ("" if chips else bound_text(problem, m, config.backend) for m in both)
    rows = table(
        *("", "reference", "best found"),
        title=f"{outcome.headline()} in {outcome.costs.seconds:.0f} s",
        left=(1, 2),
    )
    before = problem.reference_mapping
    cells = [
        ("latency (us)", microseconds(reference.latency_ps), microseconds(best.latency_ps)),
        ("lower bound", *bounds),
        ("energy (uJ)", microjoules(reference), microjoules(best)),
        ("cores", str(before.n_logical_cores), str(outcome.mapping.n_logical_cores)),
        (
            "cores per layer",
            " ".join(map(str, before.cores_per_layer)),
            " ".join(map(str, outcome.mapping.cores_per_layer)),
        ),
        ("bottleneck", str(reference.bottleneck or ""), str(best.bottleneck or "")),
    ]
    for row in cells:
        if any(row[1:]):  # what the backend has measured
            rows.add_row(*row)
    notes = [
        f"Reference: {problem.reference}, a standard heuristic. Measured on "
        f"{config.backend}{'' if config.backend == 'lava' else ', simulated'}."
    ]
    if outcome.default_latency_ps is not None:
        notes.append(
            f"{TOOLCHAIN_DEFAULT}, what Intel's toolchain would do: "
            f"{microseconds(outcome.default_latency_ps)} us."
        )
    if outcome.out is not None:
        notes += [
            f"mapping      {outcome.out}/mapping.json",
            f"trace        {outcome.out}/trace.jsonl",
            f"TensorBoard  tensorboard --logdir {outcome.out}",
        ]
    if output is not None:
        notes.append(f"wrote {output}")
    if chips:
        notes.insert(
            0, f"{outcome.evaluations // chips:,} mappings, an evaluation on each of {chips} chips."
        )
        show(rows, "", _chip_table(outcome), "", *notes)
        return
    show(rows, "", *notes)
