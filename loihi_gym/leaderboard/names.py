"""What people may call themselves and their solvers: nothing that reads like something else."""

import re
import unicodedata

from ..errors import SubmissionError
from .reading import shown

MAX_NAME = 60
MAX_AUTHORS = 20
PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 .,:+()_/=-]*[A-Za-z0-9)+])?")
FOLDER = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[a-z0-9]+(?:-[a-z0-9]+)*")
TOGETHER = [
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    {"CJK", "HANGUL"},
    {"CJK", "BOPOMOFO"},
]
"""Scripts that one name may mix; Latin and Cyrillic letters in one name are a disguise."""


def plain(value: object, source: str, longest: int = MAX_NAME) -> str:
    """A name of a table's row: ASCII letters, digits and a little punctuation.

    Raises:
        SubmissionError: if it is anything else.
    """
    if not isinstance(value, str) or len(value) > longest or not PLAIN.fullmatch(value):
        raise SubmissionError(
            f"{source} is {shown(value)}; it takes 1 to {longest} ASCII letters, digits and "
            "' .,:+()_/=-', a letter or digit first"
        )
    return value


def person(value: object, source: str) -> str:
    """A person's or team's name: letters of one script, digits, and apostrophes, dots and hyphens.

    Raises:
        SubmissionError: if it is anything else, such as invisible, reordering or mixed letters.
    """
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_NAME:
        raise SubmissionError(
            f"{source} is {shown(value)}; it takes a name of 1 to {MAX_NAME} characters"
        )
    if value != unicodedata.normalize("NFC", value):
        raise SubmissionError(f"{source} {shown(value)} is not in Unicode's normal form C")
    for character in value:
        if unicodedata.category(character)[0] not in "LM" and character not in "0123456789 '.-":
            raise SubmissionError(
                f"{source} {shown(value)} holds U+{ord(character):04X}; a name takes letters, "
                "digits, space and ' . -"
            )
    if value != value.strip() or "  " in value:
        raise SubmissionError(f"{source} {shown(value)} has spaces to spare")
    if unicodedata.category(value[0])[0] != "L":
        raise SubmissionError(f"{source} {shown(value)} does not begin with a letter")
    scripts = {_script(c) for c in value if unicodedata.category(c)[0] == "L"}
    if len(scripts) > 1 and not any(scripts <= group for group in TOGETHER):
        raise SubmissionError(
            f"{source} {shown(value)} mixes letters of {' and '.join(sorted(scripts))}"
        )
    return value


def _script(letter: str) -> str:
    """The script a letter's Unicode name begins with, such as LATIN."""
    return unicodedata.name(letter, "UNNAMED").split(" ")[0]
