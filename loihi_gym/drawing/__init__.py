"""Pictures: the mesh with a mapping on it, as text, picture, window or animation."""

from .compare_drawing import Shown, comparison, comparison_text, save_comparison
from .mesh_drawing import MeshDrawing, Window, picture, save
from .mesh_text import text
from .notebook import Picture, show

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
