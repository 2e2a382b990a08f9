"""Options and arguments that several commands have, and the values they take."""

import math
import sys
from typing import Any

import click

from ..backends import backend_names
from ..errors import LoihiGymError
from ..files import require_writable
from ..mapping import Mapping, Problem, heuristic, heuristic_names


class OutputPath(click.Path):
    """A file, or a directory, that a command will write: whether it can is known at once.

    Args:
        endings: What the name must end in, if anything.
        directory: Whether it is a directory.
    """

    def __init__(self, *endings: str, directory: bool = False) -> None:
        super().__init__(file_okay=not directory)
        self.endings, self.directory = endings, directory

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path as it was given."""
        path = str(value)
        if self.endings and not path.lower().endswith(self.endings):
            self.fail(f"{path}: the name must end in {' or '.join(self.endings)}.", param, ctx)
        try:
            require_writable(path, self.directory)
        except LoihiGymError as error:
            self.fail(f"{error}.", param, ctx)
        return path


def number(
    flag: str, least: int, default: int, text: str, name: str | None = None, most: int | None = None
) -> Any:
    """An option that takes a whole number from `least` to `most`."""
    kind, names = click.IntRange(least, most), (flag,) if name is None else (flag, name)
    return click.option(*names, type=kind, default=default, show_default=True, help=text)


def positive(flag: str, default: float | None, text: str) -> Any:
    """An option that takes a finite number above 0."""
    kind, shown = click.FloatRange(0.0, sys.float_info.max, min_open=True), default is not None
    return click.option(
        flag, type=kind, default=default, show_default=shown, help=text, callback=_no_nan
    )


def _no_nan(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    if value is not None and math.isnan(value):
        raise click.BadParameter("nan is no number.", ctx, param)
    return value


def folder(flag: str, text: str, name: str | None = None, required: bool = False) -> Any:
    """An option that takes a directory to write, looked at before the command begins to work."""
    kind, names = OutputPath(directory=True), (flag,) if name is None else (flag, name)
    return click.option(*names, metavar="DIR", type=kind, required=required, help=text)


def out_folder(text: str) -> Any:
    """``-o DIR``, by its older name ``--out``, too: where a command keeps runs."""
    kind = OutputPath(directory=True)
    return click.option("-o", "--output", "--out", "out", metavar="DIR", type=kind, help=text)


def output(metavar: str, text: str, *endings: str, required: bool = True) -> Any:
    """``-o FILE``, looked at before the command begins to work."""
    return click.option(
        "-o", "--output", required=required, metavar=metavar, type=OutputPath(*endings), help=text
    )


def port(default: int) -> Any:
    """``--port``; 0 lets the system choose."""
    return number("--port", 0, default, "Port to listen on.", most=65_535)


backend = click.option(
    "--backend",
    default="mesh",
    show_default=True,
    metavar="NAME",
    help=f"What measures: {', '.join(backend_names())}, or a server: http://HOST:PORT.",
)
json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
chips = click.option(
    "--chips",
    metavar="SET",
    help="Measure each mapping on every chip of a set of hypotheses (loihi-gym hypotheses lists "
    "them), an evaluation for each.",
)
aggregate = click.option(
    "--aggregate",
    type=click.Choice(["geometric", "worst"]),
    default="geometric",
    show_default=True,
    help="With --chips: what a search makes small, relative to the reference on each chip.",
)
seed = number("--seed", 0, 0, "Seed of all that is drawn at random.")
budget = number("--budget", 1, 1000, "Evaluations to spend.")
seconds = positive("--seconds", None, "End after this wall time, too.")
run_directory = folder("--out", "New directory for the run.  [default: runs/...]")
chip = click.option(
    "--chip", default="loihi2", show_default=True, metavar="NAME", help="Chip for a network file."
)
steps = number("--steps", 1, 4, "Time steps to record.")
window = click.option(
    "--from",
    "first",
    type=click.IntRange(0),
    help="First step to record, counted from 0.  [default: the window of median activity]",
)
layers = click.option(
    "--layers", metavar="TABLE.toml", help="Order and kinds of the layers of a state dict."
)
time_step = positive("--dt", None, "Time step of NIR, in its tau's unit.  [default: guessed]")
activity = click.option(
    "--activity", metavar="INPUTS.npy", help="Input samples, one row per time step."
)


def read_mapping(problem: Problem, text: str) -> Mapping:
    """A mapping from a file, or by the name of a standard heuristic; legal in either case."""
    mapping = heuristic(problem, text) if text in heuristic_names() else Mapping.load(text)
    problem.require(mapping)
    return mapping
