"""Pictures: the mesh with a mapping on it, as text, picture, window or animation."""

from .cell_picture import Picture, show
from .compare_drawing import Shown, comparison, comparison_text, save_comparison
from .mesh_drawing import MeshDrawing, Window, picture, save
from .mesh_text import text

__all__ = [
    "MeshDrawing",
    "Picture",
    "Shown",
    "Window",
    "comparison",
    "comparison_text",
    "picture",
    "save",
    "save_comparison",
    "show",
    "text",
]
