"""The table of kinds of files in docs/own-networks.md: a small equivalent of each, read or refused.

Layouts, units and quirks of what exporters write are those of the files that people publish; the
agreement of the numbers is tested reader by reader.
"""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import nir
import numpy as np
import pytest
import safetensors.torch

from loihi_gym.errors import NetworkImportError
from loihi_gym.network import run
from loihi_gym.network.readers import read_network
from loihi_gym.network.readers.layer_table import read_table
from tests.network.readers import test_exporters, test_netx, test_nir_graph, test_onnx_graph

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
nn = torch.nn

DOCS = Path(__file__).parents[3] / "docs" / "own-networks.md"
RNG = np.random.default_rng(0)
REAL = np.abs(RNG.normal(0, 1, (20, 6)))
IMAGES = np.abs(RNG.normal(0, 1, (20, 1, 6, 6)))
SPIKES = (RNG.random((60, 6)) < 0.5).astype(int)
EVENTS = (RNG.random((60, 1, 6, 6)) < 0.5).astype(int)

Made = tuple[str, np.ndarray]
"""Ending of a file, and samples for it."""
Maker = Callable[[Path], Made]
CUBA = {**test_netx.CUBA, "vThMant": 40}
SDNN = test_netx.SDNN


def netx(*layers: dict, inputs: np.ndarray = SPIKES) -> Maker:
    def make(path: Path) -> Made:
        test_netx.write(path.with_suffix(".net"), *layers)
        return ".net", inputs

    return make


def chain(neuron: dict, **more: object) -> tuple[dict, dict]:
    return (
        test_netx.dense(np.abs(test_netx.even(1, 8, 6)), neuron, **more),
        test_netx.dense(np.abs(test_netx.even(2, 4, 8)), neuron),
    )


def netx_cnn(neuron: dict, **more: object) -> tuple[dict, ...]:
    kernel = np.abs(test_netx.even(3, 2, 1, 3, 3))
    return (
        {"type": "input", "shape": np.array([1, 6, 6])},
        {**test_netx.conv(kernel), "shape": np.array([2, 4, 4]), "neuron": neuron, **more},
        {"type": "flatten", "shape": np.array([32])},
        test_netx.dense(np.abs(test_netx.even(4, 4, 32)), neuron),
    )


def graph(*nodes: nir.NIRNode, edges: list | None = None, inputs: np.ndarray = SPIKES) -> Maker:
    def make(path: Path) -> Made:
        named = {str(i): node for i, node in enumerate(nodes)}
        ends = {
            "input": nir.Input(input_type={"input": np.array(inputs.shape[1:])}),
            "output": nir.Output(output_type={"output": np.array([1])}),
        }
        whole = edges or list(pairwise(("input", *named, "output")))
        made = nir.NIRGraph(nodes=ends | named, edges=whole, type_check=False)
        nir.write(path.with_suffix(".nir"), made, compression=None)  # Norse's scalars need it
        return ".nir", inputs

    return make


def linear(n: int, m: int) -> nir.Linear:
    return nir.Linear(weight=np.abs(RNG.normal(0, 3, (n, m))))


def exported(name: str) -> Maker:
    """Two layers of the neurons that an exporter writes."""
    node, gain = test_exporters.EXPORTERS[name].node, test_exporters.EXPORTERS[name].gain
    layers = [nir.Linear(weight=np.abs(RNG.normal(0, gain, shape))) for shape in ((8, 6), (4, 8))]
    return graph(layers[0], node(8), layers[1], node(4))


def spiking_cnn() -> Maker:
    """As sinabs writes it: convolution without bias, IAF, sum pooling."""
    kernel = np.abs(RNG.normal(0, 0.3, (2, 1, 3, 3)))
    convolution = nir.Conv2d((6, 6), kernel, 1, 1, 1, 1, np.zeros(2))
    pooling = nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
    many, few = (nir.IF(np.ones(shape), np.ones(shape)) for shape in ((2, 6, 6), (4,)))
    flat = nir.Flatten({"input": np.array([2, 3, 3])}, start_dim=0, end_dim=-1)
    return graph(convolution, many, pooling, flat, linear(4, 18), few, inputs=EVENTS)


LIF = test_nir_graph.lif
RECURRENT = [("input", "0"), ("0", "1"), ("1", "2"), ("2", "1"), ("1", "output")]
SKIPPING = [*pairwise(("input", "0", "1", "2", "3", "4", "output")), ("1", "4")]


def torch_file(build: Callable[[], object], inputs: np.ndarray = REAL, ending: str = ".pt"):
    def make(path: Path) -> Made:
        torch.manual_seed(0)
        torch.save(build(), path.with_suffix(ending))
        return ending, inputs

    return make


