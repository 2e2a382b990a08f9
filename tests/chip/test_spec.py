import re

import pytest

from loihi_gym.chip import ChipSpec, chip_names, load_chip
from loihi_gym.chip.barrier import barrier_ps
from loihi_gym.chip.spec import OPTIONS
from loihi_gym.errors import ChipFileError, UnknownNameError

CORES = {
    "booksim-8x4": 128,
    "hala-point": 140_544,
    "kapoho-point": 8 * 152,
    "loihi2": 152,
    "loihi2-12000-words": 152,
    "loihi2-16-chips": 16 * 152,
    "loihi2-2-chips": 2 * 152,
    "loihi2-4-chips": 4 * 152,
    "loihi2-128": 128,
    "loihi2-16": 16,
    "loihi2-24": 24,
    "loihi2-8x19": 152,
    "loihi2-vendor-minimum": 152,
}
STATUSES = {"measured", "vendor", "derived", "assumed", "logged"}

GRID = "[topology]\nchips = [1, 1]\nrouters = [2, 2]\ncores_per_router = 1\n"
PROVENANCE = 'unit = "ps"\nstatus = "vendor"\nsource = "here"\n'
SYNOP = "[costs.synop_ps]\n"


def read(tmp_path, text: str, base: bool = True) -> ChipSpec:
    path = tmp_path / "mine.toml"
    path.write_text(('base = "loihi2"\n' if base else "") + text, encoding="utf-8")
    return load_chip(str(path))


def test_chips_names_every_bundled_chip():
    assert chip_names() == sorted(CORES)


@pytest.mark.parametrize("name", CORES)
def test_bundled_chip_loads(name):
    chip = load_chip(name)
    assert chip.name == name
    assert chip.n_cores == CORES[name]
    assert chip.n_chips == {
        "loihi2-2-chips": 2,
        "loihi2-4-chips": 4,
        "kapoho-point": 8,
        "loihi2-16-chips": 16,
        "hala-point": 1152,
    }.get(name, 1)
    assert chip.description
    assert "\n" not in chip.description
    assert chip.grid[0] in STATUSES
    assert chip.grid[1]


@pytest.mark.parametrize("name", CORES)
def test_every_constant_has_its_provenance(name):
    chip = load_chip(name)
    assert len(chip.constants) == 29
    assert set(chip.choices) == {f"structure.{name}" for name in OPTIONS}
    for dotted, choice in chip.choices.items():
        assert getattr(chip.structure, dotted.split(".")[1]) == choice.value
        assert choice.status in STATUSES
        assert choice.source
    for dotted, constant in chip.constants.items():
        section, key = dotted.split(".")
        assert getattr(getattr(chip, section), key) == constant.value, dotted
        assert constant.unit, dotted
        assert constant.source, dotted
        assert constant.status in STATUSES, dotted
        if constant.range is not None:
            low, high = constant.range
            assert low <= constant.value <= high, dotted
            assert low < high, dotted


def test_a_file_overrides_single_constants_of_its_base(tmp_path):
    base, own = load_chip("loihi2"), read(tmp_path, f"{SYNOP}value = 1\n{PROVENANCE}")
    assert own.name == "mine"
    assert own.n_cores == base.n_cores
    assert own.costs.synop_ps == 1
    assert own.constants["costs.synop_ps"].source == "here"
    differing = {k for k in base.constants if base.constants[k] != own.constants[k]}
    assert differing == {"costs.synop_ps"}


