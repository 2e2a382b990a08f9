"""Commands that measure mappings for a calibration, and calibrate."""

from pathlib import Path

import click
import numpy as np

from ..backends import make_backend
from ..benchmarks import load
from ..calibration import Assessment
from ..chip import load_chip, save_chip
from ..mapping import Mapping, Problem, fitting, random_mapping
from . import options
from .app import app
from .output import PlainTable, show, show_json, table
from .progress import patience, progress


@app.command(epilog="Example: loihi-gym measure mlp-deep --backend lava -o measured.jsonl")
@click.argument("name", metavar="BENCHMARK")
@click.argument("mappings", metavar="[MAPPING]...", nargs=-1)
@options.number("--count", 1, 40, "Mappings to measure if none is named.")
@options.seed
@options.output("FILE.jsonl", "File to add to.")
@options.backend
def measure(
    name: str, mappings: tuple[str, ...], count: int, seed: int, output: str, backend: str
) -> None:
    """Measure MAPPINGs (files or heuristics), or the heuristics and random ones, to calibrate by.

    Mappings that the file already has are not measured again, so an interrupted command goes on
    where it was.
    """
    from ..calibration import DataPoint, append_measured, read_measured

    problem = load(name)
    named = [options.read_mapping(problem, text) for text in mappings]
    wanted = named or _spread(problem, count, seed)
    known = read_measured(output) if Path(output).exists() else []
    done = {one.mapping for one in known if one.benchmark == name}
    fresh = [mapping for mapping in wanted if mapping not in done]
    measuring = make_backend(backend, problem)
    with progress("mappings") as update:
        for number, mapping in enumerate(fresh, 1):
            result = measuring.evaluate(mapping)
            append_measured(output, [DataPoint(name, mapping, result.step_times_ps)])
            update(f"measured on {backend}", number, len(fresh))
    show(f"measured {len(fresh)} mappings on {backend}; {output} has {len(done | {*wanted})}")


def _spread(problem: Problem, count: int, seed: int) -> list[Mapping]:
    rng = np.random.default_rng(seed)
    found = dict.fromkeys(fitting(problem).values())
    for _ in range(100 * count):  # a small problem has no more than a few
        if len(found) < count:
            found[random_mapping(problem, rng)] = None
    return list(found)[:count]


@app.command(epilog="Example: loihi-gym calibrate measured.jsonl --chip loihi2 -o my-chip.toml")
@click.argument("measurements", metavar="MEASUREMENTS.jsonl")
@click.option("--chip", required=True, metavar="NAME", help="Chip to start from.")
@options.output("CHIP.toml", "Chip file to write.", ".toml")
@options.number("--next", 0, 3, "Mappings to suggest.", name="following")
@options.folder("--next-to", "Directory for the suggested mappings.")
@options.json
def calibrate(
    measurements: str, chip: str, output: str, following: int, next_to: str | None, as_json: bool
) -> None:
    """Fit the constants of a chip to MEASUREMENTS, and say what they tell and what they do not."""
    from ..calibration import assess, calibrated_chip, next_mappings, read_measured

    measured = read_measured(measurements)
    source = f"calibrated to {len(measured)} measured mappings in {Path(measurements).name}"
    with patience("calibrating"):
        found = assess(measured, load_chip(chip))
        save_chip(output, calibrated_chip(found, Path(output).stem, source))
        suggested = next_mappings(found.fit, load(measured[0].benchmark), following)
    if next_to is not None:
        Path(next_to).mkdir(parents=True, exist_ok=True)
        for number, mapping in enumerate(suggested, 1):
            mapping.save(Path(next_to) / f"next-{number}.json")
    if as_json:
        show_json(_calibration_data(found, suggested))
    else:
        show(_constants(found, source), "", *_notes(found, suggested, next_to), f"wrote {output}")


def _calibration_data(found: Assessment, suggested: list[Mapping]) -> dict[str, object]:
    return {
        **{name: getattr(found, name) for name in ("held_out", "pearson", "spearman", "error")},
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
