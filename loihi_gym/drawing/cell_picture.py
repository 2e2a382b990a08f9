"""Pictures as values: a notebook shows what a cell ends with."""

import io
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from ..backends import make_backend
from ..errors import LoihiGymError
from ..files import write_bytes
from ..mapping import Mapping, Problem
from .compare_drawing import Shown, comparison
from .mesh_drawing import MeshDrawing

MOST_CORES = 512
"""Cores of a mesh that is drawn unasked; a larger one takes seconds."""


@dataclass(frozen=True)
class Picture:
    """A PNG.

    Attributes:
        png: The file's content.
    """

    png: bytes = field(repr=False)

    def _repr_png_(self) -> bytes:
        return self.png

    def save(self, path: str | Path) -> None:
        """Write it, whole or not at all.

        Raises:
            OSError: if that fails.
        """
        write_bytes(path, self.png)


def show(
    problem: Problem,
    mapping: Mapping | None = None,
    compare: Mapping | None = None,
    backend: str = "mesh",
) -> Picture:
    """The picture of a mapping, measured for it.

    Args:
        problem: What is mapped.
        mapping: A legal mapping; by default the reference.
        compare: If given, another one that is drawn beside it: what moved, where the time went.
        backend: What measures.

    Raises:
        LoihiGymError: if a mapping is illegal, cannot be measured, or matplotlib is not installed.
    """
    reference = problem.reference_mapping
    shown = reference if mapping is None else mapping
    asked = [shown, reference, *([] if compare is None else [compare])]
    results = make_backend(backend, problem).evaluate_batch(asked)
    if compare is None:
        drawing = MeshDrawing(problem, results[1])
        drawing.draw(shown, results[0])
        figure = drawing.figure
    else:
        first = Shown(problem.reference if mapping is None else "mapping", shown, results[0])
        figure = comparison(problem, first, Shown("compared", compare, results[2]))
    data = io.BytesIO()
    figure.savefig(data, format="png")
    return Picture(data.getvalue())


def reference_png(problem: Problem) -> bytes | None:
    """The reference mapping's picture; None where it cannot be drawn, or would take long."""
    if find_spec("matplotlib") is None or problem.topology.n_cores > MOST_CORES:
        return None
    try:
        return show(problem).png
    except LoihiGymError:
        return None
