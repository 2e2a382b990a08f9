"""The container's files say what can be had here; tests of the package hold what they rely on.

`tests/test_package.py` runs the package where nothing can be written. The image itself is built
by a workflow.
"""

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEVCONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())


def test_the_image_ends_as_a_user_without_rights():
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER (?!root|0\b)\w+$.*^ENTRYPOINT", last, re.M | re.S)
    (user,) = re.findall(r"^USER (\w+)$", last, re.M)
    assert f"useradd --create-home {user}" in last


def test_what_is_copied_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    kept = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.M)
    names = {name for group in copied for name in group.split()}
    assert {name for name in names if not (ROOT / name).exists()} == set()
    assert {name for name in names if not any(fnmatch(name, one) for one in kept)} == set()
    built = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {path.strip("/").split("/")[0] for path in built} <= names


def test_the_image_has_extras_that_are_there_and_a_python_that_is_tested():
    (extras,) = re.findall(r"\.whl\)\[([\w,]+)\]", DOCKERFILE)
    assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])
    tested = [one.split(":: ")[-1] for one in PROJECT["project"]["classifiers"]]
    assert set(re.findall(r"FROM python:(3\.\d+)-slim", DOCKERFILE)) <= set(tested)
    assert re.search(r"python:(3\.\d+)-", DEVCONTAINER["image"]).group(1) in tested


def test_the_devcontainer_makes_what_make_knows():
    (target,) = re.findall(r"make (\S+)$", DEVCONTAINER["postCreateCommand"])
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()
    assert DEVCONTAINER["remoteUser"] != "root"
