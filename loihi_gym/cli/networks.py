"""Commands for networks of one's own: import them, export mappings of them."""

from pathlib import Path

import click

from ..benchmarks import load
from ..files import write_text
from . import options
from .app import app
from .output import show, show_json
from .progress import patience


@app.command("import", epilog="Example: loihi-gym import net.nir -o mine.npz --activity spikes.npy")
@click.argument("network", metavar="FILE")
@options.output("PROBLEM.npz", "Problem to write.", ".npz")
@options.activity
@options.chip
@options.steps
@options.window
@options.time_step
@options.layers
@options.json
def import_network(
    network: str,
    output: str,
    activity: str | None,
    chip: str,
    steps: int,
    first: int | None,
    dt: float | None,
    layers: str | None,
    as_json: bool,
) -> None:
    """Make a problem of a network FILE.

    .net (netx), .nir, .onnx, .safetensors, .pt, .pth or .ckpt (PyTorch), or .npz.
    """
    from ..benchmarks.importing import import_problem, read_activity
    from ..mapping import save_problem
    from ..network.readers.layer_table import read_table

    samples = None if activity is None else read_activity(activity)
    with patience(f"importing {network}") as doing:
        problem, notes = import_problem(
            *(network, samples, chip, steps, Path(output).stem, dt, first, doing),
            table=None if layers is None else read_table(layers),
        )
        doing("writing the problem")
        save_problem(output, problem)
    if as_json:
        show_json(
            {
                "problem": output,
                "widths": list(problem.network.widths),
                "synapses": problem.network.synapses,
                "active": list(problem.activity.active),
                "reference": problem.reference,
                "notes": list(notes),
            }
        )
        return
    widths = "-".join(map(str, problem.network.widths))
    active = " ".join(f"{part:.1%}" for part in problem.activity.active)
    show(
        f"{problem.name}: {widths}, {problem.network.synapses:,} synapses",
        *noted(notes),
        f"active per layer: {active}; reference: {problem.reference}",
        f"wrote {output}; see: loihi-gym info {output}",
    )


def noted(notes: tuple[str, ...]) -> list[str]:
    """An import's notes as lines; warnings say themselves what they are."""
    from ..benchmarks.importing import WARNING

    return [note if note.startswith(WARNING) else f"note: {note}" for note in notes]


@app.command(
    epilog="Example: loihi-gym export mlp-xs packed/hilbert -o cores.csv. "
    "Of a run: loihi-gym export runs/mlp-xs/ga-seed0/mapping.json -o cores.csv"
)
@click.argument("words", metavar="[BENCHMARK] MAPPING", nargs=-1, required=True)
@options.output("FILE", "Core lists: .csv or .json.", ".csv", ".json")
@options.json
def export(words: tuple[str, ...], output: str, as_json: bool) -> None:
    """Write the (chip, core) lists of MAPPING's layers, a file or a heuristic's name.

    BENCHMARK may be left out for the mapping.json of a run, which knows what it is of.
    """
    from ..mapping.export import core_csv, core_json
    from ..search.run import read_config

    if len(words) > 2:
        raise click.UsageError("Give BENCHMARK and MAPPING, or MAPPING alone.")
    *names, mapping = words
    problem = load(names[0] if names else read_config(Path(mapping).parent).benchmark)
    chosen = options.read_mapping(problem, mapping)
    text = core_csv if output.lower().endswith(".csv") else core_json
    write_text(output, text(problem, chosen))
    if as_json:
        cores = chosen.n_logical_cores
        show_json({"output": output, "cores": cores, "layers": problem.n_layers})
        return
    show(f"wrote {output}: {chosen.n_logical_cores} cores in {problem.n_layers} layers")
