"""NIR's neurons as difference equations.

They are differential equations in NIR. A step of `dt` makes them those that NIR's own simulators
use (forward Euler, a spike is an input of 1 for one step):

    LIF        v += dt / tau (v_leak - v + r I)
    CubaLIF    i += dt / tau_syn (w_in I - i);  v += dt / tau_mem (v_leak - v + r i)
    IF         v += dt r I
    Threshold  v = I

A spike when v > v_threshold, then v = v_reset, which must be 0. LI and CubaLI never spike. Loihi's
neurons have one time constant per layer here; thresholds and resistances may differ, since they
fold into the weights.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Float64Array
from .float_layers import FloatLayer, SpikingLayer
from .imported import unsupported
from .lowering import Shape

NEURONS = ("LIF", "CubaLIF", "IF", "Threshold", "LI", "CubaLI")
SILENT = ("LI", "CubaLI")


@dataclass(frozen=True)
class Neurons:
    """What neurons do in a step: v = (1 - voltage decay) v + current + leak.

    Attributes:
        gain: Voltage that an input of 1 adds at once, (width,).
        leak: Voltage that every step adds, (width,).
        threshold: (width,), positive; None for neurons that never spike.
        current_decay: Part of the current that is forgotten in a step, 0 to 1.
        voltage_decay: The same of the voltage.
    """

    gain: Float64Array
    leak: Float64Array
    threshold: Float64Array | None
    current_decay: float
    voltage_decay: float

    def behind(self, layer: FloatLayer) -> SpikingLayer:
        """The spiking layer that these neurons make of synapses and biases."""
        weights = layer.weights.copy()
        weights.data = weights.data * np.repeat(self.gain, np.diff(weights.indptr))
        # A constant input reaches the voltage through the current's own gain of 1 / decay.
        bias = self.leak + layer.bias * self.gain / self.current_decay
        return SpikingLayer(
            weights,
            bias,
            layer.weight_bits,
            threshold=self.threshold,
            current_decay=self.current_decay,
            voltage_decay=self.voltage_decay,
        )


def readout(width: int) -> Neurons:
    """What stands for no neurons at all: they never spike."""
    return Neurons(np.ones(width), np.zeros(width), None, 1.0, 1.0)


def neurons(name: str, node: Any, shape: Shape, dt_s: float, adds_whole: bool = False) -> Neurons:
    """The neurons of a node on a signal.

    Args:
        name: Name of the node.
        node: One of `NEURONS`.
        shape: The signal's: parameters may be one for all, for each channel or for each neuron.
        dt_s: Time step.
        adds_whole: Whether currents take an input whole, not dt / tau_syn of it.

    Raises:
        NetworkImportError: names the node and what it has that Loihi's neurons have not.
    """
    kind, width = type(node).__name__, math.prod(shape)

    def each(key: str) -> Float64Array:
        value = np.asarray(getattr(node, key), np.float64).reshape(-1)
        if len(value) not in (1, shape[0], width) or not np.isfinite(value).all():
            reason = f"{key} of {len(value)} neurons for {width}"
            unsupported(name, kind, f"{reason}, or not all finite")
        return np.repeat(value, width // len(value))

    def decay(key: str) -> float:
        parts = dt_s / each(key)
        if not np.allclose(parts, parts[0], rtol=1e-3, atol=0):
            unsupported(name, kind, f"{key} differs from neuron to neuron")
        if not 0 < parts[0] <= 1:
            unsupported(name, kind, f"{key} is shorter than the time step of {dt_s:g} s (--dt)")
        return float(parts[0])

    threshold = None
    if kind not in SILENT:
        threshold = each("threshold" if kind == "Threshold" else "v_threshold")
        if (threshold <= 0).any():
            unsupported(name, kind, "a threshold is not positive")
    if getattr(node, "v_reset", None) is not None and np.any(each("v_reset")):
        unsupported(name, kind, "neurons can be reset to 0 only")
    if kind == "Threshold":
        return Neurons(np.ones(width), np.zeros(width), threshold, 1.0, 1.0)
    if kind == "IF":
        return Neurons(dt_s * each("r"), np.zeros(width), threshold, 1.0, 0.0)
    if kind in ("LIF", "LI"):
        voltage = decay("tau")
        return Neurons(each("r") * voltage, each("v_leak") * voltage, threshold, 1.0, voltage)
    current, voltage = decay("tau_syn"), decay("tau_mem")
    gain = each("w_in") * (1.0 if adds_whole else current) * each("r") * voltage
    return Neurons(gain, each("v_leak") * voltage, threshold, current, voltage)
