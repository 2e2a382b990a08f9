"""Jobs for the worker: networks and inputs as files of plain arrays."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...arrays import Int32Array, Int64Array, IntArray
from ...errors import MeasurementError
from ...network import SparseMLP
from ...network.lif_bias import BIAS_BITS, LARGEST_BIAS_EXPONENT, bias_parts, too_large
from .client import LavaWorker

Split = Literal["rows", "pairs"]
Messages = list[Int32Array]


def simulate(
    worker: LavaWorker,
    network: SparseMLP,
    inputs: IntArray,
    cores_per_layer: IntArray | None = None,
    split: Split = "rows",
    limit_s: float | None = None,
) -> Messages:
    """The messages of every layer and step in Lava's fixed-point simulation on the CPU.

    Args:
        worker: Who runs it.
        network: What to run, from rest.
        inputs: Value of each input in each step, (T, widths[0]).
        cores_per_layer: Into how many pieces each layer is cut, each a Lava process; default one.
        split: How the synapses between two cut layers are. ``rows``: each post-synaptic piece adds
            up what the whole layer before it sends, then shifts; always equal to the whole network.
            ``pairs``: what each pair of pieces exchanges is added up and shifted by itself, then
            added; equal if nothing is shifted out, that is if the exponent is not negative or the
            layer before is in one piece.
        limit_s: Wall-clock limit; default the worker's.

    Returns:
        For each layer, int32 (T, width), as `loihi_gym.network.run` returns them.

    Raises:
        MeasurementError: if the worker fails.
    """
    with job_file(worker, network, inputs, cores_per_layer, split) as job:
        worker.request("simulate", limit_s, job=str(job), folder=str(job.parent))
        shapes = [(len(inputs), width) for width in network.widths]
        return [_read(job.parent / f"layer_{i}.npy", shape) for i, shape in enumerate(shapes)]


@contextmanager
def job_file(
    worker: LavaWorker,
    network: SparseMLP,
    inputs: IntArray,
    cores_per_layer: IntArray | None = None,
    split: Split = "rows",
) -> Iterator[Path]:
    """A job in a folder of its own, which is removed in the end, and with the worker.

    Raises:
        LavaSetupError: if there is no worker to be started.
        MeasurementError: if a bias of a LIF neuron is none of Loihi's.
    """
    counts = np.ones(len(network.widths)) if cores_per_layer is None else cores_per_layer
    arrays: dict[str, Any] = {
        "neuron": network.neuron,
        "split": split,
        "widths": np.array(network.widths, np.int64),
        "exponents": np.array(network.exponents, np.int64),
        "thresholds": np.array(network.thresholds, np.int64),
        "decays": np.array(network.decays, np.int64).reshape(-1, 2),
        "pieces": np.asarray(counts, np.int64),
        "inputs": np.asarray(inputs, np.int32),
    }
    for layer, weights in enumerate(network.weights, 1):
        arrays[f"weights_{layer}"] = weights.data
        arrays[f"indices_{layer}"] = weights.indices
        arrays[f"indptr_{layer}"] = weights.indptr
    for layer, bias in enumerate(network.biases, 1):
        lif = network.neuron == "lif"
        parts = _lif_bias(layer, bias) if lif else (bias, np.zeros_like(bias))
        arrays[f"bias_{layer}"], arrays[f"bias_exponent_{layer}"] = (
            part.astype(np.int32) for part in parts
        )
    where = tempfile.TemporaryDirectory(dir=worker.folder(), ignore_cleanup_errors=True)
    with where as folder:
        path = Path(folder) / "job.npz"
        np.savez(path, allow_pickle=False, **arrays)
        yield path


def _lif_bias(layer: int, bias: Int32Array) -> tuple[Int64Array, Int64Array]:
    """Mantissa and exponent of each LIF neuron's bias, (width,) each."""
    mantissa, exponent = bias_parts(bias)
    wrong = np.flatnonzero(too_large(mantissa) | (mantissa << exponent != bias))
    if wrong.size:
        raise MeasurementError(
            f"layer {layer}: neuron {wrong[0]} has a bias of {bias[wrong[0]]}, but Loihi's LIF has "
            f"{BIAS_BITS} bits of it and an exponent of at most {LARGEST_BIAS_EXPONENT}; round it"
        )
    return mantissa, exponent


def _read(path: Path, shape: tuple[int, int]) -> Int32Array:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise MeasurementError(f"Lava left no record of {path.stem}: {error}") from error
    if array.shape != shape or array.dtype != np.int32:
        raise MeasurementError(
            f"Lava's record of {path.stem} is {array.dtype} {array.shape}, not int32 {shape}"
        )
    return np.asarray(array, np.int32)
