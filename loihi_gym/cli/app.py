"""The group of all commands, each imported when it is called."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from .. import __version__
from .endings import ended

COMMANDS = {
    "problems": {
        "list": "List the benchmarks.",
        "info": "Show a benchmark's layers, capacity and standard heuristics.",
        "chips": "List the chips, or the constants of one with their sources.",
        "hypotheses": "List the sets of plausible chips, or the chips of one.",
        "evaluate": "Measure a mapping.",
        "render": "Draw a mapping, or two side by side: layers as colours, loads as heat.",
    },
    "search": {
        "solvers": "List the solvers and their options.",
        "solve": "Search for a fast mapping of a benchmark with a solver.",
        "map": "Find a fast mapping of a network of your own, or of a benchmark.",
    },
    "pretrain": {"pretrain": "Train what a learning solver begins with."},
    "replay": {"replay": "Animate what a search or an agent went through."},
    "play": {"play": "Move a network's pieces by hand, in a browser, against a search."},
    "compare": {
        "compare": "Run every solver on every problem of a suite; write a report.",
        "report": "Write the report of a comparison again.",
        "archive": "Pack what the report of a comparison needs.",
        "tensorboard": "Show runs side by side in TensorBoard.",
    },
    "study": {"reproduce": "Run a published study again, in simulation."},
    "rankings": {
        "robustness": "Tell how much worse mappings are if the chip is another plausible one.",
        "compare-backends": "Measure the same mappings with several backends.",
    },
    "lava": {
        "lava": "Set up Lava, Intel's framework, and test it.",
        "verify": "Run a benchmark in Lava and here; compare every message.",
    },
    "leaderboard": {"leaderboard": "Submit mappings, not scores: pack, check, build, reproduce."},
    "networks": {
        "import": "Make a problem of a network file: netx, NIR, ONNX, PyTorch, ...",
        "export": "Write the core lists of a mapping's layers.",
    },
    "serve": {"serve": "Measure mappings for clients on other machines."},
    "calibrate": {
        "probe": "Design probes that tell how a chip is built and what its constants are.",
        "measure": "Measure mappings, or probes, to calibrate a chip by.",
        "calibrate": "Fit a chip to measurements: how it is built, and its constants.",
    },
    "validate": {
        "validate": "Simulate the public figures of Loihi 2 in silicon with a chip file.",
    },
}
"""Module of this package: its commands, each with its line in `--help`."""


SECTIONS = {
    "Map a network": ("map", "import", "export", "play"),
    "Look at benchmarks, chips and mappings": (
        *("list", "info", "chips", "hypotheses", "evaluate", "render"),
    ),
    "Search": ("solvers", "solve", "pretrain", "replay"),
    "Compare": (
        *("compare", "report", "archive", "tensorboard"),
        *("robustness", "compare-backends", "reproduce"),
    ),
    "Submit to the leaderboard": ("leaderboard",),
    "Use Lava, a board or another machine": (
        *("lava", "verify", "serve", "probe", "measure", "calibrate", "validate"),
    ),
}
"""The commands as `--help` groups them: what a newcomer needs first."""
QUIET = "loihi_gym.quiet"
"""Where a command's context keeps that it was called with ``--quiet``."""


def _hush(context: click.Context, _: click.Parameter, value: bool) -> None:
    context.meta[QUIET] = value


class QuietCommand(click.Command):
    """A command that can be told to print its result and nothing else."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own, and ``--quiet`` before ``--help``."""
        *own, helping = super().get_params(ctx)
        text = "Show no progress, only the result and errors."
        quiet = click.Option(
            ["-q", "--quiet"], is_flag=True, expose_value=False, callback=_hush, help=text
        )
        return [*own, quiet, helping]


class Commands(click.Group):
    """A group that lists its commands in the order they were added, and helps if none is named."""

    command_class = QuietCommand

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in order of definition."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; without any, those that ask for help."""
        return super().parse_args(ctx, args if args or ctx.resilient_parsing else ["--help"])


class AllCommands(Commands):
    """The root: importing every command would take a second, so only the called one is."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by section, each with its sentence."""
        width = max(map(len, self.commands))
        for section, names in SECTIONS.items():
            with formatter.section(section):
                rows = [(name, self.commands[name].short_help or "") for name in names]
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The called command, imported."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            (module,) = (module for module, helps in COMMANDS.items() if name in helps)
            import_module(f".{module}", __package__)  # which puts the real command in its place
            command = self.commands[name]
        return name, command, rest


@click.group(
    cls=AllCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: loihi-gym map mlp-xs --budget 300. Every command has --help, with an example.",
)
@click.version_option(__version__, prog_name="loihi-gym")
def app() -> None:
    """Map sparse neural networks onto Intel's Loihi 2, in simulation or on hardware."""


for _helps in COMMANDS.values():
    for _name, _help in _helps.items():
        app.add_command(click.Command(_name, short_help=_help))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 if all went well, 2 after bad input, 130 if interrupted."""
    sys.exit(ended(lambda: app.main(arguments, "loihi-gym", standalone_mode=False)))
