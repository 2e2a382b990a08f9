"""What a release says of itself: one version, a changelog, a citation, forms that can be read."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import loihi_gym
from loihi_gym.cli.app import COMMANDS
from loihi_gym.errors import TORCH, install_hint

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / ".github").glob("*.md")]
)
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text()


def test_the_version_stands_in_one_place():
    assert PROJECT["project"]["dynamic"] == ["readme", "version"]
    path = ROOT / PROJECT["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{loihi_gym.__version__}"' in path.read_text()


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == loihi_gym.__version__
    assert cited["license"] == PROJECT["project"]["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert f"version = {{{loihi_gym.__version__}}}" in (ROOT / "docs" / "cite.md").read_text()


def test_the_changelog_knows_this_version_and_what_is_to_come():
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert versions[0] == "Unreleased"
    assert loihi_gym.__version__ in versions
    kinds = set(re.findall(r"^### (\w+)", (ROOT / "CHANGELOG.md").read_text(), re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_something(form):
    data = yaml.safe_load(form.read_text())
    if form.stem == "config":
        return
    assert data["name"]
    assert data["description"]
    fields = [part for part in data["body"] if part["type"] != "markdown"]
    assert any(part.get("validations", {}).get("required") for part in fields)
    assert len({part["id"] for part in fields}) == len(fields)
    assert all(part["attributes"]["label"] for part in fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_extras_are_there_and_quoted_for_zsh(page):
    text = page.read_text()
    assert re.findall(r"""pip install [^"'\n`]*\[""", text) == []
    asked = re.findall(r'pip install "[\w.-]+\[([\w,]+)\]"', text)
    extras = {extra for group in asked for extra in group.split(",")}
    assert extras <= set(PROJECT["project"]["optional-dependencies"])


def test_hints_of_errors_name_extras_that_are_there_in_quotes():
    code = "\n".join(path.read_text() for path in (ROOT / "loihi_gym").rglob("*.py"))
    assert re.findall(r"pip install loihi-gym\[", code) == []
    asked = set(re.findall(r'pip install "loihi-gym\[(\w+)\]"', code))
    assert len(asked) >= 4
    assert asked <= set(PROJECT["project"]["optional-dependencies"])


def test_hints_say_how_to_avoid_gigabytes():
    assert install_hint("plot") == 'pip install "loihi-gym[plot]"'
    for extra in TORCH:
        assert any(name in str(EXTRAS[extra]) for name in ("torch", "stable-baselines3"))
        assert "CPU build first" in install_hint(extra)


def test_every_extra_is_tried_alone(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    tried = import_module("try_wheel")
    asked = set(PROJECT["project"]["optional-dependencies"]) - {"dev", "docs", "perf"}
    assert set(tried.EXTRAS) == asked
    assert set(tried.REFUSED) <= asked
    commands = {name for names in COMMANDS.values() for name in names}
    for command in [*sum(tried.EXTRAS.values(), ()), *tried.REFUSED.values(), *tried.QUICK_START]:
        if command[0] == tried.CLI and not command[1].startswith("-"):
            assert command[1] in commands


def test_no_extra_promises_lava_and_the_help_says_how(capsys):
    assert "lava" not in PROJECT["project"]["optional-dependencies"]
    with pytest.raises(SystemExit):
        loihi_gym_main(["lava", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "Python 3.10 alone, so no extra of this package can install it" in said


def loihi_gym_main(words: list[str]) -> None:
    from loihi_gym.cli import main

    main(words)


def test_the_page_of_the_command_line_names_commands_and_completion():
    named = set(re.findall(r"`loihi-gym ([a-z-]+)", COMMAND_LINE)) - {"--help"}
    assert named <= {name for names in COMMANDS.values() for name in names}
    for shell in ("bash", "zsh", "fish"):
        assert f"_LOIHI_GYM_COMPLETE={shell}_source loihi-gym" in COMMAND_LINE


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_made_as_the_page_says(capsys, monkeypatch, shell):
    monkeypatch.setenv("_LOIHI_GYM_COMPLETE", f"{shell}_source")
    with pytest.raises(SystemExit):
        loihi_gym_main([])
    assert "_LOIHI_GYM_COMPLETE" in capsys.readouterr().out


def test_links_of_the_pages_lead_somewhere():
    for page in PAGES:
        links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text())
        assert [link for link in links if not (page.parent / link).exists()] == [], page.name
