"""What an environment's reward counts: latency, energy, their product, or a user's own figure."""

from collections.abc import Callable
from typing import Protocol

from ..backends import Measurement
from ..errors import BackendError, LoihiGymError, unknown


class LatencyAndEnergy(Protocol):
    """What the named objectives look at; a `Measurement` has it."""

    @property
    def latency_ps(self) -> int:
        """Latency in ps."""
        ...

    @property
    def energy_fj(self) -> int | None:
        """Energy in fJ; None if it was not measured."""
        ...


Objective = Callable[[Measurement], float]
"""A figure of a measured mapping; less is better, and it must be positive."""


def latency(measurement: LatencyAndEnergy) -> float:
    """Latency in ps."""
    return float(measurement.latency_ps)


def energy(measurement: LatencyAndEnergy) -> float:
    """Energy in fJ; raises `BackendError` if it was not measured."""
    if measurement.energy_fj is None:
        raise BackendError(
            "the backend measures no energy: choose objective='latency', or another backend"
        )
    return float(measurement.energy_fj)


def energy_delay_product(measurement: LatencyAndEnergy) -> float:
    """Energy times latency, in fJ ps."""
    return energy(measurement) * float(measurement.latency_ps)


OBJECTIVES: dict[str, Callable[[LatencyAndEnergy], float]] = {
    "latency": latency,
    "energy": energy,
    "edp": energy_delay_product,
}
"""Objectives by name."""


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


def is_named(objective: Objective) -> bool:
    """Whether latency and energy are all the objective looks at."""
    return objective in OBJECTIVES.values()