def test_a_topology_replaces_that_of_the_base(tmp_path):
    assert read(tmp_path, GRID).n_cores == 4  # without the base's two coreless routers


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("[topology\n", "mine.toml is not TOML", id="not TOML"),
        pytest.param("x = " + "[" * 5000, "mine.toml is not TOML", id="nested TOML"),
        pytest.param("x = " + "9" * 5000, "mine.toml is not TOML", id="endless number"),
        pytest.param("costs = 5\n", "costs", id="section is no table"),
        pytest.param(f"{SYNOP}value = true\n{PROVENANCE}", "costs.synop_ps", id="bool"),
        pytest.param(f"{SYNOP}value = 1.5\n{PROVENANCE}", "costs.synop_ps = 1.5", id="float"),
        pytest.param(f"{SYNOP}value = -1\n{PROVENANCE}", "costs.synop_ps = -1", id="negative"),
        pytest.param(f'{SYNOP}value = "1"\n{PROVENANCE}', "costs.synop_ps = '1'", id="text"),
        pytest.param(f"{SYNOP}value = 1\n", "costs.synop_ps", id="no unit"),
        pytest.param(
            f'{SYNOP}value = 1\nunit = "ps"\nstatus = "guessed"\nsource = "me"\n',
            "'guessed' of costs.synop_ps",
            id="unknown status",
        ),
        pytest.param(
            f'{SYNOP}value = 1\nrange = [1, "x"]\n{PROVENANCE}', "costs.synop_ps", id="bad range"
        ),
        pytest.param("[costs]\nsynop_ps = 5\n", "costs.synop_ps", id="bare number"),
        pytest.param(
            f"[costs.synops_ps]\nvalue = 1\n{PROVENANCE}", "costs.synops_ps", id="unknown constant"
        ),
        pytest.param(GRID.replace("[2, 2]", "[2]"), "topology.routers = [2]", id="one-sided grid"),
        pytest.param(GRID.replace("[2, 2]", "[2, true]"), "topology.routers", id="bool in grid"),
        pytest.param(GRID.replace("[1, 1]", "[0, 1]"), "topology.chips", id="no chips"),
        pytest.param(
            GRID.replace("router = 1", "router = 0"), "topology.cores_per_router = 0", id="no cores"
        ),
        pytest.param(
            GRID.replace("cores_per_router = 1\n", ""), "topology.cores_per_router", id="no count"
        ),
        pytest.param(f"{GRID}coreless_routers = 3\n", "coreless_routers", id="coreless no list"),
        pytest.param(
            f"{GRID}coreless_routers = [[0, 0, 0]]\n", "coreless_routers", id="coreless triple"
        ),
        pytest.param(
            f"{GRID}coreless_routers = [[7, 7]]\n", "coreless_routers", id="coreless outside"
        ),
        pytest.param(
            f"{GRID}coreless_routers = [[0, 0], [0, 0]]\n", "coreless_routers", id="coreless twice"
        ),
        pytest.param(f'{GRID}status = "guessed"\n', "guessed", id="unknown status of the grid"),
    ],
)
def test_a_malformed_file_is_named_in_one_line(tmp_path, text, named):
    with pytest.raises(ChipFileError, match=re.escape(named)) as caught:
        read(tmp_path, text)
    assert "mine" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("table", ["topology", "costs", "network", "capacity", "energy"])
def test_a_missing_table_is_named(tmp_path, table):
    others = "".join(
        f"[{name}]\n"
        for name in ("topology", "costs", "network", "capacity", "energy")
        if name != table
    )
    with pytest.raises(ChipFileError, match=rf"chip mine: the table \[{table}\] is missing"):
        read(tmp_path, others, base=False)


def test_a_missing_constant_is_named(tmp_path):
    text = f"{GRID}{SYNOP}value = 1\n{PROVENANCE}[network]\n[capacity]\n[energy]\n"
    with pytest.raises(ChipFileError, match=r"costs\.barrier_ps, .*costs\.spike_ps") as caught:
        read(tmp_path, text, base=False)
    assert "synop_ps" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ChipFileError, match=r"nowhere\.toml: No such file"):
        load_chip(str(tmp_path / "nowhere.toml"))


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ChipFileError, match=r"mine\.toml is not TOML"):
        load_chip(str(path))


@pytest.mark.parametrize("name", ["loihi3", "", "loihi2\n", "../chips/loihi2"])
def test_an_unknown_name_gets_a_hint(name):
    with pytest.raises(UnknownNameError, match="unknown chip") as caught:
        load_chip(name)
    assert "loihi2" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_base_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown chip 'loihi3'"):
        read(tmp_path, 'base = "loihi3"\n', base=False)


def test_with_constant_changes_one_number_of_a_copy():
    chip = load_chip("loihi2")
    changed = chip.with_constant("costs.link_ps", 5)
    assert (changed.costs.link_ps, chip.costs.link_ps) == (5, 1160)
    assert changed.constants["costs.link_ps"].value == 5
    assert changed.constants["costs.link_ps"].source == chip.constants["costs.link_ps"].source
    assert changed.with_constant("costs.link_ps", 1160) == chip
    assert hash(changed) != hash(chip)


def test_with_constant_refuses_an_unknown_name():
    with pytest.raises(UnknownNameError, match=r"'costs\.links_ps'; did you mean 'costs\.link_ps'"):
        load_chip("loihi2").with_constant("costs.links_ps", 1)


def test_a_system_of_chips_gets_a_barrier_by_their_number(tmp_path):
    grid = "[topology]\nchips = [4, 4]\nrouters = [8, 5]\ncores_per_router = 4\n"
    chip = read(tmp_path, grid)
    assert 1_480_000 < chip.costs.barrier_ps == barrier_ps(16) < 2_000_000
    assert chip.constants["costs.barrier_ps"].status == "assumed"
    assert "16 chips" in chip.constants["costs.barrier_ps"].source
    own = "[costs.barrier_ps]\nvalue = 7\n" + PROVENANCE
    assert read(tmp_path, grid + own).costs.barrier_ps == 7
    assert read(tmp_path, GRID).costs.barrier_ps == 1_300_000


def test_barriers_are_those_of_the_known_systems():
    assert [barrier_ps(chips) for chips in (1, 8)] == [1_300_000, 1_480_000]
    assert barrier_ps(8) == load_chip("kapoho-point").costs.barrier_ps
    assert barrier_ps(1152) == load_chip("hala-point").costs.barrier_ps
    barriers = [barrier_ps(chips) for chips in range(1, 1200)]
    assert barriers == sorted(barriers)
