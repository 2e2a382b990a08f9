"""The command that runs published studies again, as far as they are public."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import click

from ..comparison import pierro2026
from ..comparison.pierro2026 import StudyRow
from . import options
from .app import app
from .output import PlainTable, show, show_json, table
from .problems import microseconds
from .progress import progress

STUDIES = (pierro2026.NAME,)
CHIP_TIME = "{budget:,} evaluations would be {minutes:,.0f} min of a chip at {seconds:.0f} s each."


@app.command(epilog="Example: loihi-gym reproduce pierro2026 --budget 300 --seeds 3")
@click.argument("study", metavar="STUDY", type=click.Choice(STUDIES))
@click.option("--networks", default=",".join(pierro2026.NETWORKS), help="Benchmarks, with commas.")
@click.option("--solvers", default=",".join(pierro2026.SOLVERS), help="Solvers, with commas.")
@options.number("--budget", 1, pierro2026.BUDGET, "Evaluations of each search.")
@options.number("--seeds", 1, pierro2026.SEEDS, "Searches of each solver and network.")
@options.out_folder("Runs.  [default: runs/STUDY-BUDGET]")
@options.json
def reproduce(
    study: str,
    networks: str,
    solvers: str,
    budget: int,
    seeds: int,
    out: str | None,
    as_json: bool,
) -> None:
    """Run STUDY again in simulation (pierro2026: arXiv 2602.04717); print a table.

    What is there is not run again: interrupt it, give the same command, and it goes on.
    """
    folder = Path(out) if out is not None else Path("runs") / f"{study}-{budget}"
    made = pierro2026.study(networks.split(","), solvers.split(","), budget, seeds, folder)
    with progress("evaluations") as update:
        rows = pierro2026.run_study(made, update)
    if as_json:
        found = [_data(row) for row in rows]
        about = {"study": study, "simulated": True, "budget": budget, "runs": str(folder)}
        show_json({**about, "rows": found})
        return
    title = f"{study}: median of {seeds} seeds, {budget:,} evaluations each, simulated"
    show(_table(rows, title), "", *_reading(budget))


def _table(rows: Sequence[StudyRow], title: str) -> PlainTable:
    columns = ("network", "chip", "solver", "default us", "reference us", "found us")
    shown = table(*columns, "latency", "energy", title=title, left=(1, 2))
    for row in rows:
        middle = int(median(one.latency_ps for one in row.found))
        times = map(microseconds, (row.default.latency_ps, row.reference.latency_ps, middle))
        changes = _change(row.latency_reductions), _change(row.energy_reductions)
        shown.add_row(row.network, row.chip, row.solver, *times, *changes)
    return shown


def _change(reductions: Sequence[float]) -> str:
    """Median and range of a change in percent."""
    changes = [-100 * one for one in reductions]
    return f"{median(changes):+.1f} % ({min(changes):+.1f} to {max(changes):+.1f})"


def _reading(budget: int) -> tuple[str, ...]:
    minutes = budget * pierro2026.EVALUATION_S / 60
    return (
        "default: what the toolchain would do. reference: the fastest standard heuristic. latency, "
        "energy: change from the default, median and range over the seeds.",
        f"The paper, on the chip: up to {pierro2026.PAPER_LATENCY:.0%} off the latency of default "
        f"heuristics on two sparse MLPs, and up to {pierro2026.PAPER_EFFICIENCY:.0%} better energy "
        "efficiency.",
        "Here everything is simulated, with substitute constants, other networks and another "
        "default as far as is known: no number of this table is the chip's.",
        CHIP_TIME.format(budget=budget, minutes=minutes, seconds=pierro2026.EVALUATION_S),
        "What the paper states, what is unknown and what is ours: docs/pierro2026.md.",
    )


def _data(row: StudyRow) -> dict[str, object]:
    return {
        "network": row.network,
        "chip": row.chip,
        "solver": row.solver,
        "default_latency_ps": row.default.latency_ps,
        "default_energy_fj": row.default.energy_fj,
        "reference_latency_ps": row.reference.latency_ps,
        "latency_ps": [one.latency_ps for one in row.found],
        "energy_fj": [one.energy_fj for one in row.found],
        "latency_reduction": row.latency_reduction,
        "energy_reduction": row.energy_reduction,
        "efficiency_gain": row.efficiency_gain,
    }
