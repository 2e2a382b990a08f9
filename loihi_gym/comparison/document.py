"""A report as blocks, written as Markdown with pictures beside it or as one HTML file."""

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..files import write_bytes, write_text
from ..search.storage import writing


@dataclass(frozen=True)
class Heading:
    """A section's title."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """Plain text, with code in backticks."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column names the row."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A PNG, with what it shows in words."""

    name: str
    png: bytes
    caption: str


Block = Heading | Paragraph | Table | Picture


@dataclass
class Document:
    """A title and blocks in order."""

    title: str
    blocks: list[Block] = field(default_factory=list)

    def add(self, *blocks: Block) -> None:
        """Append blocks."""
        self.blocks += blocks

    def write(self, out: Path, name: str) -> None:
        """Write ``name.md`` with its pictures as files, and ``name.html`` that holds all.

        Raises:
            RunError: if one of them cannot be written.
        """
        with writing(out):
            for block in self.blocks:
                if isinstance(block, Picture):
                    write_bytes(out / f"{block.name}.png", block.png)
            write_text(out / f"{name}.md", self.to_markdown())
            write_text(out / f"{name}.html", self.to_html())

    def to_markdown(self) -> str:
        """GitHub's Markdown."""
        return "\n\n".join([f"# {self.title}", *(_markdown(block) for block in self.blocks)]) + "\n"

    def to_html(self) -> str:
        """A page that needs no other file."""
        body = "\n".join(_html(block) for block in self.blocks)
        title = html.escape(self.title)
        return _PAGE.format(title=title, body=body)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto }}
table {{ border-collapse: collapse; display: block; overflow-x: auto }}
th, td {{ padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: right }}
th:first-child, td:first-child {{ text-align: left }}
td {{ white-space: nowrap }}
img {{ max-width: 100% }} figcaption {{ color: #555 }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"## {block.text}"
    if isinstance(block, Paragraph):
        return block.text
    if isinstance(block, Picture):
        return f"![{block.caption}]({block.name}.png)"
    rule = ["---", *["---:"] * (len(block.columns) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [block.columns, rule, *block.rows])


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h2>{html.escape(block.text)}</h2>"
    if isinstance(block, Paragraph):
        return re.sub("`(.+?)`", r"<code>\1</code>", f"<p>{html.escape(block.text)}</p>")
    if isinstance(block, Picture):
        data = base64.b64encode(block.png).decode()
        caption = html.escape(block.caption)
        image = f'<img src="data:image/png;base64,{data}" alt="{caption}">'
        return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in block.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in block.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
