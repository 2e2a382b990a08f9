"""Colours: layers are cool, heat is warm, and neither needs an eye for red and green.

Heat grows darker all the way. Layers run from violet by blue to cyan, every other one deeper, and
cores carry their layer's number besides. `site/mesh.js` of the leaderboard has the same colours.
"""

from colorsys import hls_to_rgb

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""

FREE = "#f0f0f0"
MARK = "#000000"
HEAT = ("#dddddd", "#ffd27f", "#ff8c1a", "#e01f1f", "#7a0010")
"""From idle to the end of the scale."""
HEAT_AT = (0.0, 0.15, 0.4, 0.7, 1.0)
"""Where on the scale each of `HEAT` is: closer in the lower part, where fast mappings are."""
FIRST_HUE, LAST_HUE = 270, 190
DEEP, PALE = (0.64, 0.5), (0.82, 0.95)
"""Lightness and saturation of layers with odd and with even numbers."""


def layer_colour(layer: int, n_layers: int) -> Colour:
    """Colour of the cores of a layer."""
    hue = FIRST_HUE + (LAST_HUE - FIRST_HUE) * layer / max(n_layers - 1, 1)
    lightness, saturation = DEEP if layer % 2 else PALE
    return hls_to_rgb(hue / 360, lightness, saturation)
