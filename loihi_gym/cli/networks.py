"""Commands for networks of one's own: import them, export mappings of them."""

from pathlib import Path

import click

from ..benchmarks import load
from ..errors import LoihiGymError
from ..files import write_text
from .app import app
from .problems import read_mapping


@app.command("import", epilog="Example: loihi-gym import net.nir -o mine.npz --activity spikes.npy")
@click.argument("network", metavar="FILE")
@click.option("-o", "--output", required=True, metavar="PROBLEM.npz", help="Problem to write.")
@click.option("--activity", metavar="INPUTS.npy", help="Input samples, one row per time step.")
@click.option(
    "--chip", default="loihi2", show_default=True, metavar="NAME", help="Where to map it."
)
@click.option("--steps", default=4, show_default=True, help="Time steps to record.")
@click.option(
    "--dt", type=float, default=1e-4, show_default=True, help="Time step of NIR, seconds."
)
def import_network(
    network: str, output: str, activity: str | None, chip: str, steps: int, dt: float
) -> None:
    """Make a problem of a network FILE: .net (netx), .nir, .pt (PyTorch) or .npz."""
    from ..benchmarks.importing import import_problem, read_activity
    from ..mapping import save_problem

    if not output.endswith(".npz"):
        raise LoihiGymError(f"-o {output}: a problem file's name ends in .npz")
    samples = None if activity is None else read_activity(activity)
    problem, notes = import_problem(network, samples, chip, steps, Path(output).stem, dt)
    save_problem(output, problem)
    widths = "-".join(map(str, problem.network.widths))
    click.echo(f"{problem.name}: {widths}, {problem.network.synapses:,} synapses")
    for note in notes:
        click.echo(f"note: {note}")
    active = " ".join(f"{part:.1%}" for part in problem.activity.active)
    click.echo(f"active per layer: {active}; reference: {problem.reference}")
    click.echo(f"wrote {output}; see: loihi-gym info {output}")


@app.command(epilog="Example: loihi-gym export runs/mlp-xs/ga-seed0/mapping.json -o cores.csv")
@click.argument("mapping", metavar="MAPPING")
@click.argument("name", metavar="BENCHMARK", required=False)
@click.option("-o", "--output", required=True, metavar="FILE", help="Core lists: .json or .csv.")
def export(mapping: str, name: str | None, output: str) -> None:
    """Write the (chip, core) lists of MAPPING's layers, a file or a heuristic's name.

    BENCHMARK may be left out for the mapping.json of a run, which knows what it is of.
    """
    from ..mapping.export import core_csv, core_json
    from ..search.run import read_config

    writers = {".csv": core_csv, ".json": core_json}
    if Path(output).suffix not in writers:
        raise LoihiGymError(f"-o {output}: it must end in .csv or .json")
    problem = load(name or read_config(Path(mapping).parent).benchmark)
    chosen = read_mapping(problem, mapping)
    write_text(output, writers[Path(output).suffix](problem, chosen))
    click.echo(f"wrote {output}: {chosen.n_logical_cores} cores in {problem.n_layers} layers")
