import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym.errors import IllegalMappingError, MappingFileError
from loihi_gym.mapping import Mapping
from tests.toys import examples

LINE = '{"format":"loihi-gym-mapping","version":1,"cores_per_layer":[1,2],"placement":[3,0,151]}'
DIGEST = "b14857b0e620ef09117e064fbf9317b89c67661281185816c30826d25cda3335"

numbers = st.lists(st.integers(0, (1 << 24) - 1), max_size=20)


def changed(**changes: object) -> str:
    """The good file with some fields replaced."""
    return json.dumps({**json.loads(LINE), **changes})


def refused(text: str) -> str:
    """The one-line message with which a text is refused."""
    with pytest.raises(MappingFileError) as caught:
        Mapping.from_json(text, source="mine.json")
    message = str(caught.value)
    assert message.startswith("mine.json")
    assert "\n" not in message
    return message


@examples(100)
@given(numbers, numbers)
def test_json_round_trip(cores_per_layer, placement):
    mapping = Mapping(cores_per_layer, placement)
    again = Mapping.from_json(mapping.to_json())
    assert again == mapping
    assert hash(again) == hash(mapping)
    assert again.digest == mapping.digest
    assert again.cores_per_layer.tolist() == cores_per_layer
    assert again.placement.tolist() == placement
    assert "\n" not in mapping.to_json()


@examples(100)
@given(numbers, numbers, numbers, numbers)
def test_equal_digests_are_equal_mappings(a, b, c, d):
    one, other = Mapping(a, b), Mapping(c, d)
    assert (one == other) == (one.digest == other.digest) == ((a, b) == (c, d))


def test_golden_form_and_digest():
    mapping = Mapping([1, 2], [3, 0, 151])
    assert mapping.to_json() == LINE
    assert mapping.digest == DIGEST
    assert Mapping(np.array([1, 2], np.int64), np.array([3, 0, 151], np.uint8)).digest == DIGEST


def test_the_boundary_between_the_lists_matters():
    assert Mapping([1, 2], [3]) != Mapping([1], [2, 3])
    assert Mapping([1], [0]) != "a mapping"


def test_a_mapping_cannot_be_changed():
    cores = np.array([1, 2])
    mapping = Mapping(cores, [0, 1, 2])
    cores[0] = 9
    assert mapping.cores_per_layer.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        mapping.placement[0] = 1
    assert mapping.n_logical_cores == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.0], "type float64 and shape (2,)"),
        (np.array([1.5]), "type float64"),
        ([float("nan")], "type float64"),
        ([True, False], "type bool"),
        ([1, True], "no list of whole numbers"),
        (np.array([True]), "type bool"),
        ([1, -1], "numbers from -1 to 1; they go from 0 to 16777216"),
        (np.array([-1], np.int8), "numbers from -1 to -1"),
        ([1 << 24], "numbers from 16777216"),
        (np.array([1 << 32]), "numbers from 4294967296"),
        (np.array([1 << 63], np.uint64), "numbers from 9223372036854775808"),
        ([10**30], "type object"),
        ([[1, 2], [3, 4]], "shape (2, 2)"),
        (np.ones((1, 2), np.int32), "type int32 and shape (1, 2)"),
        (np.int32(3), "shape ()"),
        ([[1], [2, 3]], "no list of whole numbers: "),
        (["1"], "no list of whole numbers"),
        ("12", "no list of whole numbers"),
        (None, "type object"),
        ([None], "type object"),
        ({1: 2}, "type object"),
    ],
    ids=repr,
)
def test_what_cannot_count_cores_is_refused(values, message):
    for name, arguments in (("cores_per_layer", (values, [0])), ("placement", ([1], values))):
        with pytest.raises(IllegalMappingError) as caught:
            Mapping(*arguments)
        assert str(caught.value).startswith(f"{name} ")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_whole_numbers_of_any_kind_are_taken():
    for kind in (np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64):
        assert Mapping(np.array([1], kind), np.array([7], kind)) == Mapping((1,), range(7, 8))
    assert Mapping([], []).n_logical_cores == 0


