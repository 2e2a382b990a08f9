"""What a submission's files may hold is described once: reading and writing follow it."""

import tomllib
from dataclasses import fields

import pytest

from loihi_gym.errors import SubmissionError
from loihi_gym.leaderboard.pack import about_text
from loihi_gym.leaderboard.schema import Field, listed, read_table, text, whole
from loihi_gym.leaderboard.submission import ABOUT_FIELDS, About
from tests.leaderboard.boards import ANNEAL

FIELDS = {
    "name": Field(text("a word", r"[a-z]+", longest=5)),
    "size": Field(whole(1, 9), 1),
    "cores": Field(listed(whole(0, 7), "numbers"), ()),
    "pairs": Field(listed(listed(whole(0, 1), "numbers"), "one or two pairs", (1, 2)), ()),
}


def test_a_table_is_read_in_the_order_of_its_description():
    read = read_table({"size": 2, "name": "a"}, "x", FIELDS)
    assert list(read.items()) == [("name", "a"), ("size", 2), ("cores", ()), ("pairs", ())]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "x: is a list of 0, not a table of fields"),
        ({}, "x: field 'name' is missing"),
        ({"name": "a", "Name": 1}, "x: unknown field 'Name'; scores are computed"),
        ({"name": "a\n"}, r"x: name is 'a\n', not a word"),
        ({"name": "aaaaaa"}, "x: name is 'aaaaaa', not a word"),
        ({"name": "a", "size": True}, "x: size is True, not a whole number from 1 to 9"),
        ({"name": "a", "cores": [0, 8]}, "x: cores[1] is 8, not a whole number from 0 to 7"),
        ({"name": "a", "cores": [False]}, "x: cores[0] is False"),
        ({"name": "a", "pairs": []}, "x: pairs is a list of 0, not a list of one or two pairs"),
        ({"name": "a", "pairs": [[0], [2]]}, "x: pairs[1][0] is 2"),
    ],
)
def test_what_is_not_as_described_is_named(value, message):
    with pytest.raises(SubmissionError) as caught:
        read_table(value, "x", FIELDS)
    assert str(caught.value).startswith(message)


def test_what_is_written_has_the_fields_that_are_read(world):
    assert {"format", *(one.name for one in fields(About))} == set(ABOUT_FIELDS)
    data = tomllib.loads((world.made / ANNEAL / "submission.toml").read_text())
    assert list(data) == list(ABOUT_FIELDS)
    read = read_table(data, "submission.toml", ABOUT_FIELDS)
    assert about_text(About(**{k: v for k, v in read.items() if k != "format"})) == (
        world.made / ANNEAL / "submission.toml"
    ).read_text(encoding="utf-8")
