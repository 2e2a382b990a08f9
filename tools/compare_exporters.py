"""NIR files as snnTorch, Norse, sinabs, spikingjelly and Rockpool export them, read and compared.

Needs the packages themselves: ``pip install snntorch norse sinabs spikingjelly rockpool nirtorch``;
those that are missing are left out. Each network is Linear 20-40, neurons, Linear 40-10, neurons;
each of its layers is run by itself on the spikes that the framework itself has ahead of it.

    python tools/compare_exporters.py
"""

import argparse
import contextlib
import importlib
import io
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from loihi_gym.network import SparseMLP, run
from loihi_gym.network.readers import read_network

STEPS = 200
Spikes = npt.NDArray[np.int64]
Built = tuple[Any, list[Spikes]]
"""A NIR graph, and the spikes of each layer, the input first, (T, width)."""


def inputs() -> Any:
    """Spikes of 20 inputs, (T, 1, 20)."""
    import torch

    return (torch.rand(STEPS, 1, 20) < 0.3).float()


def linears(gain: float) -> tuple[Any, Any]:
    """The two Linears, positive on average so that neurons spike."""
    import torch

    found = torch.nn.Linear(20, 40, bias=False), torch.nn.Linear(40, 10, bias=False)
    for linear in found:
        torch.nn.init.normal_(linear.weight, 0.1 * gain, 0.4 * gain)
    return found


def recorded(layers: list[Any], spikes: Any) -> list[Spikes]:
    """Each neuron layer's spikes; `layers` are Linears and functions of a step in turn."""
    import torch

    signals = [spikes]
    with torch.no_grad():
        for linear, neuron in zip(layers[::2], layers[1::2], strict=True):
            signals.append(torch.stack([neuron(linear(one)) for one in signals[-1]]))
    return [np.rint(one[:, 0].numpy()).astype(np.int64) for one in signals]


def snntorch_leaky() -> Built:
    """Leaky, reset to zero."""
    import snntorch
    import torch
    from snntorch.export_nir import export_to_nir

    a, b = linears(1.0)
    settings = {"init_hidden": True, "reset_mechanism": "zero"}
    first, second = (  # its exporter wants a decay and a threshold for each neuron
        snntorch.Leaky(beta=torch.full((n,), 0.9), threshold=torch.ones(n), **settings)
        for n in (40, 10)
    )
    graph = export_to_nir(torch.nn.Sequential(a, first, b, second), inputs()[0], ignore_dims=[0])
    for layer in (first, second):
        layer.reset_mem()
    return graph, recorded([a, first, b, second], inputs())


def norse_lif() -> Built:
    """LIFBoxCell: a leaky voltage without a current."""
    import norse.torch as norse
    from norse.torch.utils.export_nir import to_nir

    a, b = linears(6.0)
    cells = [norse.LIFBoxCell(), norse.LIFBoxCell()]
    graph = to_nir(norse.SequentialState(a, cells[0], b, cells[1]), inputs()[0])
    return graph, recorded([a, stateful(cells[0]), b, stateful(cells[1])], inputs())


def norse_cuba() -> Built:
    """LIFCell: a current and a voltage."""
    import norse.torch as norse
    from norse.torch.utils.export_nir import to_nir

    a, b = linears(1.5)
    cells = [norse.LIFCell(), norse.LIFCell()]
    graph = to_nir(norse.SequentialState(a, cells[0], b, cells[1]), inputs()[0])
    return graph, recorded([a, stateful(cells[0]), b, stateful(cells[1])], inputs())


def stateful(cell: Any) -> Callable[[Any], Any]:
    """A Norse cell that keeps its state."""
    state: list[Any] = [None]

    def step(signal: Any) -> Any:
        out, state[0] = cell(signal, state[0])
        return out

    return step


def sinabs_iaf() -> Built:
    """IAF, reset to zero, one spike a step at most."""
    import sinabs.layers as sl
    import torch
    from sinabs.activation import MembraneReset, SingleSpike
    from sinabs.nir import to_nir

    a, b = linears(1.0)
    settings = {"batch_size": 1, "reset_fn": MembraneReset(), "spike_fn": SingleSpike}
    made = [sl.IAFSqueeze(min_v_mem=None, **settings) for _ in range(2)]
    graph = to_nir(torch.nn.Sequential(a, made[0], b, made[1]), inputs()[0])
    for layer in made:
        layer.reset_states()
    return graph, recorded([a, made[0], b, made[1]], inputs())


