import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.shell_completion import ShellComplete

from loihi_gym.cli.app import COMMANDS, SECTIONS, app

HEAVY = ("gymnasium", "matplotlib", "numba", "numpy", "rich", "scipy")


def loaded(code: str) -> str:
    code += f"; import sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_help_imports_no_library():
    code = "from loihi_gym.cli.app import app; app(['--help'], standalone_mode=False)"
    assert loaded(code) == "[]"


def test_completing_a_commands_name_imports_no_library():
    code = (
        "from click.shell_completion import ShellComplete; from loihi_gym.cli.app import app; "
        "print(ShellComplete(app, {}, 'loihi-gym', 'X').get_completions([], 'so'))"
    )
    assert loaded(code) == "[]"


def test_commands_and_their_options_are_completed():
    shell = ShellComplete(app, {}, "loihi-gym", "_LOIHI_GYM_COMPLETE")

    def completions(words: list[str], begun: str) -> list[str]:
        return [item.value for item in shell.get_completions(words, begun)]

    assert completions([], "sol") == ["solvers", "solve"]
    assert "--budget" in completions(["solve"], "--")
    assert completions(["leaderboard"], "ch") == ["check", "changed"]


@pytest.mark.parametrize("name", [name for names in COMMANDS.values() for name in names])
def test_every_announced_command_is_there_with_help(run, name):
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: loihi-gym {name}")


def test_every_command_is_announced():
    for module in COMMANDS:
        import_module(f"loihi_gym.cli.{module}")
    assert list(app.commands) == [name for names in COMMANDS.values() for name in names]
    assert all(each.callback for each in app.commands.values())


@pytest.mark.parametrize("words", [[], ["lava"], ["leaderboard"]])
def test_without_a_command_help_is_help(run, words):
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert out == run(*words, "--help")[1]
    assert out.count("\n") > 5


def test_a_mistyped_command_is_guessed(run):
    assert "Did you mean 'info'?" in run("infp")[2]


def test_options_say_what_they_are():
    for name in (name for names in COMMANDS.values() for name in names):
        _, command, _ = app.resolve_command(click.Context(app), [name])
        subcommands = command.commands.values() if isinstance(command, click.Group) else [command]
        for each in subcommands:
            for option in each.params:
                assert isinstance(option, click.Argument) or option.help, (name, option.name)
                assert not (getattr(option, "help", "") or "").startswith("Of "), option.name


def test_help_has_every_command_once_with_a_whole_sentence(run):
    out = run("--help")[1]
    grouped = [name for names in SECTIONS.values() for name in names]
    assert sorted(grouped) == sorted(app.commands)
    for section in SECTIONS:
        assert f"\n{section}:\n" in out
    for helps in COMMANDS.values():
        assert all(text[0].isupper() and text.endswith(".") for text in helps.values())
    assert all(
        sum(line.split()[:1] == [name] for line in out.splitlines()) == 1 for name in grouped
    )


def leaves() -> list[click.Command]:
    found = []
    for name in (name for names in COMMANDS.values() for name in names):
        _, command, _ = app.resolve_command(click.Context(app), [name])
        found += command.commands.values() if isinstance(command, click.Group) else [command]
    return found


def options_of(command: click.Command) -> set[str]:
    params = command.get_params(click.Context(command))
    return {flag for param in params for flag in param.opts if isinstance(param, click.Option)}


def test_a_benchmark_is_named_before_a_mapping():
    for command in leaves():
        words = [each.metavar for each in command.params if isinstance(each, click.Argument)]
        order = [("MAPPING" in word, "BENCHMARK" in word) for word in words if word]
        assert order == sorted(order) or order == [(True, True)], command.name


SILENT = {"tensorboard", "serve", "play", "install", "doctor"}
BOARD = {"check", "build", "reproduce", "changed", "freeze"}


def test_what_makes_something_says_it_as_json_too():
    for command in leaves():
        if command.name not in SILENT | BOARD:
            assert "--json" in options_of(command), command.name
        assert "--quiet" in options_of(command)