def test_order_and_white_space_of_a_file_do_not_matter():
    fields = dict(reversed(json.loads(LINE).items()))
    assert Mapping.from_json(json.dumps(fields, indent=2)).digest == DIGEST


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        (LINE + "x", "is not JSON"),
        (LINE.replace("[1,2]", "[" * 100_000), "is not JSON"),
        (LINE.replace("[1,2]", "[" * 100_000 + "]" * 100_000), "is not JSON"),
        (LINE.replace("151", "9" * 5000), ""),
        ("[1,2]", "is not a mapping"),
        ("null", "is not a mapping"),
        ('"mapping"', "is not a mapping"),
        ("{}", "is not a mapping"),
        (changed(format="loihi-mapping"), "is not a mapping"),
        (changed(format=["loihi-gym-mapping"]), "is not a mapping"),
        (changed(version=2), "has version 2; this release reads 1"),
        (changed(version="1"), "has version '1'"),
        (changed(version=None), "has version None"),
        (changed(version=True), "has version True"),
        (changed(version=1.0), "has version 1.0"),
        (changed(author="me"), "author"),
        (changed(**{"two\nlines": 1}), "missing or unknown fields"),
        (LINE.replace('"placement"', '"place"'), "placement"),
        (LINE.replace(',"placement":[3,0,151]', ""), "placement"),
        (LINE[:-1] + ',"placement":[0]}', "key 'placement' stands twice"),
        (LINE[:-1] + ',"version":1}', "key 'version' stands twice"),
        (changed(placement=3), "placement is not a list"),
        (changed(placement={"0": 3}), "placement is not a list"),
        (changed(cores_per_layer=None), "cores_per_layer is not a list"),
        (changed(cores_per_layer=[1, True]), "cores_per_layer[1] = True is not"),
        (changed(cores_per_layer=[1.0, 2]), "cores_per_layer[0] = 1.0 is not"),
        (changed(placement=[3, -1, 151]), "placement[1] = -1 is not"),
        (changed(placement=[3, 0, 1 << 24]), "placement[2] = 16777216 is not"),
        (changed(placement=[3, 0, 10**30]), f"placement[2] = {10**30} is not"),
        (changed(placement=["3", 0, 151]), "placement[0] = '3' is not"),
        (changed(placement=["3\n", 0, 151]), r"placement[0] = '3\n' is not"),
        (changed(placement=[[3], 0, 151]), "placement[0] = [3] is not"),
        (changed(placement=[None, 0, 151]), "placement[0] = None is not"),
        (changed(placement=[float("nan"), 0, 1]), "placement[0] = nan is not"),
        (changed(placement=[float("inf"), 0, 1]), "placement[0] = inf is not"),
    ],
    ids=lambda value: re.sub(r"\W+", " ", value[-40:]).strip() or "empty",
)
def test_a_malformed_file_is_refused_in_one_line(text, message):
    assert message in refused(text)


@examples(60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(["format", "version", "cores_per_layer", "placement", None]),
)
def test_any_json_is_read_or_refused_in_one_line(value, field):
    text = json.dumps(value) if field is None else changed(**{field: value})
    try:
        mapping = Mapping.from_json(text)
    except MappingFileError as error:
        outcome = str(error)
    else:
        outcome = mapping.to_json()
        assert json.loads(text) == json.loads(outcome)
    assert len(outcome.splitlines()) == 1


def test_save_and_load(tmp_path):
    path, mapping = tmp_path / "mine.json", Mapping([1, 2], [3, 0, 151])
    mapping.save(path)
    assert path.read_text(encoding="utf-8") == LINE + "\n"
    assert Mapping.load(path) == mapping
    assert Mapping.load(str(path)) == mapping


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "is not a valid mapping: 'utf-8' codec"),
        (b"not JSON", "is not JSON"),
        (b"{}", "is not a mapping"),
    ],
)
def test_load_names_the_file(tmp_path, content, message):
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(MappingFileError, match=rf"mine\.json {message}"):
        Mapping.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MappingFileError, match=r"nowhere\.json: No such file"):
        Mapping.load(tmp_path / "nowhere.json")
    with pytest.raises(MappingFileError, match=r"Is a directory|Permission denied"):
        Mapping.load(tmp_path)
    with pytest.raises(MappingFileError, match="null byte"):
        Mapping.load(f"{tmp_path}/a\0b.json")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path, mapping = tmp_path / "mine.json", Mapping([1, 2], [3, 0, 151])
    mapping.save(path)

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        Mapping([1], [0]).save(path)
    assert Mapping.load(path) == mapping
    assert list(tmp_path.iterdir()) == [path]


def test_a_save_replaces_the_old_file_at_once(tmp_path, monkeypatch):
    path, old, new = tmp_path / "mine.json", Mapping([1], [0]), Mapping([1, 2], [3, 0, 151])
    old.save(path)
    replace, seen = Path.replace, []

    def spying(temporary, target):
        seen.append((Mapping.load(target), Mapping.load(temporary)))
        return replace(temporary, target)

    monkeypatch.setattr(Path, "replace", spying)
    new.save(path)
    assert seen == [(old, new)]
    assert Mapping.load(path) == new
