"""`Noisy`: a backend whose latencies scatter from call to call, to practise for hardware."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from ..errors import LoihiGymError
from ..mapping import Mapping
from .measurement import Backend, Measurement

MOST = 0.1
"""Largest noise: a draw is never beyond six standard deviations, so times stay positive."""
PARTS = 10**9
"""The noise is rounded to a whole number of these parts."""


class Noisy:
    """Scales all times of a measurement by 1 + noise * z, z of about standard normal distribution.

    z depends only on the seed and on how many measurements came before, not on the mapping: a
    search that is repeated sees the same, one that measures a mapping twice sees two latencies.
    The true latency stands in none of the fields: step times, static energy and the bottleneck's
    share follow the scaled one. Loads are counts and stay exact.

    Args:
        backend: What measures.
        noise: Standard deviation of the latency, relative, 0 to 0.1.
        seed: Any int.

    Attributes:
        evaluations: Measurements so far; may be set, to resume a search.

    Raises:
        LoihiGymError: if `noise` is out of range.
    """

    def __init__(self, backend: Backend, noise: float, seed: int = 0) -> None:
        if not 0.0 <= noise <= MOST:
            raise LoihiGymError(f"noise = {noise!r}: give the relative scatter, from 0 to {MOST}")
        self.backend = backend
        self.problem = backend.problem
        self.name = f"{backend.name}+noise"
        self.noise = noise
        self.seed = seed
        self.evaluations = 0

    def evaluate(self, mapping: Mapping) -> Measurement:
        """Measure one mapping; see `Backend.evaluate`."""
        return self.evaluate_batch([mapping])[0]

    def evaluate_batch(self, mappings: Sequence[Mapping]) -> list[Measurement]:
        """Measure several mappings; each takes the next draw, as if measured one by one."""
        return [self._scatter(exact) for exact in self.backend.evaluate_batch(mappings)]

    def _scatter(self, exact: Measurement) -> Measurement:
        change = round(self.noise * PARTS) * standard_normal(self.seed, self.evaluations)
        self.evaluations += 1
        steps = tuple(ps + ps * change // (PARTS << 32) for ps in exact.step_times_ps)
        energy, bottleneck = exact.energy, exact.bottleneck
        if energy is not None and exact.counted:  # static power is constant
            static_fj = sum(steps) * (energy.static_fj // exact.latency_ps)
            energy = energy._replace(static_fj=static_fj)
        if bottleneck is not None:
            busy_ps = bottleneck.share * exact.step_times_ps[bottleneck.step]
            share = min(busy_ps / max(steps[bottleneck.step], 1), 1.0)
            bottleneck = bottleneck._replace(share=share)
        return replace(
            exact, latency_ps=sum(steps), step_times_ps=steps, energy=energy, bottleneck=bottleneck
        )


def standard_normal(seed: int, index: int) -> int:
    """The `index`-th draw in units of 2^-32, the same on every machine: twelve uniforms less 6."""
    digest = hashlib.blake2b(f"{seed}:{index}".encode(), digest_size=48).digest()
    uniforms = [int.from_bytes(digest[at : at + 4], "little") for at in range(0, 48, 4)]
    return sum(uniforms) - (6 << 32)
