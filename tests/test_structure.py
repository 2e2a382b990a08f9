"""The shape of the code: names that stand once, and imports that go one way."""

import ast
import importlib
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import loihi_gym_baselines
import pytest

import loihi_gym

PACKAGES = (loihi_gym, loihi_gym_baselines)
SHARED = {"__init__", "__main__", "main"}
"""File names that several folders may have."""


def files() -> dict[str, Path]:
    """Every module of the product, by its dotted name."""
    found = {}
    for package in PACKAGES:
        root = Path(str(package.__file__)).parent
        for path in root.rglob("*.py"):
            parts = [package.__name__, *path.relative_to(root).with_suffix("").parts]
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


FILES = files()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def public() -> list[str]:
    """Modules that can be imported here; workers run in a Python of their own."""
    return sorted(
        module
        for module in FILES
        if not any(part.startswith("_") for part in module.split("."))
        and not module.endswith("_worker")
        and ".lava.worker." not in f"{module}."
    )


def package_of(module: str) -> str:
    """What a module's relative imports start from."""
    return module if FILES[module].stem == "__init__" else module.rpartition(".")[0]


def imports(module: str) -> set[str]:
    """The product's modules that a module names in any import, at its top or in a function."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package_of(module).split(".")
                base = ".".join([*above[: len(above) - node.level + 1], *filter(None, [base])])
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                found.add(submodule if submodule in FILES else base)
    return {name for name in found if name in FILES} - {module}


@pytest.mark.parametrize("module", public())
def test_no_name_of_a_package_hides_a_submodule(module):
    """`import a.b.c as m` takes c from the attributes of a.b, and so must find the module there."""
    found = importlib.import_module(module)
    reached = importlib.import_module(module.partition(".")[0])
    for part in module.split(".")[1:]:
        reached = getattr(reached, part)
    assert reached is found


def test_no_class_name_stands_twice():
    places = defaultdict(list)
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_module_name_stands_twice():
    places = defaultdict(list)
    for module, path in FILES.items():
        if path.stem not in SHARED:
            places[path.stem].append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_imports_go_round():
    """Neither at the top of modules nor within functions."""
    graph = {module: imports(module) for module in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("imports go round: " + " <- ".join(error.args[1]))
