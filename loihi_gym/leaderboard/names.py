"""What people may call themselves and their solvers: nothing that reads like something else.

Letters are taken from a list of living scripts, so that fillers, ignorable, technical and styled
ones need no list of their own; see UAX #31 (recommended scripts) and UTS #39 (confusables).
"""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

from ..errors import SubmissionError
from .reading import shown

MAX_NAME = 60
MAX_AUTHORS = 20
MAX_MARKS = 2
"""Marks on one letter: Hebrew, Thai and Indic scripts need two."""
NEAR = 0.8
"""Names with at least this share in common, as `difflib` counts it, are taken for each other."""
PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 .,:+()_/=-]*[A-Za-z0-9)+])?")
FOLDER = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[a-z0-9]+(?:-[a-z0-9]+)*")
LINK = re.compile(
    r"://|www\.|[^\W_]\.[^\W\d_]{2}|\d\.\d+\.\d+\.\d|localhost"
    r"|\b(?:https?|ftp|file|mailto|tel|data|javascript|vbscript):\S",
    re.IGNORECASE,
)
"""What is read as an address: a scheme, a domain (letters on both sides of a dot), an IP number."""
_CASED = "LATIN GREEK CYRILLIC ARMENIAN"
_OTHERS = (
    "ARABIC BENGALI BOPOMOFO DEVANAGARI ETHIOPIC GEORGIAN GUJARATI GURMUKHI HEBREW HIRAGANA KANNADA"
    " KATAKANA KHMER LAO MALAYALAM MYANMAR ORIYA SINHALA TAMIL TELUGU THAANA THAI TIBETAN"
)
LETTER = re.compile(
    rf"(?:{_CASED.replace(' ', '|')}) (?:SMALL|CAPITAL) LETTER .*"
    rf"|(?:{_OTHERS.replace(' ', '|')}) (?:CAPITAL |SMALL )?(?:LETTER|SYLLABLE|CHARACTER) .*"
    r"|HANGUL SYLLABLE .*|CJK UNIFIED .*|IDEOGRAPHIC ITERATION MARK|KATAKANA-HIRAGANA PROLONGED .*"
)
"""Unicode names of the letters that a name may have."""
CASED = (range(0x250), range(0x370, 0x590), range(0x1E00, 0x2000))
"""Where the letters of `_CASED` scripts are that people write; the rest is phonetic or archaic."""
NO_MARKS = re.compile(r"COMBINING GRAPHEME JOINER|.*VARIATION SELECTOR.*|KHMER VOWEL INHERENT .*")
"""Marks that nobody sees."""
TOGETHER = [
    {"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    {"CJK", "HANGUL"},
    {"CJK", "BOPOMOFO"},
]
"""Scripts that one name may mix; Latin and Cyrillic letters in one name are a disguise."""
LOOK_ALIKES = str.maketrans(
    # Cyrillic, Greek and Armenian letters, after lower case, then digits and i: what they pass for.
    "аеорсухіјѕһԁԛԝѵкмтвнгпзьӏ" + "ανορτυιχκγηωεβ" + "օոսհյցքզ" + "01i|",
    "aeopcyxljshdqwvkmtbhrn3bl" + "avoptulxkynweb" + "onuhjgpq" + "olll",
)
PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
"""Two letters that pass for one."""


def plain(value: object, source: str, longest: int = MAX_NAME) -> str:
    """A name of a table's row: ASCII letters, digits and a little punctuation, and no address.

    Raises:
        SubmissionError: if it is anything else.
    """
    if not isinstance(value, str) or len(value) > longest or not PLAIN.fullmatch(value):
        raise SubmissionError(
            f"{source} is {shown(value)}; it takes 1 to {longest} ASCII letters, digits and "
            "' .,:+()_/=-', a letter or digit first"
        )
    _require_no_link(value, source)
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
    said = f"{source} {shown(value)}"
    if value != unicodedata.normalize("NFKC", value):
        raise SubmissionError(f"{said} is not in Unicode's normal form KC: write plain letters")
    for character in value:
        if _script(character) is None and character not in "0123456789 '.-":
            raise SubmissionError(
                f"{said} holds U+{ord(character):04X}; a name takes letters of a living script, "
                "digits, space and ' . -"
            )
    if value != value.strip() or "  " in value:
        raise SubmissionError(f"{said} has spaces to spare")
    if unicodedata.category(value[0])[0] != "L":
        raise SubmissionError(f"{said} does not begin with a letter")
    _require_few_marks(value, said)
    scripts = {script for c in value if (script := _script(c))} - {"COMBINING"}
    if len(scripts) > 1 and not any(scripts <= group for group in TOGETHER):
        raise SubmissionError(f"{said} mixes letters of {' and '.join(sorted(scripts))}")
    _require_no_link(value, source)
    return value


def skeleton(name: str) -> str:
    """What is left of a name for the eye: names with equal ones are taken for each other."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    text = "".join(c for c in parts if unicodedata.category(c)[0] in "LN").translate(LOOK_ALIKES)
    for pair, one in PAIRS:
        text = text.replace(pair, one)
    return text


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The first of `known` names that `name` is taken for; None if there is none."""
    own = skeleton(name)
    for other in known:
        if SequenceMatcher(None, own, skeleton(other), autojunk=False).ratio() >= NEAR:
            return other
    return None


def _script(character: str) -> str | None:
    """The script of a letter or mark that a name may have, such as LATIN; None for all others."""
    name, kind = unicodedata.name(character, ""), unicodedata.category(character)
    script = name.partition(" ")[0]
    if kind[0] == "L" and LETTER.fullmatch(name):
        written = script not in _CASED.split() or any(ord(character) in part for part in CASED)
        return script if written else None
    of_a_script = script == "COMBINING" or script in _OTHERS.split()
    return script if kind in ("Mn", "Mc") and of_a_script and not NO_MARKS.match(name) else None


def _require_few_marks(value: str, said: str) -> None:
    marks = ""
    for character in value:
        marks = marks + character if unicodedata.category(character)[0] == "M" else ""
        if len(marks) > MAX_MARKS or len(set(marks)) < len(marks):
            raise SubmissionError(f"{said} stacks marks on one letter; {MAX_MARKS} will do")


def _require_no_link(value: str, source: str) -> None:
    if found := LINK.search(value):
        raise SubmissionError(
            f"{source} is {shown(value)}: {shown(found[0])} reads like an address; code_url takes "
            "one, a name does not"
        )
