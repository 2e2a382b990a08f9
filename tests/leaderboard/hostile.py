"""Hostile and broken submissions: each spoils one valid submission in one way.

A case is (name, submission it starts from, what spoils its directory, words the refusal must hold).
"""

import gzip
import io
import json
import os
import pickle
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from tests.leaderboard.boards import ANNEAL, BEST

ABOUT, MAPPINGS, TRACE = "submission.toml", "mappings.json", "trace.jsonl"
Spoil = Callable[[Path], object]


class Case(NamedTuple):
    name: str
    start: str
    spoil: Spoil
    words: str


class Bomb:
    """Unpickling it leaves a file behind."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch PICKLE-WAS-RUN",)


# -- ways to spoil ------------------------------------------------------------------------------


def put(file: str, data: str | bytes) -> Spoil:
    raw = data if isinstance(data, bytes) else data.encode()
    return lambda folder: (folder / file).write_bytes(raw)


def edit(file: str, change: Callable[[str], str]) -> Spoil:
    """Change a file's text; a change that changes nothing is a mistake of the test."""

    def spoil(folder: Path) -> None:
        before = (folder / file).read_text()
        after = change(before)
        assert after != before
        (folder / file).write_text(after)

    return spoil


def about(key: str, toml: str | None) -> Spoil:
    """Give one line of submission.toml another value; None takes it away."""

    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        (found,) = (i for i, line in enumerate(lines) if line.startswith(f"{key} = "))
        lines[found] = "" if toml is None else f"{key} = {toml}\n"
        return "".join(lines)

    return edit(ABOUT, change)


def about_first(line: str) -> Spoil:
    return edit(ABOUT, lambda text: f"{line}\n{text}")


def about_last(line: str) -> Spoil:
    return edit(ABOUT, lambda text: f"{text}{line}\n")


