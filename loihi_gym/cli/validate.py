"""The command that sets published figures of silicon beside a chip file."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from ..chip import load_chip
from ..validation import (
    FigureComparison,
    SiliconFigure,
    compare_figures,
    load_figures,
    require_known,
)
from . import options
from .app import app
from .output import PlainTable, show, show_json, table
from .progress import progress

READING = (
    "scattered: strided and random placements. ratio: simulated / measured, over all placements "
    "and both ends of what was measured.",
    "Simulated figures are never the chip's, and a ratio is no pass mark: it holds as far as what "
    "its row assumes. No public figure tells two placements of one network apart, so none of this "
    "validates a ranking.",
)


@app.command(epilog="Example: loihi-gym validate loihi2-vendor-minimum")
@click.argument("name", metavar="CHIP", default="loihi2")
@options.number("--random", 1, 8, "Random placements of each network.")
@options.seed
@options.json
def validate(name: str, random: int, seed: int, as_json: bool) -> None:
    """Simulate the public figures of Loihi 2 in silicon with CHIP (a name or a .toml file).

    Prints ratios of simulated to measured, as ranges over placements, and what each row assumes.
    Rows marked "fitted" are those that the chip file says its constants were fitted to.
    """
    chip, figures = load_chip(name), load_figures()
    require_known(chip, figures)
    with progress("networks") as update:
        compared = compare_figures(chip, figures, random, seed, update)
    if as_json:
        rows = [_data(one) for one in compared]
        show_json({"chip": chip.name, "random": random, "seed": seed, "figures": rows})
        return
    simulated = [one for one in compared if one.figure.network is not None]
    others = [one for one in compared if one.figure.network is None]
    title = f"Public figures of Loihi 2 per time step, simulated with {chip.name}"
    show(_simulated_table(simulated, title), "", *READING, "", _unsimulated_table(others), "")
    show(*(_explained(one.figure) for one in compared))


def _simulated_table(compared: Sequence[FigureComparison], title: str) -> PlainTable:
    columns = ("figure", "status", "measured", "bound", "row-major", "scattered", "ratio", "")
    rows = table(*columns, title=title, left=(1, 7))
    for one in compared:
        figure = one.figure
        row = [figure.name, figure.status, _measured(figure), *_simulated(one)]
        notes = ["fitted"] if one.fitted else []
        notes += [f"does not fit: {one.reason}"] if one.reason else []
        rows.add_row(*row, "; ".join(notes))
    return rows


def _simulated(one: FigureComparison) -> tuple[str, str, str, str]:
    """Cells of what was simulated: bound, row-major, the other placements, the ratio."""
    if not one.simulated:
        return "", "", "", ""
    low, high = one.ratio
    bound = "" if one.bound is None else _number(one.bound)
    ratio = f">= {_number(low)}" if high is None else _range(low, high)
    return bound, _number(one.row_major), _range(*one.scattered), ratio


def _unsimulated_table(compared: Sequence[FigureComparison]) -> PlainTable:
    columns = ("figure", "status", "measured", "why")
    rows = table(*columns, title="Not simulated", left=(1, 3))
    for one in compared:
        figure = one.figure
        fitted = "fitted; " if one.fitted else ""
        rows.add_row(figure.name, figure.status, _measured(figure), fitted + figure.unsimulated)
    return rows


def _explained(figure: SiliconFigure) -> str:
    chips = "" if figure.chips == 1 else f" (measured on {figure.chips:,} chips)"
    return (
        f"{figure.name}: {figure.what}{chips}.\n"
        f"    Assumed: {figure.assumed}\n    Source: {figure.source}."
    )


def _measured(figure: SiliconFigure) -> str:
    low, high, unit = figure.low, figure.high, figure.unit.removesuffix(" per step")
    return f"<= {_number(high)} {unit}" if low is None else f"{_range(low, high)} {unit}"


def _range(low: float, high: float) -> str:
    ends = _number(low), _number(high)
    return ends[0] if ends[0] == ends[1] else " - ".join(ends)


def _number(value: float) -> str:
    """Two decimals, or one from 10 on."""
    return f"{value:,.2f}" if value < 9.995 else f"{value:,.1f}"


def _data(one: FigureComparison) -> dict[str, object]:
    """All of a row, for other programs."""
    figure = one.figure
    found: dict[str, object] = {
        "name": figure.name,
        "what": figure.what,
        "status": figure.status,
        "unit": figure.unit,
        "measured": [figure.low, figure.high],
        "chips": figure.chips,
        "fitted": one.fitted,
        "assumed": figure.assumed,
        "source": figure.source,
        "network": None if figure.network is None else asdict(figure.network),
        "unsimulated": figure.unsimulated or None,
        "does_not_fit": one.reason or None,
        "simulated": one.simulated,
        "bound": one.bound,
    }
    if one.simulated:
        found |= {
            "row_major": one.row_major,
            "scattered": list(one.scattered),
            "ratio": list(one.ratio),
        }
    return found