def sinabs_lif() -> Built:
    """LIF, reset to zero, one spike a step at most, inputs scaled by 1 - alpha."""
    import sinabs.layers as sl
    import torch
    from sinabs.activation import MembraneReset, SingleSpike
    from sinabs.nir import to_nir

    a, b = linears(8.0)
    settings = {"batch_size": 1, "reset_fn": MembraneReset(), "spike_fn": SingleSpike}
    made = [sl.LIFSqueeze(tau_mem=20.0, min_v_mem=None, **settings) for _ in range(2)]
    graph = to_nir(torch.nn.Sequential(a, made[0], b, made[1]), inputs()[0])
    for layer in made:
        layer.reset_states()
    return graph, recorded([a, made[0], b, made[1]], inputs())


def spikingjelly_lif() -> Built:
    """LIFNode, hard reset, decaying input."""
    import torch
    from spikingjelly.activation_based import functional, neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    a, b = linears(1.5)
    made = [neuron.LIFNode(tau=2.0), neuron.LIFNode(tau=2.0)]
    net = torch.nn.Sequential(a, made[0], b, made[1])
    graph = export_to_nir(net, inputs()[0])
    functional.reset_net(net)
    return graph, recorded([a, made[0], b, made[1]], inputs())


def spikingjelly_if() -> Built:
    """IFNode, hard reset."""
    import torch
    from spikingjelly.activation_based import functional, neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    a, b = linears(1.0)
    made = [neuron.IFNode(), neuron.IFNode()]
    net = torch.nn.Sequential(a, made[0], b, made[1])
    graph = export_to_nir(net, inputs()[0])
    functional.reset_net(net)
    return graph, recorded([a, made[0], b, made[1]], inputs())


def rockpool_lif() -> Built:
    """LIFTorch; it subtracts its threshold at a spike."""
    import torch
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules import LIFTorch, LinearTorch
    from rockpool.nn.modules.torch.nir import to_nir

    settings = {"tau_mem": 0.02, "tau_syn": 0.01, "dt": 1e-3, "threshold": 1.0, "has_rec": False}
    settings["max_spikes_per_dt"] = 1
    made = [LIFTorch(n, **settings) for n in (40, 10)]
    maps = [LinearTorch(shape, has_bias=False) for shape in ((20, 40), (40, 10))]
    for one in maps:
        torch.nn.init.normal_(one.weight, 0.005, 0.05)
    net = Sequential(maps[0], made[0], maps[1], made[1])
    graph = to_nir(net)
    signals = [inputs().transpose(0, 1)]
    with torch.no_grad():
        for linear, neuron in zip(maps, made, strict=True):
            signals.append(neuron(linear(signals[-1])[0])[0])
    return graph, [np.rint(one[0].numpy()).astype(np.int64) for one in signals]


NETWORKS = {
    "snnTorch Leaky": ("snntorch", snntorch_leaky),
    "Norse LIFBox": ("norse", norse_lif),
    "Norse LIF": ("norse", norse_cuba),
    "sinabs IAF": ("sinabs", sinabs_iaf),
    "sinabs LIF": ("sinabs", sinabs_lif),
    "spikingjelly LIF": ("spikingjelly", spikingjelly_lif),
    "spikingjelly IF": ("spikingjelly", spikingjelly_if),
    "Rockpool LIF": ("rockpool", rockpool_lif),
}


def compare(build: Callable[[], Built]) -> str:
    """How a network's layers agree, and the time step that was taken."""
    import nir
    import torch

    torch.manual_seed(0)
    graph, spikes = build()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nir"
        nir.write(path, graph, compression=None)
        imported = read_network(path, spikes[0])
    parts = []
    for layer in (1, 2):
        ahead = np.append(spikes[layer - 1], 0 * spikes[layer - 1][:1], axis=0)
        mine = run(alone(imported.network, layer), ahead)[1][1:]  # a step later than the framework
        theirs = spikes[layer]
        parts.append(f"{(mine == theirs).mean():.3f} ({theirs.mean():.2f}, {mine.mean():.2f})")
    step = next(note for note in imported.notes if note.startswith("time step"))
    return f"{'; '.join(parts)} | {step}"


def alone(network: SparseMLP, layer: int) -> SparseMLP:
    """One layer of a LIF network."""
    at = layer - 1
    return SparseMLP(
        network.weights[at : at + 1],
        network.exponents[at : at + 1],
        network.thresholds[at : at + 1],
        "lif",
        network.biases[at : at + 1],
        network.decays[at : at + 1],
    )


def main() -> None:
    """Print a row for each network."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    print("agreement of the spikes of layers 1 and 2 (rate there, rate here) | note of the import")
    warnings.simplefilter("ignore")
    for name, (package, build) in NETWORKS.items():
        try:
            importlib.import_module(package)
        except ImportError:
            print(f"{name}: {package} is not installed")
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            row = compare(build)
        print(f"{name}: {row}")


if __name__ == "__main__":
    main()
