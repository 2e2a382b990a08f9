"""How Sphinx makes the site of the pages that are here. `make site` builds it into build/site.

The source folder is the repository's root, so that a link from one page to another, or to a file
of the code, is the same on a forge and on the site.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "baselines")]

import loihi_gym  # noqa: E402

project = "loihi_gym"
author = "The loihi_gym developers"
copyright = "The loihi_gym developers, MIT licence"
version = release = loihi_gym.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "docs/index"
source_suffix = {".md": "markdown", ".ipynb": "notebook"}
include_patterns = ["docs/**.md", "docs/notebooks/*.ipynb", "leaderboard/**.md"]
include_patterns += ["baselines/README.md", "C*.md", "SECURITY.md"]
exclude_patterns = [".*", "build", "dist", "runs", "tests", "loihi_gym", "leaderboard/submissions"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

default_role = "py:obj"  # single backquotes in a docstring: a link where it names something
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_mock_imports = ["stable_baselines3"]  # brings torch, for one page
autodoc_default_options = {"members": True, "imported-members": True}
napoleon_use_ivar = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = f"loihi_gym {version}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = ["root"]
html_copy_source = False
html_show_sphinx = False

ARRAY = re.compile(r"numpy\.ndarray\[tuple\[.*?\], numpy\.dtype\[(?:numpy\.)?([\w.]+)\]\]")
BUTTON = re.compile(r"!\[Open in Colab\]\([^)]*\)")
"""A picture of another host, which pages do not load."""
BOARD = Path("leaderboard/site/index.html")
"""The board as a page, which is no page of Sphinx's."""


def name_arrays(app: Sphinx, domain: str, kind: str, content: nodes.Element) -> None:
    """Say `int64 array` where an annotation spells out what that is to a type checker."""
    for text in list(content.findall(nodes.Text)):
        if ARRAY.search(text):
            text.parent.replace(text, nodes.Text(ARRAY.sub(r"\1 array", text)))


def keep_sentence(app: Sphinx, kind: str, name: str, obj: Any, _: Any, lines: list[str]) -> None:
    """Put back what Napoleon took for an attribute's type, since a colon came after it."""
    taken = [line for line in lines if line.startswith(":type: ")]
    if taken and kind in ("attribute", "data", "property"):
        lines.remove(taken[0])
        lines[0] = f"{taken[0].removeprefix(':type: ')}: {lines[0]}"


def skip_fields(app: Sphinx, kind: str, name: str, obj: Any, skip: bool, _: Any) -> bool | None:
    """Leave out what a named tuple says of its fields: the class says more."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field") else None


def add_board(app: Sphinx, failure: Exception | None) -> None:
    """Put the board where it is in the repository, with links to pages of the site."""
    if failure is None:
        page = (ROOT / BOARD).read_text(encoding="utf-8")
        page = page.replace('href="../../README.md"', 'href="../../docs/index.html"')
        target = Path(app.outdir) / BOARD
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            re.sub(r'href="(\.\./\w+)\.md"', r'href="\1.html"', page), encoding="utf-8"
        )


class NotebookParser(MystParser):
    """Shows a notebook's cells, without running them: a test does that."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Parse the page that the cells make."""
        parts = [cell_text(cell) for cell in json.loads(inputstring)["cells"]]
        name = Path(document["source"]).name
        parts.insert(1, f"Download {{download}}`{name}`, or read it here.")
        super().parse("\n\n".join(parts), document)


def cell_text(cell: dict[str, Any]) -> str:
    """A cell in Markdown."""
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return BUTTON.sub("Open in Colab", text)
    language = "text" if re.search(r"^\s*[!%]", text, re.M) else "python"
    return f"```{language}\n{text}\n```"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect these."""
    app.add_source_parser(NotebookParser)
    app.connect("autodoc-process-docstring", keep_sentence, priority=600)
    app.connect("autodoc-skip-member", skip_fields)
    for fields in PyObject.doc_field_types:
        fields.label = "Attributes" if fields.name == "variable" else fields.label
    app.connect("object-description-transform", name_arrays, priority=900)
    app.connect("build-finished", add_board)
    return {"parallel_read_safe": True}
