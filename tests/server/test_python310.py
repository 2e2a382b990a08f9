"""A server may run on Python 3.10: nothing it imports may need what came later."""

import ast
from pathlib import Path

import pytest

import baselines
import loihi_gym

ROOT = Path(loihi_gym.__file__).parents[1]
FILES = sorted(
    path
    for package in (loihi_gym, baselines)
    for path in Path(package.__file__).parent.rglob("*.py")
)
LATER = {
    "typing": {
        "Self",
        "Never",
        "LiteralString",
        "Required",
        "NotRequired",
        "assert_never",
        "override",
    },
    "enum": {"StrEnum"},
    "datetime": {"UTC"},
    "asyncio": {"timeout", "TaskGroup", "Runner"},
}


def imports(tree: ast.Module) -> set[tuple[str, str]]:
    """(module, name) of what a file imports when it is run, not when its types are checked."""
    found = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        if isinstance(node, ast.ImportFrom) and not node.level:
            found |= {(node.module, alias.name) for alias in node.names}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add((node.value.id, node.attr))
        waiting += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_would_run_on_python_3_10(path):
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10))
    for module, name in imports(tree):
        assert name not in LATER.get(module, ()), f"{module}.{name} came after Python 3.10"
        if path.name != "toml.py":
            assert module != "tomllib", "tomllib came with Python 3.11: use loihi_gym.toml"