def mappings(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Change mappings.json as data."""

    def spoil(folder: Path) -> None:
        data = json.loads((folder / MAPPINGS).read_text())
        change(data)
        (folder / MAPPINGS).write_text(json.dumps(data))

    return spoil


def first(**fields: Any) -> Spoil:
    """Give fields of the first mapping other values."""
    return mappings(lambda data: data["mappings"][0].update(fields))


def placed(index: int, core: Any) -> Spoil:
    """Put a logical core of the first mapping elsewhere."""
    return mappings(lambda data: data["mappings"][0]["placement"].__setitem__(index, core))


def trace(change: Callable[[list[dict[str, Any]]], object]) -> Spoil:
    """Change trace.jsonl as data."""

    def spoil(folder: Path) -> None:
        rows = [json.loads(line) for line in (folder / TRACE).read_text().splitlines()]
        change(rows)
        (folder / TRACE).write_text("".join(json.dumps(row) + "\n" for row in rows))

    return spoil


def trace_first(**fields: Any) -> Spoil:
    return trace(lambda rows: rows[0].update(fields))


def replaced(file: str, make: Callable[[Path], object]) -> Spoil:
    """Put something else in a file's place."""

    def spoil(folder: Path) -> None:
        (folder / file).unlink()
        make(folder / file)

    return spoil


def sparse(file: str, size: int) -> Spoil:
    return lambda folder: os.truncate(folder / file, size)


def renamed(name: str) -> Spoil:
    return lambda folder: folder.rename(folder.with_name(name))


def linked(file: str, target: str) -> Spoil:
    return replaced(file, lambda path: path.symlink_to(target))


def socketed(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def zipped(size: int) -> bytes:
    """A small zip of a large file of zeros."""
    holder = io.BytesIO()
    with zipfile.ZipFile(holder, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mappings.json", b"0" * size)
    return holder.getvalue()


def linked_folder(folder: Path) -> None:
    folder.rename(folder.with_name("hidden"))
    folder.symlink_to(folder.with_name("hidden"))


def many_files(folder: Path) -> None:
    for number in range(500):
        (folder / f"a{number}").touch()


def no_better(rows: list[dict[str, Any]]) -> None:
    """Find a mapping a second time."""
    before = next(
        i for i in range(len(rows) - 1) if rows[i + 1]["evaluation"] > rows[i]["evaluation"] + 1
    )
    rows.insert(before + 1, rows[before] | {"evaluation": rows[before]["evaluation"] + 1})


# -- the cases ----------------------------------------------------------------------------------


def cases() -> list[Case]:
    """All of them."""
    from tests.leaderboard import hostile_names  # which is made of what is here

    solver = chain(_solver_track(), hostile_names.rows_of_solver_track())
    mapping = chain(_mapping_track(), hostile_names.rows_of_mapping_track())
    return [
        *(Case(f"solver: {n}", ANNEAL, spoil, words) for n, spoil, words in solver),
        *(Case(f"mapping: {n}", BEST, spoil, words) for n, spoil, words in mapping),
    ]


Rows = Iterator[tuple[str, Spoil, str]]


def _mapping_track() -> Rows:
    yield from _folders()
    yield from _files()
    yield from _about()
    yield from _names()
    yield from _json()
    yield from _values()
    yield from _constraints()


def _folders() -> Rows:
    must = "must be named YYYY-MM-DD-slug"
    for name in (
        *("mine", "2026-13-01-a", "2026-02-30-a", "2026-1-1-a", "2026-11-25-", "2026-11-25"),
        *("2026-11-25-A", "2026-11-25-a b", "2026-11-25-a--b", "2026-11-25-a;rm -rf", "-rf"),
        *(
            "2026-11-25-\u0430d\u0430",
            "\uff12\uff10\uff12\uff16-11-25-a",
            "2026-11-25-a\u202eb",
            "2026-11-25-" + "a" * 80,
        ),
        *("2026-11-25-a\nb", "2026-11-25-..", "2026-11-25-$(id)", "2026-11-25-\udcff"),
    ):
        yield f"folder {name!a}", renamed(name), must
    yield "folder is a link", linked_folder, "a submission is a directory, not a symbolic link"
    yield (
        "folder is a file",
        lambda folder: (shutil.rmtree(folder), folder.write_text("hello")),
        "a submission is a directory, not a file",
    )
    yield "folder is gone", shutil.rmtree, "No such file or directory"
    yield "folder is empty", lambda f: [p.unlink() for p in f.iterdir()], f"{ABOUT}: is missing"


def _files() -> Rows:
    no_file = "is no file of a submission"
    for name in (
        *("score.json", "setup.py", "conftest.py", "mappings.json.gz", "model.pkl", ".env"),
        *("__init__.py", "Submission.toml", "mappings.json ", "m\u0430ppings.json", "\udcff\udcfe"),
        *("a\nb", "\u202ejson.sgnippam", "x" * 200, "mappings.json\u200b"),
    ):
        yield f"extra file {name!a}", put(name, "{}"), no_file
    yield "extra folder", lambda folder: (folder / "data").mkdir(), "'data' is no file"
    yield "git folder", lambda folder: (folder / ".git").mkdir(), "'.git' is no file"
    yield "500 files", many_files, no_file
    yield "a pickle", put("mappings.pkl", pickle.dumps(Bomb())), no_file
    yield (
        "an extra link",
        lambda folder: (folder / "secrets").symlink_to("/etc/shadow"),
        "'secrets' is no file",
    )
    yield "trace on mapping", put(TRACE, ""), "the mapping track takes none"
    yield (
        "a dangling trace",
        lambda folder: (folder / TRACE).symlink_to("nowhere"),
        "the mapping track takes none",
    )
    yield "own reproduced", put("reproduced.toml", ""), "is for the maintainers to add"
    yield (
        "linked reproduced",
        lambda folder: (folder / "reproduced.toml").symlink_to("nowhere"),
        "is for the maintainers to add",
    )
    for file in (ABOUT, MAPPINGS):
        yield f"{file} is missing", lambda f, n=file: (f / n).unlink(), f"{file}: is missing"
        yield f"{file} is a link", linked(file, "/etc/passwd"), f"{file}: is a symbolic link"
        yield f"{file} is a near link", linked(file, "../x"), f"{file}: is a symbolic link"
        yield f"{file} links to itself", linked(file, file), f"{file}: is a symbolic link"
        yield f"{file} is zero", linked(file, "/dev/zero"), f"{file}: is a symbolic link"
        yield f"{file} is a pipe", replaced(file, os.mkfifo), f"{file}: is a pipe"
        yield f"{file} is a socket", replaced(file, socketed), f"{file}: is a socket"
        yield f"{file} is a folder", replaced(file, Path.mkdir), f"{file}: is a directory"
        yield f"{file} is a terabyte", sparse(file, 1 << 40), "bytes; at most"
        yield f"{file} has a BOM", put(file, b"\xef\xbb\xbf{}"), f"{file}: starts with a byte order"
        yield f"{file} is UTF-16", put(file, '{"a": 1}'.encode("utf-16")), "byte 0 is not UTF-8"
        yield f"{file} is latin-1", put(file, 'x = "\xe9"'.encode("latin-1")), "byte 5 is not UTF-8"
        yield f"{file} is a pickle", put(file, pickle.dumps(Bomb())), "byte 0 is not UTF-8"
        yield f"{file} is gzip", put(file, gzip.compress(b"{}", mtime=0)), "is not UTF-8"
        yield f"{file} is a zip of death", put(file, zipped(1 << 27)), f"{file}: "
        yield f"{file} is NULs", put(file, b"\0" * 100), f"{file}: is not"
    yield f"{ABOUT} is a second one", put(ABOUT, ""), "field 'authors' is missing"
    yield f"{ABOUT} is JSON", put(ABOUT, "{}"), f"{ABOUT}: is not TOML"
    yield f"{ABOUT} is YAML", put(ABOUT, "!!python/object/apply:os.system [id]"), "is not TOML"


def _about() -> Rows:
    for key in ("format", "suite", "track", "name", "authors", "solver", "licence"):
        yield f"without {key}", about(key, None), f"field '{key}' is missing"
        yield f"{key} twice", about_first(f'{key} = "x"'), f"{ABOUT}: is not TOML"
        yield f"{key} a table", about(key, "{a = 1}"), key
        yield f"{key} a date", about(key, "2026-11-25"), key
        yield f"{key} true", about(key, "true"), key
    for key in ("score", "score_ppm", "latency_ps", "rank", "status", "reproduced", "wins"):
        yield f"claims {key}", about_first(f"{key} = 1"), f"unknown field '{key}'; scores are"
    yield "a long key", about_first("x" * 9000 + " = 1"), "unknown field 'xxx"
    yield "a Unicode key", about_first('"sc\u043ere" = 1'), "unknown field 'sc\\u043ere'"
    yield "format 2", about("format", "2"), "format is 2, not a whole number from 1 to 1"
    yield "format 1.0", about("format", "1.0"), "format is 1.0"
    yield "format nan", about("format", "nan"), "format is nan"
    yield "format huge", about("format", "9" * 5000), f"{ABOUT}: is not TOML"
    yield "format huge hex", about("format", "0x" + "f" * 12000), "a number of 48000 bits"
    yield "a deep list", about("format", "[" * 7000), "is nested too deeply"
    yield "too large", about_last("#" * 20000), "bytes; at most 16,384 are read"
    yield "foreign suite", about("suite", '"sparse-mlp-v9"'), "is none of this version: tiny-v1"
    for name in ("../tiny-v1", "/etc/passwd", "tiny-v1.toml", "tiny-v1\\u0000", "TINY-V1", ""):
        yield f"suite {name!r}", about("suite", f'"{name}"'), "is none of this version"
    for name in ("solver@1k", "Mapping", "", "mapping\\n", "../mapping"):
        yield f"track {name!r}", about("track", f'"{name}"'), "is none of tiny-v1's: mapping"
    yield "wrong track", about("track", '"solver@60"'), "mappings[0]: field 'seed' is missing"
    for url in (
        *("http://example.org", "javascript:alert(1)", "file:///etc/passwd", "https://"),
        *("https://a.b/<script>", "https://a.b/ c", "https://user@a.b", "//a.b", "https://a"),
        *(
            "https://ex\u0430mple.org",
            "https://a.b/" + "c" * 300,
            'https://a.b/\\"onclick',
            "\\u202e",
        ),
    ):
        yield f"code_url {url!a:.40}", about("code_url", f'"{url}"'), "code_url is '"
    for commit in ("0123", "g" * 40, "0" * 41, "HEAD", "main", "0123abc\\n", "ABCDEF0", "--force"):
        yield f"wrong sha {commit}", about("code_commit", f'"{commit}"'), "code_commit is '"
    yield "code_commit a number", about("code_commit", "1234567"), "code_commit is 1234567"
    yield "bundled", about_last('[bundled]\nsolver = "ga"'), "[bundled] is for solver tracks"


def _names() -> Rows:
    for text in (
        *("", " ", " a", "a\\nb", "<b>", "a|b", "[a](b)", "`a`", "a\\u0000", "a\\u202eb", "*a*"),
        *(
            "\u0430nneal",
            "a\u200bb",
            "e\u0301",
            "a" * 61,
            "&lt;",
            "a\\tb",
            "\U0001f600",
            "#1",
            "'a",
        ),
    ):
        yield f"name {text!a:.30}", about("name", f'"{text}"'), "; it takes 1 to 60 ASCII"
    yield "solver in Greek", about("solver", '"g\u03b1"'), "solver is 'g\\u03b1'"
    yield "licence in markup", about("licence", '"<MIT>"'), "licence is '<MIT>'"
    yield "no author", about("authors", "[]"), "authors is a list of 0"
    yield "30 authors", about("authors", str(["A"] * 30)), "authors is a list of 30"
    yield "an author twice", about("authors", '["A", "A"]'), "authors: one stands twice"
    yield "a nested author", about("authors", '[["A"]]'), "authors[0] is a list of 1"
    yield "author a number", about("authors", "[1]"), "authors[0] is 1"
    for text, words in (
        ("", "takes a name of 1 to 60"),
        ("A" * 61, "takes a name of 1 to 60"),
        ("A\\u202eB", "holds U+202E"),
        ("A\\u2066B", "holds U+2066"),
        ("A\\u200dB", "holds U+200D"),
        ("A\\ufeffB", "holds U+FEFF"),
        ("A\\u0007B", "holds U+0007"),
        ("A\\u00adB", "holds U+00AD"),
        ("A\\u2028B", "holds U+2028"),
        ("A\\ue000B", "holds U+E000"),
        ("A\\u00a0B", "normal form KC"),
        ("A|B", "holds U+007C"),
        ("<script>", "holds U+003C"),
        ("A \U0001f600", "holds U+1F600"),
        ("A\\u0301", "normal form KC"),
        ("\\u00aaB", "normal form KC"),
        ("Ad\u0430", "mixes letters of CYRILLIC and LATIN"),
        ("\u0391da", "mixes letters of GREEK and LATIN"),
        ("\uff21da", "normal form KC"),
        ("\U0001d400da", "normal form KC"),
        ("A  B", "spaces to spare"),
        (" A", "spaces to spare"),
        ("1A", "does not begin with a letter"),
        ("-A", "does not begin with a letter"),
        ("\u0301A", "does not begin with a letter"),
    ):
        yield f"author {text!a:.30}", about("authors", f'["{text}"]'), words


def _json() -> Rows:
    for text, words in (
        ("", "is not JSON"),
        ("null", "is None, not a table"),
        ("[]", "is a list of 0, not a table"),
        ("1", "is 1, not a table"),
        ('"a"', "is 'a', not a table"),
        ("NaN", "NaN is not a whole number"),
        ("-Infinity", "-Infinity is not a whole number"),
        ("1e999", "1e999 is not a whole number"),
        ("{}", "field 'format' is missing"),
        ("{'format': 1}", "is not JSON"),
        ('{"format": 1} {}', "is not JSON"),
        ('{"format": 1, "format": 1}', "key 'format' stands twice"),
        ('{"a": {"b": 1, "b": 2}}', "key 'b' stands twice"),
        ("[" * 200_000, "is nested too deeply"),
        ('{"a":' * 200_000, "is nested too deeply"),
        ("9" * 1_000_000, "a number has 1,000,000 digits"),
        ("-" + "9" * 16, "a number has 17 digits"),
        ("[" + "[]," * 600_000 + "[]]", "is a list of 600001, not a table"),
        ("[" + "0," * 1_100_000 + "0]", "bytes; at most 2,097,152 are read"),
        ("/* */ {}", "is not JSON"),
        ("__import__('os').system('touch CODE-WAS-RUN')", "is not JSON"),
    ):
        yield f"JSON {text[:20]!r}", put(MAPPINGS, text), words
    yield "truncated", edit(MAPPINGS, lambda text: text[: len(text) // 2]), "is not JSON"
    yield "a comma too many", edit(MAPPINGS, lambda text: text.replace("]}", ",]}", 1)), "not JSON"
    yield "a fraction", edit(MAPPINGS, lambda t: t.replace("[", "[0.5,", 2)), "0.5 is not a whole"
    yield "a minus zero point", edit(MAPPINGS, lambda t: t.replace('":1,', '":1.0,', 1)), "1.0 is"


def _values() -> Rows:
    top = {
        "format 2": ({"format": 2}, "format is 2"),
        "format true": ({"format": True}, "format is True"),
        "format text": ({"format": "1"}, "format is '1'"),
        "another suite": ({"suite": "sparse-mlp-v1"}, "suite 'sparse-mlp-v1' is not that of"),
        "suite a list": ({"suite": ["tiny-v1"]}, "suite a list of 1 is not that of"),
        "mappings a table": ({"mappings": {}}, "mappings is a table of 0, not a list"),
        "mappings null": ({"mappings": None}, "mappings is None, not a list"),
        "mappings empty": ({"mappings": []}, "mlp-xs is missing (2 of 2 are)"),
        "mappings of numbers": ({"mappings": [1]}, "mappings[0]: is 1, not a table"),
        "a total": ({"score_ppm": 9_999_999}, "unknown field 'score_ppm'; scores are computed"),
        "proto": ({"__proto__": {}}, "unknown field '__proto__'"),
    }
    for name, (fields, words) in top.items():
        spoil = mappings(lambda data, more=fields: data.update(more))
        yield f"at the top: {name}", spoil, f"{MAPPINGS}: {words}"
    yield "one is missing", mappings(lambda d: d["mappings"].pop()), "tiny-gen is missing (1 of 2"
    yield (
        "one stands twice",
        mappings(lambda d: d["mappings"].append(d["mappings"][0])),
        "mappings[2]: mlp-xs stands twice",
    )
    for name, fields, words in (
        ("claims latency", {"latency_ps": 1}, "unknown field 'latency_ps'; scores are computed"),
        ("claims energy", {"energy_fj": 0}, "unknown field 'energy_fj'"),
        ("claims evaluation", {"evaluation": 1}, "unknown field 'evaluation'"),
        ("has a seed", {"seed": 0}, "unknown field 'seed'"),
        ("problem unknown", {"problem": "mlp-xl"}, "mlp-xl is not of this suite and track"),
        ("problem of another suite", {"problem": "mlp-deep"}, "mlp-deep is not of this suite"),
        ("problem a path", {"problem": "../../etc/passwd"}, "'../../etc/passwd', not a problem"),
        (
            "problem a file",
            {"problem": "/tmp/evil.npz"},
            "'/tmp/evil.npz', not a problem",
        ),
        (
            "problem a URI",
            {"problem": "generator://mlp?layers=1&width=9"},
            "not a problem",
        ),
        ("problem with NUL", {"problem": "mlp-xs\0"}, "'mlp-xs\\x00', not a problem"),
        (
            "problem in Cyrillic",
            {"problem": "mlp-\u0445s"},
            "'mlp-\\u0445s', not a problem",
        ),
        (
            "problem with a newline",
            {"problem": "mlp-xs\n"},
            "'mlp-xs\\n', not a problem",
        ),
        ("problem a surrogate", {"problem": "\ud800"}, "'\\ud800', not a problem"),
        ("problem in capitals", {"problem": "MLP-XS"}, "'MLP-XS', not a problem"),
        ("problem a number", {"problem": 1}, "problem is 1, not a problem"),
        ("problem null", {"problem": None}, "problem is None, not a problem"),
        ("problem a megabyte", {"problem": "a" * 1_000_000}, "not a problem"),
        ("placement null", {"placement": None}, "mappings[0]: placement is None, not a list"),
        ("placement text", {"placement": "0123"}, "placement is '0123', not a list"),
        ("placement a table", {"placement": {"0": 1}}, "placement is a table of 1, not a list"),
        ("placement nested", {"placement": [[0]]}, "placement[0] is a list of 1"),
        ("placement of tables", {"placement": [{}]}, "placement[0] is a table of 0"),
        ("counts a number", {"cores_per_layer": 5}, "cores_per_layer is 5, not a list"),
        ("counts negative", {"cores_per_layer": [-1]}, "cores_per_layer[0] is -1, not a whole"),
        ("counts of text", {"cores_per_layer": ["1"]}, "cores_per_layer[0] is '1', not a whole"),
        ("counts true", {"cores_per_layer": [True]}, "cores_per_layer[0] is True, not a whole"),
    ):
        yield name, first(**fields), words
    for core, words in (
        (-1, "placement[3] is -1, not a whole number from 0 to"),
        (True, "placement[3] is True"),
        (None, "placement[3] is None"),
        ("7", "placement[3] is '7'"),
        (1 << 24, "placement[3] is 16777216, not a whole number from 0 to 16777215"),
        (1 << 31, "placement[3] is 2147483648"),
        (10**14, "placement[3] is 100000000000000"),
        (10**15, "a number has 16 digits"),
    ):
        yield f"core {core!r}", placed(3, core), words


def _constraints() -> Rows:
    yield (
        "cores overlap",
        mappings(lambda d: _same(d["mappings"][0]["placement"])),
        "mlp-xs: illegal mapping: logical cores per core: core",
    )
    yield "a core is absent", placed(2, 24), "absent core: logical core 2 has 24, the limit is 23"
    yield "a core far away", placed(2, (1 << 24) - 1), "absent core: logical core 2 has 16777215"
    yield (
        "placement too short",
        mappings(lambda d: d["mappings"][0]["placement"].pop()),
        "placement length: placement has",
    )
    yield "placement empty", first(placement=[]), "placement length: placement has 0"
    yield (
        "over capacity",
        mappings(
            lambda d: d["mappings"][1].update(cores_per_layer=[1] * 4, placement=[0, 1, 2, 3])
        ),
        "tiny-gen: illegal mapping: synaptic memory words: logical core 2 (layer 2) has",
    )
    yield "no counts", first(cores_per_layer=[], placement=[]), "layers: cores_per_layer has 0"
    yield (
        "a layer too many",
        mappings(lambda d: d["mappings"][0]["cores_per_layer"].append(1)),
        "layers: cores_per_layer has 6, the limit is 5",
    )
    yield (
        "a layer of no core",
        mappings(lambda d: d["mappings"][0]["cores_per_layer"].__setitem__(1, 0)),
        "pieces per layer: layer 1 has 0",
    )
    yield (
        "more pieces than neurons",
        mappings(lambda d: d["mappings"][0]["cores_per_layer"].__setitem__(4, 11)),
        "pieces per layer: layer 4 has 11, the limit is 10",
    )
    yield (
        "counts that overflow",
        mappings(lambda d: d["mappings"][0].update(cores_per_layer=[(1 << 24) - 1] * 5)),
        "pieces per layer: layer 0 has 16777215",
    )
    yield (
        "a second fault",
        mappings(lambda d: d["mappings"][1]["placement"].__setitem__(0, 999)),
        "tiny-gen: illegal mapping: absent core: logical core 0 has 999",
    )


def _same(placement: list[int]) -> None:
    placement[0] = placement[1]


def _solver_track() -> Rows:
    yield "no trace", lambda folder: (folder / TRACE).unlink(), f"{TRACE}: is missing"
    yield "trace a link", linked(TRACE, "/dev/zero"), f"{TRACE}: is a symbolic link"
    yield "trace a pipe", replaced(TRACE, os.mkfifo), f"{TRACE}: is a pipe"
    yield "trace a terabyte", sparse(TRACE, 1 << 40), "bytes; at most 33,554,432 are read"
    yield "trace empty", put(TRACE, ""), "mlp-xs, seed 0 is missing (4 of 4 are)"
    yield "trace not UTF-8", put(TRACE, b"\xff\n"), "byte 0 is not UTF-8"
    yield "trace a BOM", put(TRACE, b"\xef\xbb\xbf{}\n"), "byte order mark"
    yield "trace cut off", edit(TRACE, lambda text: text[:-20]), "the last line is cut off"
    yield "trace with a gap", edit(TRACE, lambda t: t.replace("\n", "\n\n", 1)), "line 2: is empty"
    yield "trace all blank", put(TRACE, " \n" * 9), "line 1: is empty"
    yield "a long line", put(TRACE, " " * 70_000 + "\n"), "line 1: is longer than 65,536"
    yield "a deep line", put(TRACE, "[" * 60_000 + "\n"), "line 1: is nested too deeply"
    yield "a long number", put(TRACE, "9" * 60_000 + "\n"), "line 1: a number has 60,000 digits"
    yield "a line of text", put(TRACE, "hello\n"), "line 1: is not JSON"
    yield "a line of NaN", put(TRACE, "NaN\n"), "line 1: NaN is not a whole number"
    yield "a list", put(TRACE, "[]\n"), "line 1: is a list of 0"
    yield "claims latency", trace_first(latency_ps=1), "line 1: unknown field 'latency_ps'; scores"
    yield "no evaluation", trace(lambda rows: rows[0].pop("evaluation")), "'evaluation' is missing"
    yield "evaluation 0", trace_first(evaluation=0), "line 1: evaluation is 0"
    yield "evaluation -1", trace_first(evaluation=-1), "line 1: evaluation is -1"
    yield "evaluation true", trace_first(evaluation=True), "line 1: evaluation is True"
    yield "evaluation text", trace_first(evaluation="1"), "line 1: evaluation is '1'"
    yield "begins late", trace_first(evaluation=2), "begins with evaluation 2"
    yield "no beginning", trace(lambda rows: rows.pop(0)), "mlp-xs, seed 0: begins with evaluation"
    yield (
        "evaluations fall",
        trace(lambda rows: rows[1].update(evaluation=1)),
        "evaluation 1 comes after 1; they have to rise",
    )
    yield "beyond the budget", trace(_late), "is beyond the budget of 60"
    yield "no improvement", trace(no_better), "it is no improvement"
    yield "the same over and over", trace(endless), "it is no improvement"
    yield "lines exchanged", trace(lambda rows: rows.reverse()), "begins with evaluation"
    yield "a line twice", trace(lambda rows: rows.insert(0, rows[0])), "they have to rise"
    yield "the best is missing", trace(_without_last), "its last mapping is not the one of mappings"
    yield "another seed", trace_first(seed=7), "mlp-xs, seed 7 is not of this track"
    yield "seed negative", trace_first(seed=-1), "line 1: seed is -1"
    yield "seed text", trace_first(seed="0"), "line 1: seed is '0'"
    yield "another problem", trace_first(problem="mlp-deep"), "mlp-deep, seed 0 is not of this"
    yield "problem a path", trace_first(problem="../x"), "'../x', not a problem"
    yield "an illegal step", trace_first(placement=[0]), "evaluation 1: mlp-xs, seed 0: illegal"
    yield "a core twice", trace(lambda rows: _same(rows[0]["placement"])), "logical cores per core"
    yield "a run is missing", trace(_without_run), "tiny-gen, seed 1 is missing (1 of 4 are)"
    yield (
        "1,001 lines",
        trace(lambda rows: rows.__setitem__(slice(0), rows[:1] * 1001)),
        ("mlp-xs, seed 0 has more than 1000 improvements"),
    )
    yield "another mapping", mappings(_exchanged), "its last mapping is not the one of"
    yield "a seed is missing", mappings(lambda d: d["mappings"].pop(1)), "mlp-xs, seed 1 is missing"
    yield "a seed too many", mappings(_third_seed), "mlp-xs, seed 2 is not of this suite and track"
    yield "seed true", first(seed=True), "mappings[0]: seed is True"
    yield "seed null", first(seed=None), "mappings[0]: seed is None"
    yield "no seed", mappings(lambda d: d["mappings"][0].pop("seed")), "field 'seed' is missing"
    yield "reproduced", put("reproduced.toml", ""), "is for the maintainers to add"
    yield "as mapping", about("track", '"mapping"'), "[bundled] is for solver tracks"
    for text, words in (
        ("", "field 'solver' is missing"),
        ('solver = ""', "solver is ''"),
        ('solver = "os.system"', "solver is 'os.system'"),
        ('solver = "../ga"', "solver is '../ga'"),
        ("solver = 1", "solver is 1"),
    ):
        yield (
            f"bundled {text}",
            edit(
                ABOUT,
                lambda t, new=text: t.replace('solver = "anneal"\noptions', f"{new}\noptions"),
            ),
            words,
        )
    for options, words in (
        ("1", "options is 1"),
        ("{a = nan}", "option a is nan"),
        ("{a = inf}", "option a is inf"),
        ("{a = 9999999999999}", "option a is 9999999999999"),
        ("{a = []}", "option a is a list of 0"),
        ("{a = 2026-11-25}", "option a is datetime.date"),
        ('{a = "$(id)"}', "option a is '$(id)'"),
        ('{"a b" = 1}', "option is 'a b'"),
        ("{__class__ = 1}", "option is '__class__'"),
        (f"{{{', '.join(f'a{i} = 1' for i in range(30))}}}", "options is a table of 30"),
    ):
        yield f"options {options[:20]}", about("options", options), words
    yield "bundled claims", about_last("score = 1"), "unknown field 'score'; scores are computed"


def endless(rows: list[dict[str, Any]]) -> None:
    """The first mapping 59 times, then the best."""
    first = [i for i, row in enumerate(rows) if (row["problem"], row["seed"]) == ("mlp-xs", 0)]
    more = [rows[0] | {"evaluation": number} for number in range(1, 60)]
    rows[: len(first)] = [*more, rows[first[-1]] | {"evaluation": 60}]


def _late(rows: list[dict[str, Any]]) -> None:
    last = max(i for i, row in enumerate(rows) if (row["problem"], row["seed"]) == ("mlp-xs", 0))
    rows[last]["evaluation"] = 61


def _without_last(rows: list[dict[str, Any]]) -> None:
    mine = [i for i, row in enumerate(rows) if (row["problem"], row["seed"]) == ("mlp-xs", 0)]
    assert len(mine) > 1
    del rows[mine[-1]]


def _without_run(rows: list[dict[str, Any]]) -> None:
    rows[:] = [row for row in rows if (row["problem"], row["seed"]) != ("tiny-gen", 1)]


def _exchanged(data: dict[str, Any]) -> None:
    one = data["mappings"][0]["placement"]
    one[0], one[-1] = one[-1], one[0]


def _third_seed(data: dict[str, Any]) -> None:
    data["mappings"].append(data["mappings"][0] | {"seed": 2})
