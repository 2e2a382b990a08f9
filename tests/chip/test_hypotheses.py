"""Sets of plausible chips: what the bundled ones hold, and what is refused."""

import pytest

from loihi_gym.chip import load_chip
from loihi_gym.chip.hypotheses import BASE, hypotheses_names, load_hypotheses
from loihi_gym.chip.spec import OPTIONS
from loihi_gym.errors import ChipFileError, UnknownNameError

SETS = {"loihi2-hypotheses": "loihi2", "kapoho-point-hypotheses": "kapoho-point"}
UNKNOWN = (
    *("costs.link_ps", "costs.synop_ps", "costs.synmem_word_ps", "costs.axon_ps"),
    *("network.receiver_queue", "network.router_buffer"),
)


def written(tmp_path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_bundled_sets():
    assert hypotheses_names() == sorted(SETS)


@pytest.mark.parametrize(("name", "base"), SETS.items())
def test_a_bundled_set_moves_every_unknown(name, base):
    found = load_hypotheses(name)
    assert found.members[0].chip == load_chip(base)
    assert found.names[0] == BASE
    assert len(found.members) == len(set(found.names)) == 13
    chips = found.chips
    for constant in UNKNOWN:
        section, key = constant.split(".")
        assert len({getattr(getattr(chip, section), key) for chip in chips}) > 1, constant
    for choice in OPTIONS.keys() - {"idle_chips"}:
        assert len({getattr(chip.structure, choice) for chip in chips}) > 1, choice
    for one in found.members[1:]:
        assert one.why
        assert one.chip.name == f"{base}+{one.name}"
        for fact, value in one.changes.items():
            section, key = fact.split(".")
            assert getattr(getattr(one.chip, section), key) == value


def test_every_change_is_within_the_range_of_its_constant():
    for name, base in SETS.items():
        constants = load_chip(base).constants
        for one in load_hypotheses(name).members:
            for fact, value in one.changes.items():
                if fact in constants and constants[fact].range is not None:
                    low, high = constants[fact].range
                    assert low <= value <= high + 20, (one.name, fact)


def test_a_set_is_laid_over_another_chip():
    over = load_hypotheses("loihi2-hypotheses").over(load_chip("loihi2-24"))
    assert [chip.n_cores for chip in over.chips] == [24] * 13
    assert over.chips[1].name == "loihi2-24+multicast"
    assert over.chips[1].structure.multicast == "tree"


def test_what_is_there_twice_over_another_chip_is_left_out():
    tree = load_chip("loihi2").with_choice("structure.multicast", "tree")
    over = load_hypotheses("loihi2-hypotheses").over(tree)
    assert "multicast" not in over.names
    assert len(over.members) == 12


def test_members_are_chosen_or_left_out():
    assert load_hypotheses("loihi2-hypotheses,multicast").names == ("multicast",)
    without = load_hypotheses("loihi2-hypotheses,-dense-rows,-multicast")
    assert len(without.members) == 11
    assert not {"dense-rows", "multicast"} & set(without.names)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("loihi2-hypotheses,dense", "unknown hypothesis of loihi2-hypotheses 'dense'"),
        ("loihi2-hypotheses,multicast,-dense-rows", "both names members and leaves some out"),
        ("loihi2-hypotheses,-default,-dense", "unknown hypothesis"),
        ("loihi3-hypotheses", "unknown set of hypotheses 'loihi3-hypotheses'"),
        ("", "unknown set of hypotheses ''"),
        ("none.toml", "hypotheses none.toml: No such file"),
    ],
)
def test_a_wrong_name_is_refused(name, text):
    with pytest.raises((UnknownNameError, ChipFileError), match=text):
        load_hypotheses(name)


WHY = 'why = "because"\n'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[", "are not TOML"),
        ("", "hypotheses mine are 0: 1 to 255 can be used"),
        (f"[a]\n{WHY}", "a needs 'why' and at least one change"),
        ('[a]\n"costs.link_ps" = 5\n', "a needs 'why' and at least one change"),
        (f'[a]\n{WHY}"costs.link_ps" = 1160\n', "a is the same chip as default"),
        (
            f'[a]\n{WHY}"costs.link_ps" = 5\n[b]\n{WHY}"costs.link_ps" = 5\n',
            "b is the same chip as a",
        ),
        (f'[a]\n{WHY}"costs.links_ps" = 5\n', "a: unknown constant 'costs.links_ps'"),
        (f'[a]\n{WHY}"costs.link_ps" = -5\n', "a: costs.link_ps = -5 is not a whole number"),
        (f'[a]\n{WHY}"costs.link_ps" = 1.5\n', "is not a whole number"),
        (f'[a]\n{WHY}"structure.multicast" = "some"\n', "unknown option of structure.multicast"),
        (f'[a]\n{WHY}"structure.rows" = 5\n', "unknown option of structure.rows"),
        (f'[default]\n{WHY}"costs.link_ps" = 5\n', "'default' cannot be the name"),
        (f'["-a"]\n{WHY}"costs.link_ps" = 5\n', "'-a' cannot be the name"),
        (f'base = 5\n[a]\n{WHY}"costs.link_ps" = 5\n', "base = 5 is no chip's name"),
        (f'base = "loihi3"\n[a]\n{WHY}"costs.link_ps" = 5\n', "unknown chip 'loihi3'"),
    ],
)
def test_a_malformed_set_is_refused(tmp_path, text, named):
    with pytest.raises((ChipFileError, UnknownNameError)) as caught:
        load_hypotheses(written(tmp_path, text))
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_users_own_set(tmp_path):
    text = f'base = "loihi2-24"\n[a]\n{WHY}"costs.link_ps" = 5\n"structure.rows" = "dense"\n'
    found = load_hypotheses(written(tmp_path, text))
    assert found.names == ("default", "a")
    assert found.chips[1].costs.link_ps == 5
    assert found.chips[1].structure.rows == "dense"
