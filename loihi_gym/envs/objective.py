"""What an environment's reward counts: latency, energy, their product, or a user's own figure."""

from collections.abc import Callable

from ..backends import Measurement
from ..errors import BackendError, LoihiGymError, unknown

Objective = Callable[[Measurement], float]
"""A figure of a measured mapping; less is better, and it must be positive."""


def latency(measurement: Measurement) -> float:
    """Latency in ps."""
    return float(measurement.latency_ps)


def energy(measurement: Measurement) -> float:
    """Energy in fJ; raises `BackendError` if it was not measured."""
    if measurement.energy_fj is None:
        raise BackendError(
            "the backend measures no energy: choose objective='latency', or another backend "
            "(on a set of chips none does)"
        )
    return float(measurement.energy_fj)


def energy_delay_product(measurement: Measurement) -> float:
    """Energy times latency, in fJ ps."""
    return energy(measurement) * float(measurement.latency_ps)


OBJECTIVES: dict[str, Objective] = {
    "latency": latency,
    "energy": energy,
    "edp": energy_delay_product,
}
"""Objectives by name; they look at `latency_ps` and `energy_fj` alone."""


def find_objective(wanted: str | Objective) -> Objective:
    """The objective of that name, or the one given.

    Raises:
        UnknownNameError: if none has that name.
        LoihiGymError: if it is neither a name nor can be called.
    """
    if callable(wanted):
        return wanted
    if not isinstance(wanted, str):
        raise LoihiGymError(
            f"objective {wanted!r} is neither a name nor a function of a Measurement"
        )
    if wanted not in OBJECTIVES:
        raise unknown("objective", wanted, list(OBJECTIVES))
    return OBJECTIVES[wanted]
