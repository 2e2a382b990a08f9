"""Whatever bytes a file has, a submission is accepted or refused with one line: nothing else."""

import json
import random

import pytest

from loihi_gym.errors import SubmissionError
from loihi_gym.leaderboard.check import check
from tests.leaderboard.boards import ANNEAL

PIECES = [b"", b"\0", b"\xff", b'"', b"[", b"]", b"{", b"}", b",", b"-", b"1e9", b"9" * 20, b"\n"]
PIECES += [b"null", b"true", b"NaN", b"\\", b"\\ud800", b"=", b"'", b"\xe2\x80\xae"]
VALUES = [None, True, -1, 0, 1 << 40, "", "x", [], {}, [[]], [None]]
"""What a value of JSON may be changed to."""


def refusal(folder):
    try:
        check(folder)
    except SubmissionError as error:
        text = str(error)
        assert text
        assert text.isprintable()
        return text
    return None


@pytest.mark.parametrize("file", ["submission.toml", "mappings.json", "trace.jsonl"])
def test_changed_bytes(world, tmp_path, file):
    folder, rng = world.copy(ANNEAL, tmp_path), random.Random(file)
    good, refused = (folder / file).read_bytes(), 0
    for _ in range(150):
        data = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            start = rng.randrange(len(data) + 1)
            data[start : start + rng.choice([0, 1, 5, 100])] = rng.choice(PIECES)
        (folder / file).write_bytes(data)
        refused += refusal(folder) is not None
    assert refused > 100
    (folder / file).write_bytes(good)
    assert refusal(folder) is None


def places(value, path=()):
    """Paths to all that is in some JSON."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@pytest.mark.parametrize("file", ["mappings.json", "trace.jsonl"])
def test_changed_values(world, tmp_path, file):
    folder, rng = world.copy(ANNEAL, tmp_path), random.Random(file)
    lines = file.endswith("l")
    text = (folder / file).read_text()
    for _ in range(150):
        data = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
        *way, last = rng.choice([path for path in places(data) if path])
        inner = data
        for key in way:
            inner = inner[key]
        before, inner[last] = inner[last], rng.choice(VALUES)
        changed = "\n".join(map(json.dumps, data)) + "\n" if lines else json.dumps(data)
        (folder / file).write_text(changed)
        if refusal(folder) is None:  # nothing else than another core may be taken
            assert type(before) is type(inner[last]) is int
