"""Calibration: a chip's constants from measured mappings, what ``loihi-gym calibrate`` does.

data_points measured mappings, one JSON object per line
parameters  the constants that are fitted, and the scale they are fitted on
predict     step times of `mesh` and of `bound` for any constants
fit         the fit: `bound` first, then `mesh`
assessment  how well it predicts, what the data cannot tell, what to measure next
"""

from .assessment import Assessment, assess, calibrated_chip, next_mappings
from .data_points import DataPoint, append_measured, read_measured
from .fit import Fit, calibrate

__all__ = [
    "Assessment",
    "DataPoint",
    "Fit",
    "append_measured",
    "assess",
    "calibrate",
    "calibrated_chip",
    "next_mappings",
    "read_measured",
]
