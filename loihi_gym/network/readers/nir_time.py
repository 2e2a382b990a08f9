"""The time step of a NIR graph, which the file does not say, guessed from its neurons.

NIR's equations are in continuous time, and exporters differ in what their ``tau`` and ``r`` are in:

    exporter        neurons           tau              r                  time step
    sinabs          LIF, IF           steps            1                  1
    Norse           CubaLIF, LIF, LI  dt / tau_inv     1                  dt * dt, that is 1e-6
    Norse           IF                                 1                  1
    snnTorch        LIF, CubaLIF      dt / (1 - beta)  tau / dt           tau / r, that is 1e-4
    spikingjelly    LIF               dt * tau         1, or tau / dt     1e-4, or tau / r
    spikingjelly    IF                                 1 / dt             1 / r, that is 1e-4
    Rockpool        CubaLIF, LIF      seconds          tau exp(-x) / dt   x tau, x = dt / tau

Norse and Rockpool leave ``w_in`` at 1, although their neurons add an input whole to their current,
not dt / tau_syn of it. As in the source of sinabs 3.1.3, norse 1.1.0, snntorch 1.0.0, spikingjelly
2.0.0 and rockpool 3.1.0.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.special import lambertw

from ...arrays import Float64Array

DT_S = 1e-4
"""Time step if nothing tells: the default of NIR's examples."""
NORSE_DT_S = 1e-6
"""Norse's default of 1e-3 s, which enters its ``tau`` once and its equations once more."""
IN_STEPS = 1.0
"""No neuron forgets in seconds as long as this: from here on ``tau`` counts time steps."""
ALIKE = 1e-3
ROCKPOOL = "from tau and r, as Rockpool writes them"
NORSE = "since tau is below 1e-4 s, as Norse writes it"
ADDS_WHOLE = (ROCKPOOL, NORSE)
"""Exporters that leave ``w_in`` at 1 although their neurons add an input whole to their current."""


def time_step(nodes: Iterable[Any]) -> tuple[float, str]:
    """A time step in the unit of a graph's ``tau``, and where it comes from.

    All neurons must tell the same; otherwise it is `DT_S`.
    """
    guesses = [guess for node in nodes if (guess := _guess(node)) is not None]
    steps = np.array([step for step, _ in guesses])
    if not guesses or not np.allclose(steps, steps[0], rtol=ALIKE, atol=0):
        return DT_S, "the default, since the file does not tell"
    return guesses[0]


def _guess(node: Any) -> tuple[float, str] | None:
    kind = type(node).__name__
    if kind not in ("IF", "LIF", "LI", "CubaLIF", "CubaLI"):
        return None
    r = _values(node.r)
    if kind == "IF":
        step = _same(1 / r)
        return None if step is None else (step, "from r of IF neurons, an input of 1 raising by 1")
    tau = _values(node.tau if hasattr(node, "tau") else node.tau_mem)
    if (r == 1).all():
        return _of_unit_gain(tau)
    return _of_step_gain(node, tau, r) or _of_rockpool(tau, r)


def _of_unit_gain(tau: Float64Array) -> tuple[float, str] | None:
    """Neurons with ``r`` = 1: ``tau`` says by its size what it is in."""
    if (tau >= IN_STEPS).all():
        return 1.0, "since tau counts time steps, as sinabs writes it"
    if (tau < DT_S).all():
        return NORSE_DT_S, NORSE
    return None


def _of_step_gain(node: Any, tau: Float64Array, r: Float64Array) -> tuple[float, str] | None:
    """Neurons whose state rises by what comes in: each gain is a ``tau`` over the time step."""
    step = _same(tau / r)
    if step is None:
        return None
    if hasattr(node, "tau_syn"):
        certain = bool(np.allclose(_values(node.tau_syn) / _values(node.w_in), step, rtol=ALIKE))
    else:  # any r gives a round step with a round tau, but few a power of ten
        certain = bool(np.isclose(step, 10.0 ** np.rint(np.log10(step)), rtol=1e-4))
    return (step, "from tau / r, as snnTorch and spikingjelly write them") if certain else None


def _of_rockpool(tau: Float64Array, r: Float64Array) -> tuple[float, str] | None:
    step = _same(tau * np.real(lambertw(1 / r)))
    if step is None or not np.isclose(step, float(f"{step:.0e}"), rtol=1e-4, atol=0):
        return None
    return step, ROCKPOOL


def _values(value: Any) -> Float64Array:
    return np.asarray(value, np.float64).reshape(-1)


def _same(values: Float64Array) -> float | None:
    """The one value that all are, if they are."""
    if not (np.isfinite(values) & (values > 0)).all():
        return None
    return float(values[0]) if np.allclose(values, values[0], rtol=ALIKE, atol=0) else None
