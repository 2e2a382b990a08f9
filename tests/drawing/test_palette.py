"""Colours told apart by people who see no red, no green or no blue.

Deficient vision is simulated by the matrices of Machado, Oliveira and Fernandes (2009), severity 1;
distances are CIE 1976 in L*a*b*, where about 2 is the least that is seen side by side.
"""

from itertools import pairwise

import numpy as np
import pytest

from loihi_gym.drawing.palette import FREE, HEAT, layer_colour

VISIONS = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
vision = pytest.mark.parametrize("vision", VISIONS)


def rgb(text):
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(colour):
    colour = np.array(colour)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def lab(colour, vision="normal"):
    seen = np.clip(np.array(VISIONS[vision]) @ linear(colour), 0, 1)
    x, y, z = (np.array(TO_XYZ) @ seen) / [0.9505, 1.0, 1.089]
    x, y, z = (np.cbrt(t) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one, other, vision):
    return np.linalg.norm(lab(one, vision) - lab(other, vision))


@vision
def test_heat_grows_darker_all_the_way(vision):
    lightness = [lab(rgb(colour), vision)[0] for colour in HEAT]
    assert all(a > b for a, b in pairwise(lightness)), lightness
    assert all(apart(rgb(a), rgb(b), vision) > 15 for a, b in pairwise(HEAT))


@vision
@pytest.mark.parametrize("n_layers", [2, 5, 11, 33])
def test_neighbouring_layers_are_told_apart(vision, n_layers):
    colours = [layer_colour(layer, n_layers) for layer in range(n_layers)]
    for one, other in pairwise(colours):
        assert apart(one, other, vision) > 10
    assert all(apart(colour, rgb(FREE), vision) > 8 for colour in colours)


@pytest.mark.parametrize("n_layers", [1, 2, 11, 33])
def test_black_numbers_are_read_on_every_layer(n_layers):
    for layer in range(n_layers):
        luminance = (np.array(TO_XYZ) @ linear(layer_colour(layer, n_layers)))[1]
        assert (luminance + 0.05) / 0.05 >= 4.5  # WCAG AA


@vision
def test_heat_is_told_from_layers(vision):
    """From its second colour on: what is jammed is never taken for a layer."""
    for heat in HEAT[2:]:
        for layer in range(11):
            assert apart(rgb(heat), layer_colour(layer, 11), vision) > 12
