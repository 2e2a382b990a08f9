import re
from pathlib import Path

import pytest

from loihi_gym.errors import FigureFileError
from loihi_gym.validation import Convolution, load_figures
from loihi_gym.validation.figures import STATUSES

FIGURES = {figure.name: figure for figure in load_figures()}
PAGE = (Path(__file__).parents[2] / "docs" / "validation.md").read_text(encoding="utf-8")
SMALL = """
[figures.small]
what = "two layers"
measured = [1.0, 2.0]
unit = "us per step"
status = "measured"
chips = 1
network = "small"
assumed = "All."
source = "here"

[networks.small]
widths = [4, 2]
connections = [{ density = 1.0 }]
active = [0.5, 0.0]
cores = [2, 1]
message_bits = 32
"""


def read(tmp_path, text: str):
    path = tmp_path / "figures.toml"
    path.write_text(text, encoding="utf-8")
    return load_figures(path)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=list(FIGURES))
def test_every_figure_says_what_it_assumes_and_where_it_is_from(figure):
    assert figure.status in STATUSES
    assert figure.assumed.endswith(".")
    assert figure.source
    assert figure.what
    assert (figure.network is None) == bool(figure.unsimulated)
    assert figure.low is None or 0 < figure.low <= figure.high


@pytest.mark.parametrize("figure", FIGURES.values(), ids=list(FIGURES))
def test_the_page_says_the_same(figure):
    said = figure.unsimulated or figure.assumed
    assert f"| `{figure.name}` | {figure.what} | {said} | {figure.source} |" in PAGE


def test_the_published_numbers():
    measured = {name: (figure.low, figure.high) for name, figure in FIGURES.items()}
    assert measured == {
        "ozu-lif-200": (1.75, 1.80),
        "ozu-lif-600": (1.75, 1.80),
        "ozu-lif-1200": (1.75, 1.80),
        "pilotnet-lif": (152.8, 152.8),
        "hala-point-mlp": (3.1, 6.2),
        "autoencoder": (4.8, 6.9),
        "matmul-free-block": (None, 150.8),
        "pilotnet-lif-energy": (68, 68),
        "autoencoder-energy": (4.06, 5.80),
        "ozu-izhikevich": (2.2, 7.45),
        "q-learning-action": (12.86, 12.86),
        "q-learning-update": (58.42, 58.42),
        "max-affine": (0.97, 1.0),
    }
    # What these are by arithmetic.
    assert pytest.approx(152.8, abs=0.05) == 1e6 / (408.91 * 16)
    assert pytest.approx(68, abs=0.5) == 0.447 * 152.8
    assert pytest.approx([4.8, 6.9], abs=0.05) == [48.3 / 10, 48.3 / 7]
    assert pytest.approx([4.06, 5.80]) == [40.6 / 10, 40.6 / 7]
    for operations, us in ((1, 3.1), (2, 6.2)):
        assert operations * 14_784 * 2_048**2 / 20e15 * 1e6 == pytest.approx(us, abs=0.05)


def test_the_published_core_counts_and_shapes():
    networks = {name: figure.network for name, figure in FIGURES.items() if figure.network}
    for neurons, cores in ((200, 5), (600, 21), (1_200, 69)):
        network = networks[f"ozu-lif-{neurons}"]
        assert network.widths == (neurons, neurons)
        assert network.cores == (cores, cores)
    pilotnet = networks["pilotnet-lif"]
    assert pilotnet is networks["pilotnet-lif-energy"]
    assert pilotnet.cores == (13, 25, 13, 3, 3, 2, 12, 1, 1, 1)
    assert pilotnet.widths[0] == 200 * 66 * 3
    assert pilotnet.widths[-5:] == (2_560, 100, 50, 10, 1)
    assert sum(isinstance(each, Convolution) for each in pilotnet.connections) == 5
    autoencoder = networks["autoencoder"]
    assert autoencoder.widths == (256, 128, 64, 32, 64, 128, 256)
    assert sum(autoencoder.cores) == 74
    mlp = networks["hala-point-mlp"]
    assert set(mlp.widths) == {2_048}
    assert set(mlp.connections) == set(mlp.active) == {0.1}


def test_a_file_of_ones_own(tmp_path):
    (figure,) = read(tmp_path, SMALL)
    assert (figure.name, figure.low, figure.high) == ("small", 1.0, 2.0)
    assert figure.network.widths == (4, 2)
    assert figure.network.weight_bits == 8
    (upper,) = read(tmp_path, SMALL.replace("[1.0, 2.0]", "[2.0]"))
    assert (upper.low, upper.high) == (None, 2.0)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[1.0, 2.0]", "[2.0, 1.0]", "figures.small: measured"),
        ("[1.0, 2.0]", "[nan]", "figures.small: measured"),
        ("[1.0, 2.0]", "[]", "figures.small: measured"),
        ('"us per step"', '"us"', "figures.small: unit"),
        ('"measured"', '"guessed"', "figures.small: status"),
        ("chips = 1", "chips = true", "figures.small: chips"),
        ('network = "small"', 'network = "large"', "figures.small: network"),
        ('assumed = "All."', 'assumed = ""', "figures.small: assumed"),
        ('source = "here"', "", "figures.small: source"),
        ('source = "here"', 'source = "here"\nmore = 1', "figures.small: unknown key 'more'"),
        ("[4, 2]", "[4]", "networks.small: widths"),
        ("[4, 2]", "[4, 0]", "networks.small: shapes"),
        ("widths = [4, 2]", "shapes = [[4, 4], [2]]", "networks.small: shapes"),
        ("density = 1.0", "density = 0.0", "networks.small: connections 1: density"),
        ("density = 1.0", "density = 1.0, more = 1", "networks.small: connections 1: more"),
        ("density = 1.0", "kernel = [3]", "networks.small: connections 1: kernel"),
        ("[{ density = 1.0 }]", "[{ density = 1.0 }, { density = 1.0 }]", "connections"),
        ("[4, 2]", "[100000, 100000]", "connections 1: density"),
        ("[0.5, 0.0]", "[0.5, 1.5]", "networks.small: active"),
        ("[0.5, 0.0]", "[0.5]", "networks.small: active"),
        ("[2, 1]", "[2, 0]", "networks.small: cores"),
        ("message_bits = 32", "message_bits = 33", "networks.small: message_bits"),
        ("message_bits = 32", "message_bits = 32\nrows = 'x'", "networks.small: rows"),
        ("message_bits = 32", "message_bits = 32\nweight_bits = 9", "networks.small: weight_bits"),
        ("message_bits = 32", "message_bits = 32\nx = 1", "networks.small: unknown key 'x'"),
        ("[networks.small]", "[nets.small]", "[figures] and [networks]"),
        ("[networks.small]", "[networks", "not TOML"),
    ],
)
def test_a_malformed_file_is_named_in_one_line(tmp_path, old, new, named):
    with pytest.raises(FigureFileError, match=re.escape(named)) as caught:
        read(tmp_path, SMALL.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FigureFileError, match=r"none\.toml: No such file"):
        load_figures(tmp_path / "none.toml")


def test_a_convolution_must_make_the_image_that_follows():
    how = Convolution(kernel=(3, 3), stride=(1, 2), padding=(0, 1))
    assert how.size((24, 7)) == (22, 4)
