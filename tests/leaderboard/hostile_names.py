# ruff: noqa: RUF001
"""Names, days, solvers and numbers that read like something else; see `hostile` for what a case is.

Written as families: every member is tried in every field, and at every place, where it might pass.
"""

import json

from tests.leaderboard.hostile import MAPPINGS, Rows, Spoil, about, edit, renamed

LINKS = (
    *("https://evil.example", "http://1.1.1.1", "see ftp://a", "www.evil", "WWW.EVIL.EXAMPLE"),
    *(
        "evil.com",
        "evil.com/x",
        "a.bc/d/e",
        "Buy at t.co/abc",
        "x=evil.io",
        "(evil.dev)",
        "10.0.0.1",
    ),
    *(
        "127.0.0.1:80/x",
        "localhost:80",
        "localhost/x",
        "javascript:alert(1)",
        "mailto:me",
        "tel:123",
    ),
    *("data:text/html", "file:/etc/passwd", "xn--80ak6aa92e.com", "a.b.c.example", "e.g.this"),
)
PERSON_LINKS = (
    "evil.com",
    "www.evil",
    "Ada evil.io",
    "WWW.AB",
    "a.bc.de",
    "пример.рф",
    "例え.テスト",
)
INVISIBLE = (
    *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180D, 0x180E, 0x200B),
    *(
        0x200C,
        0x200D,
        0x200E,
        0x200F,
        0x202A,
        0x202E,
        0x2060,
        0x2061,
        0x2064,
        0x2066,
        0x2069,
        0x206F,
    ),
    *(0x2800, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0xFFFC, 0x16FE4, 0x1BCA0, 0x1D173),
    *(0xE0001, 0xE0041, 0xE0100, 0x0009, 0x000A, 0x0085, 0x00A0, 0x2003, 0x2028, 0x202F, 0x3000),
)
"""Default-ignorable, filling, blank and control characters."""
STYLED = (
    *(
        "ａda",
        "𝐀da",
        "𝓐da",
        "𝔸da",
        "Ⓐda",
        "ᵃda",
        "ₐda",
        "Ada²",
        "ﬁda",
        "Ａ",
        "ªda",
        "ſda",
        "\u212aelvin",
    ),
    *("ﾀﾛｳ", "㍿", "№ Ada", "ℵda", "Ada…", "Ⅷda", "ﷺ", "ﹰa", "\u212b", "\u2126", "ǆ", "ŀ", "ŉ"),
)
"""What NFKC makes other letters of."""
TECHNICAL = (
    *("ɑda", "ᴀda", "ɡa", "ǃKung", "ǀda", "ꓮda", "Ꭺda", "ꭰda", "Ⲁda", "𐌀da", "ƿda", "ʼAda", "ˈda"),
    *("ᗅda", "ⴰda", "ᚠda", "ӏda!", "ꙮda", "ꟻda", "𝼀da", "߀da", "〇da", "Ada™", "Ada❤", "Ada\u20dd"),
)
"""Phonetic, archaic and other scripts' letters that pass for plain ones."""
MIXED = (
    *(
        "Adа",
        "Аda",
        "Αda",
        "Ada Lоvelace",
        "Lοvelace",
        "օda",
        "Adա",
        "Ηanna",
        "Ѕam",
        "Іda",
        "Ада Lo",
    ),
    *(
        "אda",
        "Adaא",
        "ادda",
        "नada",
        "金Ada",
        "김Ada",
        "ეda",
        "ไda",
        "ಠda",
        "アda",
        "한太カ",
        "ㄅあ",
    ),
)
STACKED = (
    "a\u0323\u0330\u0331",
    "x\u0301\u0301",
    "x\u0321\u0322\u0327\u0328",
    "ก\u0e48\u0e48",
    "e\u0489",
)
NEAR = (
    *("GA", "Ga", "gaa", "g-a", "g a", "Map", "mapp", "MAP", "m.a.p", "rnap", "map 2"),
    *("hillclirnb", "hillclimber", "hi11climb", "Hill Climb", "h1llclimb", "greedyy", "Greedy"),
    *("balanced+", "ba1anced", "unbalanced", "packed", "Packed", "random", "rand0m", "ran-dom"),
    *("PPO", "pp0", "ppo2", "maskable_ppo", "Maskable PPO", "maskableppo", "DQN", "dqn2", "cma=1"),
    *("nested es", "nested-es2", "NestedES", "lava default", "lava-defaults", "1ava-default"),
)
UNKNOWN_SOLVERS = ("gaa", "map2", "anneal-2", "os", "loihi-gym", "solve", "my-solver", "anneall")
OPTIONS = (
    *("{nothing = 1}", "{Seed = 1}", "{budget = 5}", "{session = 1}", "{seed = 3}", '{a = "b"}'),
    *("{self = 1}", "{kwargs = 1}", "{unseeded = 1}", '{unseeded = "yes"}'),
)
DAYS = (
    "0001-01-01",
    "0000-01-01",
    "1970-01-01",
    "2026-11-24",
    "2027-13-01",
    "9999-12-31",
    "5000-01-01",
)
NUMBERS = (
    *(
        "+1",
        "01",
        "-01",
        ".5",
        "5.",
        "1.0",
        "1e2",
        "1E2",
        "1e-0",
        "-0.0",
        "0x1",
        "0b1",
        "0o7",
        "1_0",
    ),
    *(
        "Infinity",
        "-Infinity",
        "NaN",
        "nan",
        "True",
        "None",
        "undefined",
        "--1",
        "1 2",
        "1;",
        "'1'",
    ),
    *(
        "١",
        "１",
        "²",
        "−1",
        "1L",
        "1n",
        "1/1",
        "(1)",
        "- 1",
        "-",
        "1e",
        "1e+",
        "0.1e1",
        "00",
        "9" * 16,
    ),
    *('"1"', "null", "true", "[1]", "{}", "-1", "1e400", "\u00a01", "\ufeff1", "\u20281"),
)


