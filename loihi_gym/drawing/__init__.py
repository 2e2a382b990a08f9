"""Pictures: the mesh with a mapping on it, as text, picture, window or animation."""

from .mesh_drawing import MeshDrawing, Window, picture, save, text

__all__ = ["MeshDrawing", "Window", "picture", "save", "text"]