def mlp() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))


def cnn(pooling: nn.Module) -> nn.Sequential:
    front = (nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), pooling)
    return nn.Sequential(*front, nn.Flatten(), nn.Linear(18, 8), nn.ReLU(), nn.Linear(8, 4)).eval()


def pruned() -> nn.Sequential:
    model = mlp()
    for _ in range(2):
        nn.utils.prune.l1_unstructured(model[0], "weight", 0.3)
    return model


class OwnModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(6, 8), nn.Linear(8, 4)


def branches() -> dict:
    layers = {"left": nn.Linear(6, 8), "right": nn.Linear(6, 8), "head": nn.Linear(8, 4)}
    return nn.ModuleDict(layers).state_dict()


def language_model() -> dict:
    return nn.ModuleDict({"emb": nn.Embedding(9, 6), "fc": nn.Linear(6, 4)}).state_dict()


def tensors(path: Path) -> Made:
    safetensors.torch.save_file(mlp().state_dict(), path.with_suffix(".safetensors"))
    return ".safetensors", REAL


def table(path: Path) -> Made:
    torch.save(cnn(nn.AvgPool2d(2)).state_dict(), path.with_suffix(".pt"))
    kinds = (
        ("Conv2d", "0", "padding = 1"),
        ("BatchNorm2d", "1", ""),
        ("ReLU", "", ""),
        ("AvgPool2d", "", "kernel_size = 2"),
        ("Flatten", "", ""),
        ("Linear", "5", ""),
        ("ReLU", "", ""),
        ("Linear", "7", ""),
    )
    text = "input = [1, 6, 6]\n"
    for kind, name, more in kinds:
        named = f'name = "{name}"\n' if name else ""
        text += f'[[layers]]\nkind = "{kind}"\n{named}{more}\n'
    (path.parent / "layers.toml").write_text(text)
    return ".pt", IMAGES


def onnx(*nodes: tuple, shape: tuple[int, ...] = (6,), inputs: np.ndarray = REAL) -> Maker:
    weights = {
        **{"w": test_onnx_graph.normal(8, 6), "v": test_onnx_graph.normal(4, 8)},
        **{"k": test_onnx_graph.normal(2, 1, 3, 3), "u": test_onnx_graph.normal(4, 18)},
        **{"r": test_onnx_graph.normal(1, 8, 6), "s": test_onnx_graph.normal(1, 8, 8)},
        **{"q": RNG.integers(-128, 128, (8, 6)).astype(np.int8), "scale": np.float32(0.02)},
    }

    def make(path: Path) -> Made:
        used = {name for _, names, _, _ in nodes for name in names}
        constants = {name: value for name, value in weights.items() if name in used}
        test_onnx_graph.model(path.with_suffix(".onnx"), shape, *nodes, constants=constants)
        return ".onnx", inputs

    return make


LAST = {"transB": 1}
FIRST = ("Gemm", ["x", "w"], "a", LAST), ("Relu", ["a"], "b", {})


