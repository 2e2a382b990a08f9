"""Commands that measure mappings for a calibration, and calibrate."""

from functools import lru_cache
from pathlib import Path

import click
import numpy as np

from ..backends import Backend, make_backend
from ..benchmarks import load
from ..calibration import Assessment, StructureFit
from ..calibration.probe import MOST_PROBES
from ..calibration.structures import TIMED, as_built
from ..chip import load_chip, save_chip
from ..mapping import Mapping, Problem, fitting, random_mapping
from ..mapping.heuristics import FIRST_RELEASE
from . import options
from .app import app
from .output import PlainTable, show, show_json, table
from .progress import patience, progress

PLAUSIBLE = 0.01
"""Probability above which a way of building the chip counts for what to measure next."""


@app.command(epilog="Example: loihi-gym probe -o probes/, then loihi-gym measure probes/ ...")
@click.option("--chip", default="loihi2", show_default=True, metavar="NAME", help="What is known.")
@options.number("--count", 1, MOST_PROBES, "Probes to design.", most=MOST_PROBES)
@options.seed
@options.folder("-o", "New directory for them.", name="output", required=True)
@options.json
def probe(chip: str, count: int, seed: int, output: str, as_json: bool) -> None:
    """Design small networks with mappings whose step times tell plausible chips apart.

    For whoever has a board: measure them there with `loihi-gym measure`, and let `loihi-gym
    calibrate` say how the chip is built and what its constants are.
    """
    from ..calibration.probe import design, require_new, save_probes

    require_new(output)
    with progress("ways to build the chip") as update:
        probes = design(load_chip(chip), count, seed, update)
    save_probes(output, probes)
    if as_json:
        show_json({"output": output, "probes": [one.described() for one in probes]})
        return
    columns = ("probe", "neurons per layer", "cores", "messages", "words")
    rows = table(
        *columns, title=f"{len(probes)} probes of {chip}, the most telling first", left=(1, 2)
    )
    for number, one in enumerate(probes, 1):
        rows.add_row(str(number), *(" ".join(map(str, part)) for part in one.described().values()))
    show(
        rows,
        "",
        f"wrote {output}: measure them by loihi-gym measure {output} --backend lava "
        "-o measured.jsonl,",
        f"then loihi-gym calibrate measured.jsonl --chip {chip} -o my-chip.toml",
    )


@app.command(epilog="Example: loihi-gym measure mlp-deep --backend lava -o measured.jsonl")
@click.argument("name", metavar="BENCHMARK")
@click.argument("mappings", metavar="[MAPPING]...", nargs=-1)
@options.number("--count", 1, 40, "Mappings to measure if none is named.")
@options.seed
@options.output("FILE.jsonl", "File to add to.")
@options.backend
@options.json
def measure(
    name: str,
    mappings: tuple[str, ...],
    count: int,
    seed: int,
    output: str,
    backend: str,
    as_json: bool,
) -> None:
    """Measure MAPPINGs (files or heuristics), or the heuristics and random ones, to calibrate by.

    BENCHMARK may be a directory that `loihi-gym probe` has written; then its probes are measured.
    Mappings that the file already has are not measured again, so an interrupted command goes on
    where it was.
    """
    from ..calibration import DataPoint, append_measured, read_measured

    if Path(name).is_dir():
        wanted = _probes(name, mappings)
    else:
        problem = load(name)
        named = [options.read_mapping(problem, text) for text in mappings]
        wanted = [(name, mapping) for mapping in named or _spread(problem, count, seed)]
    known = read_measured(output) if Path(output).exists() else []
    done = {(one.benchmark, one.mapping) for one in known}
    fresh = [one for one in wanted if one not in done]
    with progress("mappings") as update:
        for number, (benchmark, mapping) in enumerate(fresh, 1):
            result = _backend_for(backend, benchmark).evaluate(mapping)
            append_measured(output, [DataPoint(benchmark, mapping, result.step_times_ps)])
            update(f"measured on {backend}", number, len(fresh))
    total = len(done | {*wanted})
    if as_json:
        show_json({"output": output, "measured": len(fresh), "total": total, "backend": backend})
        return
    show(f"measured {len(fresh)} mappings on {backend}; {output} has {total}")


def _probes(directory: str, mappings: tuple[str, ...]) -> list[tuple[str, Mapping]]:
    """Problem file and mapping of each probe of a directory."""
    from ..calibration.probe import probe_files

    if mappings:
        raise click.UsageError(f"{directory} is a directory of probes: name no mappings.")
    return [(str(problem), Mapping.load(mapping)) for problem, mapping in probe_files(directory)]


@lru_cache(maxsize=1)
def _backend_for(name: str, benchmark: str) -> Backend:
    """The backend for a benchmark; that of the last one is kept."""
    return make_backend(name, load(benchmark))


