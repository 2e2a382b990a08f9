"""Commands that measure mappings for a calibration, and calibrate."""

import json
from pathlib import Path

import click
import numpy as np

from ..backends import make_backend
from ..benchmarks import load
from ..chip import load_chip, save_chip
from ..errors import CalibrationError
from ..mapping import Mapping, Problem, fitting, random_mapping
from .app import app, show, table
from .problems import backend_option, json_option


@app.command(epilog="Example: loihi-gym measure mlp-deep --backend lava -o measured.jsonl")
@click.argument("name", metavar="BENCHMARK")
@click.argument("mappings", metavar="[MAPPING]...", nargs=-1)
@click.option("--count", default=40, show_default=True, help="Mappings if none is named.")
@click.option("--seed", default=0, show_default=True, help="Of the random ones.")
@click.option("-o", "--output", required=True, metavar="FILE.jsonl", help="File to add to.")
@backend_option
def measure(
    name: str, mappings: tuple[str, ...], count: int, seed: int, output: str, backend: str
) -> None:
    """Measure MAPPINGs (files or heuristics), or the heuristics and random ones, to calibrate by.

    Mappings that the file already has are not measured again, so an interrupted command goes on
    where it was.
    """
    from ..calibration import DataPoint, append_measured, read_measured
    from .problems import read_mapping

    problem = load(name)
    wanted = [read_mapping(problem, text) for text in mappings] or _spread(problem, count, seed)
    known = read_measured(output) if Path(output).exists() else []
    done = {one.mapping for one in known if one.benchmark == name}
    fresh = [mapping for mapping in wanted if mapping not in done]
    measuring = make_backend(backend, problem)
    for mapping in fresh:
        result = measuring.evaluate(mapping)
        append_measured(output, [DataPoint(name, mapping, result.step_times_ps)])
    click.echo(f"measured {len(fresh)} mappings on {backend}; {output} has {len(done | {*wanted})}")


def _spread(problem: Problem, count: int, seed: int) -> list[Mapping]:
    rng = np.random.default_rng(seed)
    found = dict.fromkeys(fitting(problem).values())
    while len(found) < count:
        found[random_mapping(problem, rng)] = None
    return list(found)[:count]


@app.command(epilog="Example: loihi-gym calibrate measured.jsonl --chip loihi2 -o my-chip.toml")
@click.argument("measurements", metavar="MEASUREMENTS.jsonl")
@click.option("--chip", required=True, metavar="NAME", help="Chip to start from.")
@click.option("-o", "--output", required=True, metavar="CHIP.toml", help="Chip file to write.")
@click.option("--next", "following", default=3, show_default=True, help="Mappings to suggest.")
@click.option("--next-to", metavar="DIR", help="Directory for the suggested mappings.")
@json_option
def calibrate(
    measurements: str, chip: str, output: str, following: int, next_to: str | None, as_json: bool
) -> None:
    """Fit the constants of a chip to MEASUREMENTS, and say what they tell and what they do not."""
    from ..calibration import assess, calibrated_chip, next_mappings, read_measured

    if not output.endswith(".toml"):
        raise CalibrationError(f"-o {output}: a chip file's name ends in .toml")
    measured = read_measured(measurements)
    found = assess(measured, load_chip(chip))
    source = f"calibrated to {len(measured)} measured mappings in {Path(measurements).name}"
    save_chip(output, calibrated_chip(found, Path(output).stem, source))
    problem = load(measured[0].benchmark)
    suggested = next_mappings(found.fit, problem, following)
    if next_to is not None:
        Path(next_to).mkdir(parents=True, exist_ok=True)
        for number, mapping in enumerate(suggested, 1):
            mapping.save(Path(next_to) / f"next-{number}.json")
    if as_json:
        click.echo(
            json.dumps(
                {
                    "held_out": found.held_out,
                    "pearson": found.pearson,
                    "spearman": found.spearman,
                    "error": found.error,
                    "noise": found.fit.noise,
                    "constants": {
                        one.parameter.name: {
                            "value": one.value,
                            "low": one.low,
                            "high": one.high,
                            "told": one.told,
                        }
                        for one in found.intervals
                    },
                    "confused": found.confused,
                    "next": [mapping.digest for mapping in suggested],
                }
            )
        )
        return
    rows = table("constant", "was", "is", "95 % interval", "unit", title=source)
    for one in found.intervals:
        name = one.parameter.name + ("" if one.told else " (not told by the data)")
        unit = found.fit.chip.constants[one.parameter.name].unit
        between = f"{one.low:,} - {one.high:,}"
        rows.add_row(name, f"{one.parameter.value:,}", f"{one.value:,}", between, unit)
    rows.columns[4].justify = "left"
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
    show(rows, "", *notes, f"wrote {output}")