def onnx_cnn(pooling: str) -> Maker:
    nodes = (
        ("Conv", ["x", "k"], "a", {"pads": [1, 1, 1, 1]}),
        ("Relu", ["a"], "b", {}),
        (pooling, ["b"], "c", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Flatten", ["c"], "d", {}),
        ("Gemm", ["d", "u"], "y", LAST),
    )
    return onnx(*nodes, shape=(1, 6, 6), inputs=IMAGES)


def matrices(path: Path) -> Made:
    np.savez(path.with_suffix(".npz"), weights_1=RNG.normal(0, 1, (8, 6)))
    return ".npz", REAL


KINDS: dict[str, tuple[Maker, str]] = {
    "netx MLP, LIF": (netx(*chain(CUBA)), ""),
    "netx MLP, sigma-delta": (netx(*chain(SDNN)), ""),
    "netx CNN, LIF": (netx(*netx_cnn(CUBA), inputs=EVENTS), ""),
    "netx CNN, sigma-delta (PilotNet)": (netx(*netx_cnn(SDNN), inputs=EVENTS), ""),
    "netx with axonal delays (NMNIST, NTIDIGITS)": (
        netx(*chain(CUBA, delay=np.arange(8))),
        "axonal delays",
    ),
    "netx, average pooling": (
        netx({"type": "average", "shape": np.array([3])}),
        "layer 0 (average): only dense and conv",
    ),
    "netx, recurrent": (
        netx({**chain(CUBA)[0], "type": "dense_rec", "weight_rec": np.ones((8, 8))}),
        "layer 0 (dense_rec): only dense and conv",
    ),
    "netx, resonators": (netx(*chain({"type": "RF_IZ"})), "layer 0 (RF_IZ): only CUBA"),
    "NIR of snnTorch, Leaky": (exported("snnTorch Leaky"), ""),
    "NIR of snnTorch, Synaptic": (exported("snnTorch Synaptic"), ""),
    "NIR of Norse, LIFBox": (exported("Norse LIFBox"), ""),
    "NIR of Norse, LIF": (exported("Norse LIF"), ""),
    "NIR of sinabs, IAF": (exported("sinabs IAF"), ""),
    "NIR of sinabs, LIF": (exported("sinabs LIF"), ""),
    "NIR of sinabs, CNN with sum pooling": (spiking_cnn(), ""),
    "NIR of spikingjelly, IF": (exported("spikingjelly IF"), ""),
    "NIR of spikingjelly, LIF": (exported("spikingjelly LIF"), ""),
    "NIR of Rockpool, LIF": (exported("Rockpool LIF"), ""),
    "NIR, recurrent (RLeaky, RSynaptic)": (
        graph(linear(8, 6), LIF(8), linear(8, 8), edges=RECURRENT),
        "recurrent, skipping and parallel connections",
    ),
    "NIR, skip connection": (
        graph(linear(8, 6), LIF(8), linear(8, 8), LIF(8), linear(4, 8), edges=SKIPPING),
        "recurrent, skipping and parallel connections",
    ),
    "NIR, delays": (graph(linear(8, 6), nir.Delay(np.ones(8)), LIF(8)), "layer 1 (Delay)"),
    "PyTorch MLP": (torch_file(mlp), ""),
    "PyTorch CNN, BatchNorm, average pooling": (
        torch_file(lambda: cnn(nn.AvgPool2d(2)), IMAGES),
        "",
    ),
    "PyTorch, pruned twice": (torch_file(pruned), ""),
    "PyTorch, max pooling": (torch_file(lambda: cnn(nn.MaxPool2d(2)), IMAGES), "MaxPool2d"),
    "PyTorch, a class of one's own": (torch_file(OwnModel), "OwnModel"),
    "PyTorch, LSTM": (torch_file(lambda: nn.Sequential(nn.LSTM(6, 4))), "LSTM"),
    "state dict, MLP": (torch_file(lambda: mlp().state_dict(), ending=".pth"), ""),
    "state dict, CNN, with a layer table": (table, ""),
    "state dict, parallel branches": (torch_file(branches), "left, right each take 6 inputs"),
    "state dict, embedding": (torch_file(language_model), "layer emb (Embedding)"),
    "Lightning checkpoint": (
        torch_file(
            lambda: {"state_dict": mlp().state_dict(), "epoch": 3, "optimizer_states": []},
            ending=".ckpt",
        ),
        "",
    ),
    "safetensors, MLP": (tensors, ""),
    "ONNX MLP": (onnx(*FIRST, ("Gemm", ["b", "v"], "y", LAST)), ""),
    "ONNX CNN, average pooling": (onnx_cnn("AveragePool"), ""),
    "ONNX, quantised weights": (
        onnx(("DequantizeLinear", ["q", "scale"], "p", {}), ("Gemm", ["x", "p"], "y", LAST)),
        "",
    ),
    "ONNX CNN, max pooling": (onnx_cnn("MaxPool"), "(MaxPool)"),
    "ONNX, skip connection (ResNet)": (
        onnx(*FIRST, ("Add", ["a", "b"], "y", {})),
        "2 operators take 'a', and a chain is read",
    ),
    "ONNX, recurrent": (onnx(("RNN", ["x", "r", "s"], "y", {"hidden_size": 8})), "(RNN)"),
    "matrices in .npz": (matrices, ""),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_file_is_read_or_refused_by_what_is_in_the_way(tmp_path, name):
    make, reason = KINDS[name]
    ending, inputs = make(tmp_path / "file")
    layers = tmp_path / "layers.toml"
    options = {"table": read_table(layers)} if layers.exists() else {}
    path = tmp_path / f"file{ending}"
    if reason:
        with pytest.raises(NetworkImportError, match=re.escape(reason)):
            read_network(path, inputs, **options)
        return
    imported = read_network(path, inputs, **options)
    sent = run(imported.network, imported.inputs)
    assert all(messages.any() for messages in sent)


def test_the_table_says_what_is_read_and_what_is_not():
    section = DOCS.read_text(encoding="utf-8").partition("## Kinds of files\n")[2]
    rows = re.findall(r"^\| ([^|]+) \| (read|refused[^|]*) \|", section.partition("\n## ")[0], re.M)
    assert [name for name, _ in rows] == list(KINDS)
    for name, verdict in rows:
        assert (verdict != "read") == bool(KINDS[name][1]), name
