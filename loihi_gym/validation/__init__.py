"""Published figures of Loihi 2 in silicon, simulated with a chip file."""

from .figures import Convolution, FigureNetwork, SiliconFigure, load_figures
from .simulate import FigureComparison, SimulatedNetwork, compare_figures, require_known

__all__ = [
    "Convolution",
    "FigureComparison",
    "FigureNetwork",
    "SiliconFigure",
    "SimulatedNetwork",
    "compare_figures",
    "load_figures",
    "require_known",
]
