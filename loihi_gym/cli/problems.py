"""Commands that look at chips, benchmarks and single mappings."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from ..backends import Measurement, make_backend
from ..benchmarks import benchmark, benchmark_names, family, family_names, load
from ..benchmarks.suite import load_suite, suite_names
from ..bounds import lower_bound
from ..chip import chip_names, load_chip
from ..chip.hypotheses import hypotheses_names, load_hypotheses
from ..mapping import Mapping, Problem, fitting, heuristic
from ..mapping.heuristics import COARSE, TOOLCHAIN_DEFAULT
from ..wording import against_reference
from . import options
from .app import app
from .output import PlainTable, show, show_json, table
from .progress import patience

Measured = tuple[str, Mapping, Measurement]
"""Name of a heuristic, its mapping, and what `mesh` measured."""


@app.command("list")
@options.json
def list_benchmarks(as_json: bool) -> None:
    """List the benchmarks, the families that they can be drawn from, and the suites."""
    benchmarks = [benchmark(name) for name in benchmark_names()]
    families = [family(name) for name in family_names()]
    suites = [load_suite(name) for name in suite_names()]
    if as_json:
        show_json(
            {
                "benchmarks": [
                    {"name": one.name, "chip": one.chip, "description": one.description}
                    for one in benchmarks
                ],
                "families": [
                    {"name": one.name, "description": one.description, "parts": one.addresses}
                    for one in families
                ],
                "suites": [
                    {
                        "name": one.name,
                        "description": one.description,
                        "problems": list(one.names),
                        "budgets": list(one.seeds),
                    }
                    for one in suites
                ],
            }
        )
        return
    named = table("benchmark", "chip", "description", left=(1, 2))
    for one in benchmarks:
        named.add_row(one.name, one.chip, one.description)
    drawn = table("family", "description", left=(1,))
    for each in families:
        drawn.add_row(each.train[0].replace("/0", "/NUMBER"), each.description)
    frozen = table("suite", "problems", "description", left=(2,))
    for suite in suites:
        frozen.add_row(suite.name, str(len(suite.problems)), suite.description)
    show(named, "", drawn, "", frozen)


@app.command(epilog="Example: loihi-gym info mlp-deep")
@click.argument("name", metavar="BENCHMARK")
@options.json
def info(name: str, as_json: bool) -> None:
    """Show a benchmark: layers, capacity, and the standard heuristics measured on `mesh`.

    Of each partitioning the fastest order is shown, and the reference and what Intel's toolchain
    would do in any case; --json has all orders. Every fourth step of the sweep is measured.
    """
    with patience("measuring the standard heuristics"):
        problem = load(name)
        among = {*COARSE, problem.reference.split("/")[0]}
        mappings = fitting(problem, among)
        different = list(dict.fromkeys(mappings.values()))
        results = make_backend("mesh", problem).evaluate_batch(different)
        found = dict(zip(different, results, strict=True))
        measured = [(name, mapping, found[mapping]) for name, mapping in mappings.items()]
        lower_bound(problem)
    if as_json:
        show_json(_info_data(problem, measured))
        return
    measured.sort(key=lambda row: row[2].latency_ps)
    notes = (
        "Proven lower bound over all mappings: "
        f"{bound_text(problem, measured[0][2], 'mesh')} the fastest.",
        "Times are simulated with substitute constants (loihi-gym chips "
        f"{problem.chip.name}), not measured on a chip.",
    )
    show(_layer_table(problem), "", _heuristic_table(problem, measured), "", *notes)


@app.command(epilog="Example: loihi-gym chips loihi2")
@click.argument("name", metavar="CHIP", required=False)
@options.json
def chips(name: str | None, as_json: bool) -> None:
    """List the chips, or the constants of CHIP (a name or a .toml file) with their sources."""
    if as_json:
        show_json(_chips_data(name))
        return
    if name is None:
        rows = table("chip", "cores", "description", left=(2,))
        for known in chip_names():
            chip = load_chip(known)
            rows.add_row(known, f"{chip.n_cores:,}", chip.description)
        show(rows)
        return
    chip = load_chip(name)
    columns = ("constant", "value", "range", "unit", "status", "source")
    rows = table(*columns, title=chip.description, left=(3, 4, 5))
    rows.add_row("topology", f"{chip.n_cores:,}", "", "neurocores", *chip.grid)
    for key, choice in chip.choices.items():
        rows.add_row(
            key, choice.value, " | ".join(choice.options), "", choice.status, choice.source
        )
    for key, constant in chip.constants.items():
        low_high = "" if constant.range is None else "{:,} - {:,}".format(*constant.range)
        rows.add_row(
            key, f"{constant.value:,}", low_high, constant.unit, constant.status, constant.source
        )
    show(rows)


@app.command(epilog="Example: loihi-gym hypotheses loihi2-hypotheses")
@click.argument("name", metavar="SET", required=False)
@options.json
def hypotheses(name: str | None, as_json: bool) -> None:
    """List the sets of plausible chips, or the chips of SET (a name or a .toml file) and why."""
    if as_json:
        show_json(_hypotheses_data(name))
        return
    if name is None:
        rows = table("set", "chips", "description", left=(2,))
        for known in hypotheses_names():
            found = load_hypotheses(known)
            rows.add_row(known, str(len(found.members)), found.description)
        show(rows)
        return
    found = load_hypotheses(name)
    rows = table("hypothesis", "what differs", "why", title=found.description, left=(1, 2))
    for one in found.members:
        changes = ", ".join(f"{fact} = {value}" for fact, value in one.changes.items())
        rows.add_row(one.name, changes, one.why)
    show(rows)


@app.command(epilog="Example: loihi-gym evaluate mlp-deep mapping.json")
@click.argument("name", metavar="BENCHMARK")
@click.argument("mapping", metavar="MAPPING")
@options.backend
@options.json
def evaluate(name: str, mapping: str, backend: str, as_json: bool) -> None:
    """Measure MAPPING: a file, or the name of a standard heuristic such as balanced/strided."""
    with patience("measuring"):
        problem = load(name)
        chosen = options.read_mapping(problem, mapping)
        measuring = make_backend(backend, problem)
        result, reference = measuring.evaluate_batch([chosen, problem.reference_mapping])
        lower_bound(problem)
    found = (problem, measuring.name, chosen, result, reference)
    if as_json:
        show_json(_measurement_data(*found))
    else:
        show(_measurement_table(*found))


@app.command(
    epilog="Example: loihi-gym render mlp-deep balanced/strided -o mesh.png. "
    "Two of them: loihi-gym render mlp-deep --compare balanced/strided best.json -o both.png"
)
@click.argument("name", metavar="BENCHMARK")
@click.argument("mapping", metavar="[MAPPING]", required=False)
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    help="Draw two mappings side by side instead: what moved, and where the time went.",
)
@options.output("FILE", "Picture (.png, .svg, .pdf); else text.", required=False)
@options.backend
@options.json
def render(
    name: str,
    mapping: str | None,
    compare: tuple[str, str] | None,
    output: str | None,
    backend: str,
    as_json: bool,
) -> None:
    """Draw MAPPING (a file or a heuristic's name): layers as colours, heat on links and cores.

    Heat is in microseconds a step. A benchmark has one scale, which ends at a step of its
    reference, so that any two pictures of it can be compared.
    """
    from .. import drawing

    if (mapping is None) == (compare is None):
        raise click.UsageError("Give one MAPPING, or --compare A B.")
    names = compare or (str(mapping),)
    with patience("measuring and drawing"):
        problem = load(name)
        mappings = [options.read_mapping(problem, each) for each in names]
        results = make_backend(backend, problem).evaluate_batch(
            [*mappings, problem.reference_mapping]
        )
        shown = [drawing.Shown(*each) for each in zip(names, mappings, results, strict=False)]
        if compare is not None and output is not None:
            drawing.save_comparison(output, problem, *shown)
        elif output is not None:
            drawing.save(output, problem, mappings[0], results[0], results[-1])
    if as_json:
        mapped = [
            {"name": one.name, **_measurement_data(problem, backend, one.mapping, *measured)}
            for one in shown
            for measured in [(one.measurement, results[-1])]
        ]
        show_json({"picture": output, "mappings": mapped})
    elif output is not None:
        show(f"wrote {output}")
    elif compare is not None:
        show(drawing.comparison_text(problem, *shown).removesuffix("\n"))
    else:
        show(drawing.text(problem, mappings[0], results[0], results[-1]).removesuffix("\n"))


def microseconds(time_ps: int) -> str:
    """A time for people."""
    return f"{time_ps * 1e-6:,.3f}"


def microjoules(measurement: Measurement) -> str:
    """An energy for people; empty if it was not measured."""
    return "" if measurement.energy_j is None else f"{measurement.energy_j * 1e6:.2f}"


def _layer_table(problem: Problem) -> PlainTable:
    network, capacity = problem.network, problem.chip.capacity
    packed = heuristic(problem, "packed/row-major").cores_per_layer
    rows = table(
        *("layer", "neurons", "synapses", "density", "active", "fewest cores"),
        "synaptic memory",
        title=f"{problem.name} on {problem.chip.name} ({problem.topology.n_cores:,} cores)",
    )
    for layer, width in enumerate(network.widths):
        nnz = network.weights[layer - 1].nnz if layer else 0
        words = int(problem.pieces.synmem_words(layer, 1).sum())
        rows.add_row(
            str(layer) if layer else "0 (input)",
            f"{width:,}",
            f"{nnz:,}" if layer else "",
            f"{network.densities[layer - 1]:.1%}" if layer else "",
            f"{problem.activity.active[layer]:.1%}",
            str(packed[layer]),
            f"{words / capacity.synmem_words:.2f} cores" if layer else "",
        )
    return rows


def _heuristic_table(problem: Problem, measured: Sequence[Measured]) -> PlainTable:
    rows = table(
        *("heuristic", "cores", "latency (us)", "energy (uJ)", "bottleneck"),
        title="Standard heuristics, each with its fastest order, simulated on mesh over "
        f"{problem.activity.steps} time steps",
        left=(4,),
    )
    fastest: dict[str, str] = {}  # measured is in order of latency
    for name, _, _ in measured:
        fastest.setdefault(name.split("/")[0], name)
    shown = {*fastest.values(), problem.reference, TOOLCHAIN_DEFAULT}
    for name, mapping, result in measured:
        if name not in shown:
            continue
        rows.add_row(
            name + (" (reference)" if name == problem.reference else ""),
            str(mapping.n_logical_cores),
            microseconds(result.latency_ps),
            microjoules(result),
            str(result.bottleneck),
        )
    return rows


def bound_text(problem: Problem, measured: Measurement, backend: str) -> str:
    """How far a latency is above what is proven of all mappings; empty if it is not a Loihi's."""
    if not measured.counted:
        return ""
    bound, gap = lower_bound(problem), lower_bound(problem).gap(measured.latency_ps, backend)
    return f"{microseconds(bound.of(backend))} us, {gap:.1%} below"


def _chips_data(name: str | None) -> dict[str, object]:
    """The chips by name, or the facts of one."""
    if name is None:
        known = {each: load_chip(each) for each in chip_names()}
        return {
            "chips": [
                {"name": each, "cores": chip.n_cores, "description": chip.description}
                for each, chip in known.items()
            ]
        }
    chip = load_chip(name)
    return {
        **{"name": chip.name, "cores": chip.n_cores, "description": chip.description},
        "choices": {key: asdict(choice) for key, choice in chip.choices.items()},
        "constants": {key: asdict(constant) for key, constant in chip.constants.items()},
    }


def _hypotheses_data(name: str | None) -> dict[str, object]:
    """The sets by name, or the chips of one."""
    if name is None:
        sets = [(each, load_hypotheses(each)) for each in hypotheses_names()]
        return {
            "sets": [
                {"name": each, "chips": len(found.members), "description": found.description}
                for each, found in sets
            ]
        }
    found = load_hypotheses(name)
    return {
        "description": found.description,
        "chips": [
            {"name": one.name, "changes": dict(one.changes), "why": one.why}
            for one in found.members
        ],
    }


def _info_data(problem: Problem, measured: Sequence[Measured]) -> dict[str, object]:
    return {
        "benchmark": problem.name,
        "chip": problem.chip.name,
        "cores": problem.topology.n_cores,
        "widths": list(problem.network.widths),
        "densities": list(problem.network.densities),
        "active": list(problem.activity.active),
        "steps": problem.activity.steps,
        "reference": problem.reference,
        "lower_bound_ps": lower_bound(problem).latency_ps,
        "heuristics": {
            name: {
                "cores": mapping.n_logical_cores,
                "latency_ps": result.latency_ps,
                "energy_fj": result.energy_fj,
                "bottleneck": str(result.bottleneck),
            }
            for name, mapping, result in measured
        },
    }


def _measurement_data(
    problem: Problem, backend: str, mapping: Mapping, result: Measurement, reference: Measurement
) -> dict[str, object]:
    return {
        "benchmark": problem.name,
        "backend": backend,
        "mapping": mapping.digest,
        "cores": mapping.n_logical_cores,
        "cores_per_layer": mapping.cores_per_layer.tolist(),
        "latency_ps": result.latency_ps,
        "step_times_ps": list(result.step_times_ps),
        "energy_fj": result.energy_fj,
        "bottleneck": result.bottleneck and str(result.bottleneck),
        "reference_latency_ps": reference.latency_ps,
        "reference_energy_fj": reference.energy_fj,
        "lower_bound_ps": lower_bound(problem).of(backend) if result.counted else None,
        "reduction": 1.0 - result.latency_ps / reference.latency_ps,
    }


def _measurement_table(
    problem: Problem, backend: str, mapping: Mapping, result: Measurement, reference: Measurement
) -> PlainTable:
    rows = table("quantity", "value", title=f"{problem.name} on {backend}", left=(1,))
    steps = " ".join(microseconds(time) for time in result.step_times_ps)
    compared = against_reference(result.latency_ps, reference.latency_ps)
    known = {
        "latency": f"{microseconds(result.latency_ps)} us ({steps} per step), {compared}",
        "reference": f"{microseconds(reference.latency_ps)} us ({problem.reference})",
        "proven lower bound": bound_text(problem, result, backend),
        "energy": _energy_text(result),
        "bottleneck": str(result.bottleneck or ""),
        "cores per layer": " ".join(map(str, mapping.cores_per_layer)),
        **_counts(result),
        "mapping": mapping.digest[:16],
    }
    for name, value in known.items():
        if value:  # what the backend has measured
            rows.add_row(name, value)
    return rows


def _energy_text(result: Measurement) -> str:
    parts = result.energy._asdict().items() if result.energy is not None else ()
    split = " + ".join(f"{fj * 1e-9:.2f} {name.removesuffix('_fj')}" for name, fj in parts)
    return split and f"{microjoules(result)} uJ ({split})"


def _counts(result: Measurement) -> dict[str, str]:
    if result.synops is None or result.messages_out is None or result.messages_in is None:
        return {}
    received = result.messages_in.sum(axis=0)
    return {
        "synaptic operations": f"{int(result.synops.sum()):,}",
        "messages": f"{int(result.messages_out.sum()):,}; most into one core: "
        f"{int(received.max()):,} (logical core {int(received.argmax())})",
    }
