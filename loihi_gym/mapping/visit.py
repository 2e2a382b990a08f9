"""One of the mappings that a search or an episode went through."""

from dataclasses import dataclass

from .mapping import Mapping


@dataclass(frozen=True)
class Visit:
    """A mapping that was measured.

    Attributes:
        number: Of the step, or evaluation, from 1 on; 0 for the start of an episode.
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