def _spread(problem: Problem, count: int, seed: int) -> list[Mapping]:
    rng = np.random.default_rng(seed)
    found = dict.fromkeys(fitting(problem, FIRST_RELEASE).values())
    for _ in range(100 * count):  # a small problem has no more than a few
        if len(found) < count:
            found[random_mapping(problem, rng)] = None
    return list(found)[:count]


@app.command(epilog="Example: loihi-gym calibrate measured.jsonl --chip loihi2 -o my-chip.toml")
@click.argument("measurements", metavar="MEASUREMENTS.jsonl")
@click.option("--chip", required=True, metavar="NAME", help="Chip to start from.")
@options.output("CHIP.toml", "Chip file to write.", ".toml")
@click.option(
    "--as-built",
    "constants_only",
    is_flag=True,
    help="Fit constants alone, as CHIP is built.",
)
@options.number("--next", 0, 3, "Mappings to suggest.", name="following")
@options.folder("--next-to", "Directory for the suggested mappings.")
@options.json
def calibrate(
    measurements: str,
    chip: str,
    output: str,
    constants_only: bool,
    following: int,
    next_to: str | None,
    as_json: bool,
) -> None:
    """Fit a chip to MEASUREMENTS: how it is built, and its constants.

    Says how likely each way of building it is, what the measurements tell of each constant, and
    what to measure next.
    """
    from ..calibration import assess, calibrated_chip, choose, next_mappings, read_measured

    measured, start = read_measured(measurements), load_chip(chip)
    source = f"calibrated to {len(measured)} measured mappings in {Path(measurements).name}"
    ways: list[StructureFit] = []
    if not constants_only:
        with progress("fits") as update:
            ways = choose(measured, start, update)
        start = as_built(start, ways[0].structure)
    with patience("predicting measurements that were held out"):
        found = assess(measured, start, ways[0].fit if ways else None)
        save_chip(output, calibrated_chip(found, Path(output).stem, source, ways))
        likely = [way for way in ways if way.probability > PLAUSIBLE]
        suggested = next_mappings(found.fit, load(measured[0].benchmark), following, likely)
    if next_to is not None:
        Path(next_to).mkdir(parents=True, exist_ok=True)
        for number, mapping in enumerate(suggested, 1):
            mapping.save(Path(next_to) / f"next-{number}.json")
    if as_json:
        show_json({"chip": output, **_calibration_data(found, suggested, ways)})
        return
    if ways:
        show(_ways_table(ways), "")
    notes = _notes(found, suggested, next_to)
    show(_constants(found, source), "", *notes, f"wrote {output}")


def _ways_table(ways: list[StructureFit]) -> PlainTable:
    rows = table("probability", *TIMED, title="How the chip is built", left=tuple(range(1, 5)))
    for way in ways:
        rows.add_row(f"{way.probability:.1%}", *(getattr(way.structure, name) for name in TIMED))
    return rows


def _calibration_data(
    found: Assessment, suggested: list[Mapping], ways: list[StructureFit]
) -> dict[str, object]:
    return {
        **{name: getattr(found, name) for name in ("held_out", "pearson", "spearman", "error")},
        "structures": [
            {name: getattr(way.structure, name) for name in TIMED}
            | {"probability": way.probability}
            for way in ways
        ],
        "noise": found.fit.noise,
        "constants": {
            one.parameter.name: {
                name: getattr(one, name) for name in ("value", "low", "high", "told")
            }
            for one in found.intervals
        },
        "confused": found.confused,
        "next": [mapping.digest for mapping in suggested],
    }


def _constants(found: Assessment, title: str) -> PlainTable:
    rows = table("constant", "was", "is", "95 % interval", "unit", title=title, left=(4,))
    for one in found.intervals:
        name = one.parameter.name + ("" if one.told else " (not told by the data)")
        unit = found.fit.chip.constants[one.parameter.name].unit
        between = f"{one.low:,} - {one.high:,}"
        rows.add_row(name, f"{one.parameter.value:,}", f"{one.value:,}", between, unit)
    return rows


def _notes(found: Assessment, suggested: list[Mapping], next_to: str | None) -> list[str]:
    notes = [
        f"A fit to the other measurements predicts {found.held_out} of them with a median error of "
        f"{found.error:.1%}, Pearson {found.pearson:.3f}, Spearman {found.spearman:.3f}.",
        f"Scatter of the measurements about the fit: {found.fit.noise:.1%}.",
    ]
    notes += [f"Known only together: {', '.join(names)}." for names in found.confused]
    notes += [
        f"Measure next: {mapping.digest[:16]}, cores per layer "
        f"{' '.join(map(str, mapping.cores_per_layer))}"
        + ("" if next_to is None else f" ({next_to}/next-{number}.json)")
        for number, mapping in enumerate(suggested, 1)
    ]
    return notes
