"""Layers that send nothing: their recorded activity says nothing about a mapping."""

from ..errors import SilentNetworkError
from .activity import Activity
from .sparse_mlp import SparseMLP

READOUT_THRESHOLD = 1 << 17
"""A LIF neuron's voltage saturates at 24 bits, so that it never exceeds 64 times this."""


def is_readout(network: SparseMLP, layer: int) -> bool:
    """Whether a layer is there to be read: the last one, if its neurons cannot or need not send.

    A LIF neuron cannot with a threshold of `READOUT_THRESHOLD`. The last layer of other neurons
    sends its positive values alone, which may be none.
    """
    if layer != len(network.weights):
        return False
    return network.neuron != "lif" or network.thresholds[-1] >= READOUT_THRESHOLD


def silent_layers(network: SparseMLP, activity: Activity) -> tuple[int, ...]:
    """Layers, 0 for the input population, that send nothing although they are no readouts."""
    return tuple(
        layer
        for layer, messages in enumerate(activity.messages)
        if not messages.any() and not is_readout(network, layer)
    )


def require_messages(name: str, network: SparseMLP, activity: Activity) -> None:
    """Raise unless every layer that should send does.

    Raises:
        SilentNetworkError: names the problem and the layers.
    """
    silent = silent_layers(network, activity)
    if silent:
        raise SilentNetworkError(
            f"{name}: {named_layers(silent)} nothing in the recorded steps, so that no mapping of "
            "it can be told from another; import the network again with samples (--activity), "
            "a window (--from) or a time step (--dt) in which it sends"
        )


def named_layers(layers: tuple[int, ...]) -> str:
    """``layer 2 sends`` or ``layers 2, 3 send``; the input population is layer 0."""
    listed = ", ".join(map(str, layers))
    return f"layer {listed} sends" if len(layers) == 1 else f"layers {listed} send"
