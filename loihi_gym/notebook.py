"""Tables that notebooks show of an object, as HTML; they have the notebook's own looks."""

from collections.abc import Sequence
from html import escape

from .errors import one_line

LONGEST_TEXT = 200


def html_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], note: str = ""
) -> str:
    """A table with a title above and a note below; whatever the texts hold stays text."""
    head = "".join(f"<th>{_text(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p><b>{_text(title)}</b></p>{table}" + (f"<p>{_text(note)}</p>" if note else "")


def _text(value: object) -> str:
    return escape(one_line(value, LONGEST_TEXT))
