"""Commands of the leaderboard."""

from itertools import chain
from pathlib import Path
from typing import Any

import click

from ..benchmarks.freeze import freeze as freeze_suite
from ..benchmarks.freeze import manifest
from ..benchmarks.suite import MAPPING, folder, load_suite, suite_names
from ..files import require_writable, write_text
from .app import Commands, app
from .options import folder as folder_option
from .options import json
from .output import show, show_json, table
from .progress import patience, progress

BOARD = "leaderboard"

board_option = click.option(
    "--board", metavar="DIR", default=BOARD, show_default=True, help="The leaderboard's directory."
)


@app.group(cls=Commands)
def leaderboard() -> None:
    """Submit mappings, not scores: pack, check, build, reproduce."""


@leaderboard.command(
    epilog="Examples: loihi-gym leaderboard pack runs/sparse-mlp-v2 --solver ga --track solver@1k "
    "--author 'Ada Lovelace' -o 2026-11-25-ga. Of single mappings: loihi-gym leaderboard pack "
    "mlp-xs=a.json mlp-deep=b.json … --name mine --author 'Ada Lovelace' -o 2026-11-25-mine"
)
@click.argument("runs", metavar="RUNS...", nargs=-1, required=True)
@folder_option("-o", "New, named YYYY-MM-DD-slug.", name="output", required=True)
@click.option("--track", default=MAPPING, show_default=True, help="mapping, solver@1k, ...")
@click.option("--suite", default="sparse-mlp-v2", show_default=True, help=", ".join(suite_names()))
@click.option("--solver", metavar="LABEL", help="Whose runs to take, if RUNS has several solvers'.")
@click.option("--name", help="Name of the entry on the board.  [default: the solver]")
@click.option("--author", "authors", multiple=True, required=True, help="Give it once for each.")
@click.option("--method", help="What searched, in words.  [default: the solver]")
@click.option("--code-url", default="", help="Where the solver's code is, https.")
@click.option("--code-commit", default="", help="Which commit of it.")
@click.option("--licence", default="CC0-1.0", show_default=True, help="Licence of the mappings.")
@json
def pack(
    runs: tuple[str, ...],
    output: str,
    track: str,
    suite: str,
    solver: str | None,
    name: str | None,
    method: str | None,
    as_json: bool,
    **more: Any,
) -> None:
    """Make a submission from RUNS: directories of runs, or PROBLEM=MAPPING.json on mapping."""
    from ..leaderboard.pack import gather, write_submission
    from ..leaderboard.submission import About

    with patience("gathering the runs"):
        gathered = gather(runs, load_suite(suite), track, solver)
    about = About(
        suite=suite,
        track=track,
        name=name or gathered.label or "mappings",
        solver=method or gathered.label or "any means",
        bundled=gathered.bundled,
        **more,  # the options that are called as the fields of a submission
    )
    write_submission(Path(output), about, gathered.mappings, gathered.traces)
    if as_json:
        show_json({"submission": output, "runs": len(gathered.mappings)})
    else:
        show(f"wrote {output}; next: loihi-gym leaderboard check {output}")


@leaderboard.command(epilog="Example: loihi-gym leaderboard check 2026-11-25-ga")
@click.argument("directory", metavar="DIR")
@click.option(
    "--board", metavar="DIR", help="Look there for duplicates.  [default: the board DIR lies in]"
)
def check(directory: str, board: str | None) -> None:
    """Check the submission in DIR, offline: what runs on every request."""
    from ..leaderboard.check import board_of
    from ..leaderboard.check import check as check_submission
    from ..leaderboard.score import interval_ppm, score_ppm
    from ..leaderboard.tables import score, us

    path = Path(directory)
    chosen = board_of(path) if board is None else Path(board)
    with progress("mappings") as update:
        played, sources = check_submission(path, chosen, lambda d, n: update(path.name, d, n))
    about, suite = played.submission.about, played.submission.suite
    rows = table("run", "latency (us)", "reference (us)", title=f"{about.name} on {about.track}")
    for run, (latency, _) in played.scores.items():
        rows.add_row(str(run), us(latency), us(suite.frozen(run.problem).reference_latency_ps))
    pairs = played.pairs()
    interval = None if about.track == MAPPING else interval_ppm(pairs)
    reached = score(score_ppm(chain.from_iterable(pairs)), interval)
    where = "no board to compare with" if chosen is None else f"new on {chosen}"
    notes = [
        f"{run} is nearly a mapping of {folder}: it is marked as derived, and counts by what it "
        "improves on the best that is public"
        for run, folder in sources.items()
    ]
    show(
        rows, "", *notes, f"score {reached}: accepted, {where}. Simulated, not measured on a chip."
    )


@leaderboard.command(epilog="Example: loihi-gym leaderboard build --check")
@board_option
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail if it is stale.")
def build(board: str, only_check: bool) -> None:
    """Write results, README tables and page anew, from the submissions alone."""
    from ..leaderboard.build import build as build_board
    from ..leaderboard.build import require_built

    with progress("mappings") as update:
        if only_check:
            require_built(Path(board), update)
            written = []
        else:
            written = build_board(Path(board), update)
    show(*(f"wrote {board}/{name}" for name in written) if written else (f"{board} is up to date",))


@leaderboard.command(
    epilog="Example: loihi-gym leaderboard reproduce leaderboard/submissions/2026-12-01-ga"
)
@click.argument("directory", metavar="DIR")
def reproduce(directory: str) -> None:
    """Run the bundled solver of DIR again; if every trace agrees, note it in reproduced.toml."""
    from ..leaderboard.reproduce import reproduce as rerun
    from ..leaderboard.submission import REPRODUCED

    with progress("runs") as update:
        rerun(Path(directory), update)
    show(f"reproduced, wrote {Path(directory) / REPRODUCED}")


@leaderboard.command(
    epilog="Example: loihi-gym leaderboard changed origin/main my-branch. What the workflow of "
    "requests runs: loihi-gym leaderboard changed BASE HEAD --copy-to leaderboard/submissions"
)
@click.argument("base", metavar="BASE")
@click.argument("head", metavar="HEAD")
@click.option("--repository", metavar="DIR", default=".", show_default=True, help="A git checkout.")
@folder_option("--copy-to", "Copy the submission there, as plain files.")
def changed(base: str, head: str, repository: str, copy_to: str | None) -> None:
    """Print the one submission that commit HEAD adds to BASE; fail if it changes anything else.

    Nothing of HEAD is checked out or run.
    """
    from ..leaderboard.changes import new_submission

    folder = None if copy_to is None else Path(copy_to)
    show(new_submission(Path(repository), base, head, folder))


@leaderboard.command(epilog="Example: loihi-gym leaderboard freeze sparse-mlp-v2")
@click.argument("suite", metavar="SUITE")
def freeze(suite: str) -> None:
    """Write the manifest of SUITE (a name or a .toml file) with all numbers measured again.

    For new suites. A frozen one with submissions is never frozen again: that needs a new name.
    """
    path = Path(suite) if suite.endswith(".toml") else folder() / f"{suite}.toml"
    chosen = load_suite(suite)
    require_writable(path)
    with patience(f"measuring {suite}"):
        write_text(path, manifest(freeze_suite(chosen)))
    show(f"wrote {path}")
