"""A report in Markdown with pictures beside it, and as one HTML file made of that."""

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from ..files import write_bytes, write_text
from ..search.storage import writing

MARKUP = ["autolink", "emphasis", "entity", "escape", "link", "strikethrough"]
"""What Markdown would read into names and options; nothing here means it."""


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells as a table of GitHub's Markdown; the first column names the row."""
    rule = ["---", *["---:"] * (len(columns) - 1)]
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in [columns, rule, *rows]]
    return "\n".join(f"| {line} |" for line in lines)


class Document:
    """A title, blocks of Markdown, and pictures.

    Args:
        title: Plain text.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._blocks = [f"# {title}"]
        self._pictures: dict[str, bytes] = {}

    def add(self, *blocks: str) -> None:
        """Append headings, paragraphs or tables."""
        self._blocks += blocks

    def add_picture(self, name: str, png: bytes, caption: str) -> None:
        """Append a PNG, with what it shows in words."""
        self._pictures[name] = png
        self._blocks.append(f"![{caption}]({quote(name)}.png)")

    def write(self, out: Path, name: str) -> None:
        """Write ``name.md`` with its pictures as files, and ``name.html`` that needs no other file.

        Raises:
            RunError: if one of them cannot be written.
        """
        from markdown_it import MarkdownIt

        text = "\n\n".join(self._blocks) + "\n"
        reader = MarkdownIt("js-default").disable(MARKUP)
        body = re.sub(
            r'<p><img src="([^"]+)\.png" alt="([^"]*)"></p>', self._figure, reader.render(text)
        )
        with writing(out):
            for picture, png in self._pictures.items():
                write_bytes(out / f"{picture}.png", png)
            write_text(out / f"{name}.md", text)
            write_text(
                out / f"{name}.html", _PAGE.format(title=html.escape(self._title), body=body)
            )

    def _figure(self, found: re.Match[str]) -> str:
        name, caption = found.groups()
        data = base64.b64encode(self._pictures[unquote(name)]).decode()
        image = f'<img src="data:image/png;base64,{data}" alt="{caption}">'
        return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d5dae0 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --page: #14171b; --ink: #e7eaee; --soft: #a0a8b2; --line: #343a42 }}
}}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem;
  background: var(--page); color: var(--ink); overflow-wrap: break-word }}
table {{ border-collapse: collapse; display: block; overflow-x: auto }}
th, td {{ padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right }}
th:first-child, td:first-child {{ text-align: left; position: sticky; left: 0;
  background: var(--page) }}
td {{ white-space: nowrap }}
figure {{ margin: 1rem 0 }}
/* Plots are drawn on white, and stay so. */
img {{ max-width: 100%; height: auto; background: #fff; border-radius: 6px }}
figcaption {{ color: var(--soft) }}
</style></head><body>
{body}</body></html>
"""
