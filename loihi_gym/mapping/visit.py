"""One of the mappings that a search or an episode went through."""

from dataclasses import dataclass

from .mapping import Mapping


@dataclass(frozen=True)
class Visit:
    """A mapping that was measured.

    Attributes:
        number: Step or evaluation, counted from 1; 0 is the start of an episode.
        mapping: The mapping.
        step_times_ps: Time of each recorded time step, (T,).
    """

    number: int
    mapping: Mapping
    step_times_ps: tuple[int, ...]

    @property
    def latency_ps(self) -> int:
        """Sum of the step times."""
        return sum(self.step_times_ps)
