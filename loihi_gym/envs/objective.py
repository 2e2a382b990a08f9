"""What an environment's reward counts: latency, energy, or their product."""

from collections.abc import Callable

from ..backends import Measurement
from ..errors import unknown

Objective = Callable[[Measurement], float]


def latency(measurement: Measurement) -> float:
    """Latency in ps."""
    return float(measurement.latency_ps)


def energy(measurement: Measurement) -> float:
    """Energy in fJ."""
    return float(measurement.energy_fj)


def energy_delay_product(measurement: Measurement) -> float:
    """Energy times latency, in fJ ps."""
    return float(measurement.energy_fj) * float(measurement.latency_ps)


OBJECTIVES: dict[str, Objective] = {
    "latency": latency,
    "energy": energy,
    "edp": energy_delay_product,
}
"""Objectives by name; less is better."""


def objective(name: str) -> Objective:
    """The objective of that name.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in OBJECTIVES:
        raise unknown("objective", name, list(OBJECTIVES))
    return OBJECTIVES[name]
