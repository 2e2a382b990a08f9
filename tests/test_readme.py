"""Every command and every program in README.md and docs/start.md runs, with a small budget."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXTS = [(ROOT / page).read_text() for page in ("README.md", "docs/start.md")]
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", "\n".join(TEXTS), re.M | re.S)
COMMANDS = [
    line.split("  #")[0].strip()
    for language, block in BLOCKS
    if language == ""
    for line in block.splitlines()
    if line.strip()
]
PROGRAMS = [block for language, block in BLOCKS if language == "python"]
BY_MAKE = {"make demo", "make check", "make test"}
INSTALLS = re.compile(r"python -m pip install \S+")


def test_readme_has_what_this_file_looks_for():
    assert set(COMMANDS) >= BY_MAKE
    assert any(command.startswith("loihi-gym solve map mlp-deep") for command in COMMANDS)
    assert PROGRAMS


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/design.md", "docs/faq.md"])
def test_what_a_page_names_is_there(page):
    """Links, and files of the repository in backquotes."""
    text, where = (ROOT / page).read_text(), (ROOT / page).parent
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [link for link in links if not (where / link).exists()] == []
    named = re.findall(r"`((?:loihi_gym|baselines|tests|docs|perf)/[\w./-]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_first_picture_moves_and_is_small():
    (picture, *_) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXTS[0])
    assert picture.endswith(".gif")
    assert (ROOT / picture).stat().st_size < 1_000_000


def test_make_runs_what_the_readme_says():
    makefile = (ROOT / "Makefile").read_text()
    for target in BY_MAKE:
        assert re.search(rf"^{target.removeprefix('make ')}:", makefile, re.M)
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    demo = next(command for command in COMMANDS if "solve map mlp-deep" in command)
    assert demo.split(" -o")[0] in makefile


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where all commands run, in order: later ones use the files of earlier ones."""
    return tmp_path_factory.mktemp("readme")


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if c not in BY_MAKE and not INSTALLS.fullmatch(c)],
)
def test_command_runs(folder, command):
    small = re.sub(r"--budget(s?) \d+", r"--budget\1 60", command)
    words = shlex.split(small)
    assert words[0] in ("loihi-gym", "tensorboard"), command
    if words[0] == "tensorboard":  # it serves until stopped: ask it for the log's contents
        words = ["tensorboard", "--inspect", *words[1:]]
    program = str(Path(sys.executable).with_name(words[0]))
    done = subprocess.run([program, *words[1:]], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_runs(folder, program):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for said in re.findall(r"# (Outcome\(.*\))$", program, re.M):
        assert said in done.stdout
