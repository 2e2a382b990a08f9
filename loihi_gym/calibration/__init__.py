"""Calibration: a chip's constants from measured mappings, what ``loihi-gym calibrate`` does.

data_points measured mappings, one JSON object per line
parameters  the constants that are fitted, and the scale they are fitted on
predict     step times of `mesh` and of `bound` for any constants
fit         the fit: `bound` first, then `mesh`
structures  which way of building the chip explains measurements best
likelihood  what measurements say about the constants near a fit
probe       small networks and mappings that tell plausible chips apart
assessment  how well it predicts, what the data cannot tell, what to measure next
"""

from .assessment import Assessment, assess, calibrated_chip, next_mappings
from .data_points import DataPoint, append_measured, read_measured
from .fit import Fit, calibrate
from .structures import StructureFit, choose

__all__ = [
    "Assessment",
    "DataPoint",
    "Fit",
    "StructureFit",
    "append_measured",
    "assess",
    "calibrate",
    "calibrated_chip",
    "choose",
    "next_mappings",
    "read_measured",
]
