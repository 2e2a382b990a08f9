"""The command that shows what a search or an agent went through."""

from pathlib import Path

import click

from ..backends import backend_names, load_backend, make_backend
from ..benchmarks import load
from ..drawing.animation import animate, thinned
from ..envs.episode import Episode
from ..errors import RunError
from ..mapping.visit import Visit
from ..search.run import read_config
from ..search.trace import NAME, read_trace
from . import options
from .app import app
from .output import show, show_json
from .progress import patience


@app.command(
    epilog="Example: loihi-gym solve ga mlp-xs --out run && loihi-gym replay run -o episode.gif"
)
@click.argument("run", metavar="RUN")
@options.output("FILE", "Animation to write (.gif or .mp4).", ".gif", ".mp4")
@options.number("--fps", 1, 4, "Mappings a second.", most=50)
@options.number("--frames", 1, 120, "Most mappings to show.", most=10_000)
@options.json
def replay(run: str, output: str, fps: int, frames: int, as_json: bool) -> None:
    """Animate RUN: the directory of a search, or an episode that `SaveEpisodes` wrote.

    Of a search each improvement is shown, of an episode each step: the mesh with layers as colours,
    heat on the links, a mark at the bottleneck, and the latency beside it.
    """
    path = Path(run)
    shown, latencies_ps = _search(path) if path.is_dir() else _episode(path)
    with patience("drawing"):
        problem = load(shown.benchmark)
        measuring = make_backend(_simulation(shown.backend), problem)
        reference = measuring.evaluate(problem.reference_mapping)
        visits = thinned(shown.visits, frames)
        animate(Path(output), problem, reference, visits, latencies_ps, fps)
    if as_json:
        show_json({"animation": output, "mappings": len(visits), "latency_ps": min(latencies_ps)})
    else:
        show(f"wrote {output}")


def _simulation(backend: str) -> str:
    """The backend that measured, if it says the same again; else `mesh`."""
    known = backend in backend_names() and getattr(load_backend(backend), "repeatable", False)
    return backend if known else "mesh"


def _search(path: Path) -> tuple[Episode, list[int]]:
    """Improvements of a search, and the latency of each evaluation."""
    config, lines = read_config(path), read_trace(path / NAME)
    visits = tuple(
        Visit(line.index, line.mapping, line.step_times_ps)
        for line in lines
        if line.mapping is not None
    )
    if not visits:
        raise RunError(f"{path} has no evaluations to show yet")
    return Episode(config.benchmark, config.backend, visits), [line.latency_ps for line in lines]


def _episode(path: Path) -> tuple[Episode, list[int]]:
    """All mappings of an episode, and their latencies."""
    episode = Episode.load(path)
    return episode, [visit.latency_ps for visit in episode.visits]
