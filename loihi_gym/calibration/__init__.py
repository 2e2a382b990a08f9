"""Calibration: a chip's constants from measured mappings, what ``loihi-gym calibrate`` does.

measured    measured mappings, one JSON object per line
parameters  the constants that are fitted, and the scale they are fitted on
affine      step times of `bound` for any constants, from counts that no constant changes
predict     step times of `mesh` for any constants
fit         the fit: `bound` first, then `mesh`
report      how well it predicts, what the data cannot tell, what to measure next
"""

from .fit import Fit, calibrate
from .measured import Measured, append_measured, read_measured
from .report import Report, calibrated_chip, next_mappings, report

__all__ = [
    "Fit",
    "Measured",
    "Report",
    "append_measured",
    "calibrate",
    "calibrated_chip",
    "next_mappings",
    "read_measured",
    "report",
]
