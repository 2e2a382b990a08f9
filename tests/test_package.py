"""The package as a user gets it: light to import, built as a wheel, run outside the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import loihi_gym
from tests.pythons import fresh_python, install, said

ROOT = Path(__file__).parent.parent
ADDRESS = "https://forge.example/somebody/loihi_gym"
HEAVY = (
    *("torch", "pygad", "matplotlib", "stable_baselines3", "sb3_contrib", "tensorboard"),
    *("fastapi", "uvicorn", "httpx", "lava", "sanafe", "h5py", "nir", "ray", "sklearn", "mlxtend"),
)


def test_the_import_is_light():
    code = f"import loihi_gym, sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_twice_registers_once():
    code = (
        "import importlib, gymnasium, loihi_gym; importlib.reload(loihi_gym); "
        "print('LoihiPlace-v0' in gymnasium.registry)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True)
    assert done.stdout.strip() == b"True", done.stderr


def test_what_a_star_would_import_is_there_and_typed():
    assert {"solve", "Outcome"} <= set(loihi_gym.__all__)
    assert all(getattr(loihi_gym, name) is not None for name in loihi_gym.__all__)
    assert (ROOT / "loihi_gym" / "py.typed").exists()


@dataclass(frozen=True)
class Built:
    """What an index of packages would get: the sdist, and the wheel that is made of it."""

    clone: Path
    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    """Of a folder with what a fresh clone has."""
    folder = tmp_path_factory.mktemp("built")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).exists() and not name.startswith(("leaderboard/", "docs/", "tests/")):
            (folder / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "clone" / name)
    described = folder / "clone" / "pyproject.toml"
    text = described.read_text()
    described.write_text(
        text.replace("[project.urls]", f'[project.urls]\nRepository = "{ADDRESS}"')
    )
    build = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder / "clone")]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,) = (folder / "dist").glob("*.whl")
    return Built(folder / "clone", sdist, wheel)


@pytest.fixture(scope="module")
def python(built, tmp_path_factory) -> Path:
    """An interpreter with the wheel installed."""
    python = fresh_python(tmp_path_factory.mktemp("clean"))
    install(python, built.wheel)
    return python


def sources(clone: Path) -> set[str]:
    """Every file of the two packages, as it is called where it is installed."""
    roots = [(clone, "loihi_gym"), (clone / "baselines", "loihi_gym_baselines")]
    return {
        path.relative_to(root).as_posix()
        for root, package in roots
        for path in (root / package).rglob("*")
        if path.is_file()
    }


def test_the_wheel_of_the_sdist_has_the_two_packages_and_no_other(built):
    with zipfile.ZipFile(built.wheel) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == sources(built.clone)
    assert {name.split("/")[0] for name in names} == {"loihi_gym", "loihi_gym_baselines"}


def test_the_sdist_has_what_builds_and_no_more(built):
    with tarfile.open(built.sdist) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames()}
    around = {name for name in names if not name.startswith(("loihi_gym/", "baselines/"))}
    said = {"README.md", "hatch_build.py", "LICENSE", "CHANGELOG.md", "CITATION.cff"}
    assert around == said | {"pyproject.toml", "PKG-INFO", ".gitignore"}
    assert {name.removeprefix("baselines/") for name in names - around} == sources(built.clone)


def pages(built: Built) -> list[str]:
    """What the index shows of the sdist and of the wheel."""
    with tarfile.open(built.sdist) as sdist, zipfile.ZipFile(built.wheel) as wheel:
        (stated,) = (name for name in sdist.getnames() if name.endswith("/PKG-INFO"))
        (metadata,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
        texts = sdist.extractfile(stated).read(), wheel.read(metadata)
    return [text.decode().split("\n\n", 1)[1] for text in texts]


def test_the_index_shows_the_readme_with_pictures_that_are_there(built):
    """The clone was given an address: every link and picture is absolute, and of a file here."""
    for page in pages(built):
        targets = re.findall(r"\]\(([^)\s]+)\)", page)
        assert all(target.startswith("https://") for target in targets)
        ours = [path for path in targets if path.startswith(ADDRESS)]
        pictures = [path for path in ours if "/raw/" in path]
        assert any(path.endswith(".gif") for path in pictures)
        for path in ours:
            kind, branch, name = path.removeprefix(f"{ADDRESS}/").split("/", 2)
            assert (kind, branch) in {("raw", "main"), ("blob", "main")}
            assert (ROOT / name.split("#")[0]).is_file(), path


def test_the_wheel_solves_outside_the_checkout(python, tmp_path):
    words = ["solve", "ga", "mlp-xs", "--budget", "200", "--json"]
    printed = said([str(python.with_name("loihi-gym")), *words], tmp_path)
    result = json.loads(printed.splitlines()[-1])
    assert result["evaluations"] == 200
    assert result["reduction"] >= 0
    assert (tmp_path / "runs" / "mlp-xs" / "ga-seed0" / "mapping.json").exists()


def test_folders_that_are_called_as_ours_change_nothing(python, tmp_path):
    """`python -m` and `-c` look in the current directory first."""
    for name in ("baselines", "loihi", "lava", "runs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong package')\n")
    program = "import loihi_gym, loihi_gym_baselines.ga; print(loihi_gym.__file__)"
    commands = [
        [str(python), "-c", program],
        [str(python), "-m", "loihi_gym.cli", "solvers"],
        [str(python.with_name("loihi-gym")), "solvers"],
    ]
    found, *listed = [said(words, tmp_path) for words in commands]
    assert found.startswith(str(python.parents[1]))
    assert listed[0] == listed[1]
    assert "nested-es" in listed[0]


@contextmanager
def locked(*folders: Path) -> Iterator[None]:
    """Nobody may write there, meanwhile."""
    paths = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    modes = {path: path.stat().st_mode for path in paths if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def powerless() -> list[str]:
    """What goes before a command so that modes of files hold for root, too."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv to take that from it")
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]


def test_it_runs_where_nothing_can_be_written(python, tmp_path):
    """As in a container that is read-only: no home, no cache, the package itself locked."""
    place = tmp_path / "place"
    place.mkdir()
    program = str(python.with_name("loihi-gym"))
    settings = {"PATH": os.environ["PATH"], "HOME": str(place / "home"), "TMPDIR": str(place)}
    ran = {}
    with locked(python.parents[1], place):
        for command in ("list", "evaluate mlp-xs packed/hilbert", "solve ga mlp-xs --budget 60"):
            words = [*powerless(), program, *command.split()]
            ran[command.split()[0]] = subprocess.run(
                words, cwd=place, env=settings, capture_output=True, text=True
            )
    assert ran["list"].returncode == ran["evaluate"].returncode == 0, ran["evaluate"].stderr
    assert "mlp-xs on mesh" in ran["evaluate"].stdout
    assert ran["solve"].returncode == 2, ran["solve"].stderr
    assert "runs" in ran["solve"].stderr.splitlines()[-1]
    assert list(place.iterdir()) == []