def rows_of_solver_track() -> Rows:
    """Cases that spoil a submission of a solver track."""
    for name in NEAR:
        yield f"near {name!a}", about("name", json.dumps(name)), "a solver of this package"
    for solver in UNKNOWN_SOLVERS:
        yield f"unknown solver {solver}", _bundled(solver), "[bundled]: "
    for options in OPTIONS:
        yield f"unknown option {options}", about("options", options), "option "


def rows_of_mapping_track() -> Rows:
    """Cases that spoil a submission of the mapping track."""
    for field in ("name", "solver", "licence"):
        for link in LINKS:
            words = "reads like an address" if field else ""
            yield f"{field} {link!a}", about(field, json.dumps(link)), _words(link, words)
    for link in PERSON_LINKS:
        yield f"author {link!a}", _author(link), "reads like an address"
    for code in INVISIBLE:
        for text in (f"{chr(code)}Ada", f"A{chr(code)}da", f"Ada{chr(code)}"):
            yield f"author {text!a}", _author(text), "authors[0] "
        yield f"name U+{code:04X}", about("name", _toml(f"A{chr(code)}a")), "ASCII letters"
    for text in (*STYLED, *TECHNICAL):
        yield f"styled {text!a}", _author(text), "authors[0] "
    for text in MIXED:
        yield f"mixed {text!a}", _author(text), "mixes letters of"
    for text in STACKED:
        yield f"author {text!a}", _author(text), "authors[0] "
    for name in NEAR[:12]:
        yield f"near {name!a}", about("name", json.dumps(name)), "a solver of this package"
    for day in DAYS:
        words = "YYYY-MM-DD" if day in ("0000-01-01", "2027-13-01") else "the day of your request"
        yield f"day {day}", renamed(f"{day}-mine"), words
    for number in NUMBERS:
        yield f"number {number!a:.30}", _core(number), f"{MAPPINGS}: "


def _words(link: str, words: str) -> str:
    """A link in signs that no name takes is refused for these."""
    return "; it takes 1 to" if not link[0].isalnum() else words


def _toml(text: str) -> str:
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'


def _author(text: str) -> Spoil:
    return about("authors", f"[{_toml(text)}]")


def _bundled(solver: str) -> Spoil:
    return edit(
        "submission.toml",
        lambda text: text.replace('solver = "anneal"\noptions', f'solver = "{solver}"\noptions'),
    )


def _core(number: str) -> Spoil:
    """A placement whose first core is written so."""
    return edit(MAPPINGS, lambda text: text.replace('"placement":[', f'"placement":[{number},', 1))
